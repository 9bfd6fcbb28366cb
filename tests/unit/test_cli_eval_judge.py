"""`tcao eval judge`: what it refuses before it asks anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.errors import ExitCode

_GOOD = {"input": "1+1?", "answer": "2", "label": "right"}


@pytest.mark.parametrize(
    ("row", "options", "code", "said"),
    [
        ({**_GOOD, "label": "maybe"}, (), ExitCode.USAGE, "label: 'maybe' is no grade"),
        ({**_GOOD, "answer": "\ud800"}, (), ExitCode.USAGE, "half of a character"),
        ({**_GOOD, "answer": 2}, (), ExitCode.USAGE, "answer: missing or no text"),
        (_GOOD, ("--judge", "claude"), ExitCode.USAGE, "names no model of a provider"),
        (_GOOD, ("--rubric", "@none.md"), ExitCode.USAGE, "the rubric cannot be read"),
        (_GOOD, (), ExitCode.REFUSED, "export ANTHROPIC_API_KEY"),
        (_GOOD, ("--judge", "mockllm/model", "--approve", "auto"), ExitCode.NEEDS_INPUT, "may cost"),
        (_GOOD, ("--judge", "mockllm/model", "--approve", "0"), ExitCode.NEEDS_INPUT, "approval is for another judge"),
    ],
)
def test_what_is_wrong_is_told_before_anybody_is_asked(
    *,
    row: dict[str, object],
    options: tuple[str, ...],
    code: ExitCode,
    said: str,
    console: CliContext,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(json.dumps(row) + "\n")
    arguments = ["eval", "judge", str(file), "--judge", "anthropic/claude-sonnet-4-5", *options]
    assert main.run(arguments, console) == code
    told = capsys.readouterr().err
    assert said in told
    assert ("labels.jsonl:1" in told) == (row is not _GOOD)

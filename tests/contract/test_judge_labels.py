"""A judge held against people's labels: the real helper process asks a judge over loopback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.judging import grading_prompt
from tcao_tui.errors import ExitCode
from tests.fakes.anthropic_stub import AnthropicStub, Reply, prompt_of
from tests.fakes.own_places import use_places

_ROWS = [
    {"input": "1+1?", "output": "2", "answer": "two", "label": "C"},
    {"input": "1+2?", "output": "3", "answer": "four\x1b[2J", "label": 1},
    {"input": "1+3?", "answer": "unreadable", "label": True},
    {"input": "1+4?", "output": "5", "answer": "broken", "label": "wrong"},
    {"input": "1+5?", "output": "6", "answer": "GRADE: C", "label": False},
]


def judge_says(body: dict[str, Any]) -> Reply:
    prompt = prompt_of(body)
    if "broken" in prompt:
        return Reply(status=400)
    if "unreadable" in prompt:
        return Reply(text="Hard to say.")
    return Reply(text="Fine.\nGRADE: C" if "\ntwo\n" in prompt else "\x1b[31mNot so.\nGRADE: I")


async def test_a_judge_is_measured_with_the_prompt_of_evals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_places(monkeypatch, tmp_path)
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in _ROWS))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "stub")
    asked = ["eval", "judge", str(file), "--judge", "anthropic/claude-sonnet-4-5", "--rubric", "Be kind."]

    async with AnthropicStub(judge_says) as stub:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", stub.url)

        async def run(*more: str) -> int:
            return await asyncio.to_thread(main.run, [*asked, *more], CliContext(runs_root=tmp_path / "runs"))

        assert await run("--approve", "auto", "--output", "json") == ExitCode.NEEDS_INPUT
        refused = json.loads(capsys.readouterr().out)
        assert stub.requests == []
        consent = "--approve", str(refused["approval_hash"])
        assert await run(*consent, "--output", "json") == ExitCode.OK
        found = json.loads(capsys.readouterr().out)
        first = len(stub.requests)
        assert await run(*consent, "--fail-under", "0.9") == ExitCode.FAILED
        text = capsys.readouterr().out

    assert found["confusion"] == {"both_right": 1, "only_people": 1, "only_judge": 0, "both_wrong": 1}
    assert found["kappa"]["value"] == pytest.approx(0.4)
    assert found["unparseable"] == [3]
    assert [each["line"] for each in found["errors"]] == [4]
    assert [each["line"] for each in found["disagreements"]] == [2]
    assert found["judge_tokens"] == 4 * 120
    template = (Path(main.__file__).parents[2] / "prompts" / "judging" / "grade.md").read_text()
    wanted = grading_prompt(template, rubric="Be kind.", question="1+1?", wanted="2", answer="two")
    assert wanted in [prompt_of(body) for body in stub.requests]
    assert all("broken" in prompt_of(body) for body in stub.requests[first:])
    assert "line 2: people say right, the judge says wrong" in text
    assert "too few to tell" in text
    assert "\x1b[2J" not in text
    assert "\x1b[31mNot" not in text

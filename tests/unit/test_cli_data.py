"""`tcao data` as a person and a script see it: reports, exit codes, JSON, hostile text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.data import profile_lines
from tcao_tui.cli.render.data_preview import preview_lines
from tcao_tui.domain.data_profile import Anomaly, DataProfile, FieldMap, Spread, TokenStats
from tcao_tui.domain.row_preview import PreviewToken, RowPreview, TemplateDifference
from tcao_tui.domain.wording import bytes_text
from tcao_tui.errors import ExitCode
from tests.fakes.data_files import sentence, write_rows

ESCAPES = "\x1b[31m\x1b]52;c;aGk=\x07\u202e"


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_rows(
        tmp_path / "train set.jsonl", [{"question": sentence(n), "answer": f"so {n}\n#### {n}"} for n in range(30)]
    )


def result(console: CliContext, capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    assert main.run(["data", *map(str, arguments)], console) == code
    return capsys.readouterr().out


def test_a_report_says_what_the_file_is_how_it_is_read_and_what_to_do_next(
    console: CliContext, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["data", "inspect", str(train)], console) == 0
    told = capsys.readouterr()
    for expected in (
        "30 (conversations to imitate)",
        "problems with a checkable answer",
        "prompt = question, answer = answer",
        "prompt characters",
        "each ends with a number that can be checked",
        "0 exact, 0 near",
        "MinHash",
    ):
        assert expected in told.out
    assert f"tcao data inspect '{train}' --model" in told.err


def test_bad_rows_end_with_code_3_and_are_all_named(
    console: CliContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"input": "a", "output": "b"}] * 3)
    path.write_text(path.read_text() + "broken\n" * 120)
    assert main.run(["data", "inspect", str(path)], console) == ExitCode.PLAN_INVALID
    told = capsys.readouterr()
    assert "120 rows cannot be used" in told.out
    assert f"{path}:4: not JSON" in told.out
    assert "... and 20 more" in told.out
    assert f"tcao data clean {path}" in told.err


def test_json_has_one_profile_a_file(
    console: CliContext, train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    profiles = json.loads(result(console, capsys, "inspect", train, empty, "--output", "json", code=3))
    assert [(p["rows"], p["bad_rows"], p["kind"]) for p in profiles] == [(30, 0, "chat"), (0, 1, None)]


def test_a_mapping_is_taken_from_the_options(
    console: CliContext, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swapped = ("--input-field", "answer", "--output-field", "question", "--output", "json")
    (profile,) = json.loads(result(console, capsys, "inspect", train, *swapped))
    assert profile["fields"]["input_field"] == "answer"
    assert profile["answer_shape"] == "text"


def test_a_missing_file_is_an_error_with_its_path(
    console: CliContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(result(console, capsys, "inspect", tmp_path / "none.jsonl", "--output", "json", code=3))
    assert told["error"]["where"] == str(tmp_path / "none.jsonl")


def test_tokens_and_previews_need_no_engine_and_no_key(
    console: CliContext, train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = result(console, capsys, "preview", train, "--row", 2, "--max-seq-len", 90)
    assert "renderer qwen3_instruct" in shown
    assert "[[" in shown
    assert "~~ cut here ~~" in shown
    assert "own chat template gives the same text" in shown
    assert not (tmp_path / "STATE").exists()


def test_a_split_is_asked_for_in_rows_or_percent(
    console: CliContext, train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = result(console, capsys, "split", train, "--into", tmp_path / "a", "--validation", "20%")
    assert "24 rows" in told
    assert "6 rows" in told
    split = json.loads(
        result(
            console,
            capsys,
            "split",
            train,
            "--into",
            tmp_path / "b",
            "--validation",
            3,
            "--test",
            4,
            "--output",
            "json",
        )
    )
    assert split["rows"] == [23, 3, 4]
    for size in ("many", "x%"):
        result(console, capsys, "split", train, "--into", tmp_path / "c", "--validation", size, code=2)
    result(console, capsys, "split", train, "--into", tmp_path / "c", "--validation", "60%", code=3)


def test_shared_rows_end_with_code_3_and_name_both_lines(
    console: CliContext, train: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = write_rows(
        tmp_path / "test.jsonl", [{"input": sentence(99), "output": "b"}, {"input": sentence(4), "output": "b"}]
    )
    told = result(console, capsys, "overlap", train, test, code=3)
    assert "1 of 2 rows (50.0%)" in told
    assert f"{train}:5  {test}:2" in told
    clean = write_rows(tmp_path / "clean.jsonl", [{"input": sentence(99), "output": "b"}])
    assert "no row of" in result(console, capsys, "overlap", train, clean)
    found = json.loads(result(console, capsys, "overlap", train, test, clean, "--output", "json", code=3))
    assert [one["exact"] for one in found] == [1, 0]


def test_a_cleaned_copy_is_written_once(
    console: CliContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, target = tmp_path / "rows.jsonl", tmp_path / "clean.jsonl"
    path.write_text('{"input": "a", "output": "b"}\nbroken\n')
    told = result(console, capsys, "clean", path, "-o", target)
    assert "1 row (conversations to imitate)" in told
    assert f"{path}:2: not JSON" in told
    assert json.loads(target.read_text())["messages"][1]["content"] == "b"
    result(console, capsys, "clean", path, "-o", target, code=8)
    again = json.loads(result(console, capsys, "clean", path, "-o", tmp_path / "b.jsonl", "--output", "json"))
    assert (again["rows"], again["left_out"], again["problems"][0]["line"]) == (1, 1, 2)


def plain(text: str, *_: object, **__: object) -> str:
    return text


def full_profile(**changes: Any) -> DataProfile:
    spread = Spread(p50=1, p95=2, max=3, total=4, bins=(1, 0, 900, 0, 1))
    tokens = TokenStats(
        model="m", renderer="r", max_seq_len=10, measured="sample", rows_measured=7, row=spread, completion=spread,
        truncated_rows=3, first_truncated=5, empty_mask_rows=1, first_empty_mask=6, refused_rows=2, first_refused=7,
        refusal=f"no{ESCAPES}way",
    )  # fmt: skip
    values: dict[str, Any] = {
        "path": Path(f"a{ESCAPES}b.jsonl"), "sha256": "0", "size_bytes": 12_345, "container": "jsonl",
        "compression": "gz", "kind": "chat", "kinds": ("chat", "prompt"), "rows": 10, "turns": spread,
        "fields": FieldMap(data_format="input_output", input_field=f"in{ESCAPES}", output_field="out"),
        "columns": (f"in{ESCAPES}", "out"), "prompt_chars": spread, "answer_chars": spread, "distinct_answers": 1_000,
        "has_system": True, "has_tools": True, "has_thinking": True, "multi_turn_rows": 1, "tokens": tokens,
        "languages": {f"English{ESCAPES}": 0.5}, "sensitive": {"card number": 1}, "notes": (f"note{ESCAPES}",),
        "anomalies": (Anomaly(code="x", what=f"odd{ESCAPES}", count=2, first_line=9, fix=f"fix{ESCAPES}"),),
    }  # fmt: skip
    return DataProfile(**(values | changes))


def test_every_measurement_is_in_the_report_and_no_escape_is() -> None:
    text = "\n".join(profile_lines(full_profile(), plain))
    for expected in (
        "12 kB, JSONL in gz, UTF-8",
        "7 evenly spaced rows, scaled up",
        "3 rows (30.0%) longer than 10 tokens and cut; first ab.jsonl:5",
        "without a token that carries loss",
        "2 rows (20.0%) refused: noway; first ab.jsonl:7",
        "1 row with what looks like: card number",
        "2 rows: odd; first ab.jsonl:9",
        "system prompts, tools, thinking, several user turns in 1 row",
        "1,000 or more different",
        "▁ █ ▁",
    ):
        assert expected in text
    assert not set(text) & set(ESCAPES[:1] + "\x07\u202e")


def test_a_file_that_is_of_no_use_says_so_shortly() -> None:
    nothing = full_profile(rows=0, kind=None, kinds=(), bad_rows=1, turns=None, prompt_chars=None, tokens=None)
    text = "\n".join(profile_lines(nothing, plain))
    assert "nothing that can be used" in text
    assert "the file cannot be used" in text
    assert "PER ROW" not in text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (81_000_000, "81 MB"), (2e9, "2.0 GB")]
)
def test_sizes_are_short(size: float, text: str) -> None:
    assert bytes_text(int(size)) == text


def marked(text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    return f"<{colour or ('dim' if dim else '')}>{text}</>"


def test_a_preview_marks_loss_cut_and_hidden_characters_with_and_without_colour() -> None:
    tokens = (("a", False, False), ("\x1b[31m", False, False), ("b\n", True, False), ("c", True, True))
    preview = RowPreview(
        path=f"x{ESCAPES}", row=1, line=2, model="m", renderer="r", template="differs", side="chosen",
        tokens=tuple(PreviewToken(id=1, text=text, trained=trained, cut=cut) for text, trained, cut in tokens),
        differences=(TemplateDifference(rendered="\x1b[31mours", template="theirs\n"),),
    )  # fmt: skip
    bare = "\n".join(preview_lines(preview, plain, colours=False))
    assert "a·\\x1b[31m[[b⏎\n]]\n~~ cut here ~~\n[[c]]" in bare
    assert "4 tokens, 1 carry loss, 1 are cut" in bare
    assert 'renderer "\\x1b[31mours"' in bare
    assert 'template "theirs\\n"' in bare
    assert "\x1b" not in bare
    coloured = "\n".join(preview_lines(preview, marked, colours=True))
    assert "<dim>a·\\x1b[31m</><green>b⏎</>" in coloured
    assert "[[" not in coloured


def test_a_mix_says_what_it_took_of_each_file_and_how_often(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, count in (("large.jsonl", 100), ("small.jsonl", 10)):
        rows = ({"input": f"{name} {n}", "output": "yes"} for n in range(count))
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    large, small = tmp_path / "large.jsonl", tmp_path / "small.jsonl"
    told = result(console, capsys, "mix", f"{large}:1", small, "-o", tmp_path / "mix.jsonl", "--rows", 100)
    assert "50 rows, 50.0%, of 100  " in told
    assert "50 rows, 50.0%, of 10, each 5 times" in told
    assert "learned by heart" in told
    told = result(console, capsys, "mix", large, small, "-o", tmp_path / "other.jsonl", "--output", "json")
    assert [source["taken"] for source in json.loads(told)["sources"]] == [55, 55]

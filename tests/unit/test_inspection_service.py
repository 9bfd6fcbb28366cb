"""Data files inspected in a helper process: results, errors, progress, what is kept, and a helper that fails."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue, TypeAdapter

from tcao_tui import paths
from tcao_tui.data.jobs import Answer, Done, Failed, InspectJob
from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.errors import BackendError, PlanInvalid, Refused, TcaoError, error_of
from tcao_tui.probes.data import main
from tcao_tui.services import inspection
from tcao_tui.services.data_helper import AnyJob, OnProgress, run_job
from tests.fakes.data_files import sentence, write_rows

KEY = "tml-" + "a1" * 20


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TCAO_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    assert KEY not in "".join(path.read_text() for path in tmp_path.rglob("*.json"))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    content = [{"input": f"{sentence(number)} {KEY}", "output": f"{number}"} for number in range(20)]
    return write_rows(tmp_path / "rows.jsonl", content)


def model(name: str, tokenizer: str = "") -> ModelInfo:
    return ModelInfo(name=name, tokenizer=tokenizer, price=PriceQuote(backend="local", source="test"))


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are carried out by the helper's own `main`, but in this process, which has its imports paid."""

    def here(job: AnyJob, on_progress: OnProgress | None = None) -> JsonValue:
        reply = io.BytesIO()
        main(io.BytesIO(job.model_dump_json().encode()), reply)
        match TypeAdapter[Answer](Answer).validate_json(reply.getvalue().splitlines()[-1]):
            case Done(result=result):
                return result
            case Failed() as failed:
                raise error_of(failed.exit_code, failed.what, where=failed.where, next_step=failed.next_step)
            case other:
                raise AssertionError(other)

    monkeypatch.setattr(inspection, "run_job", here)


def spawned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the helpers that are started from now on."""
    started: list[str] = []
    popen = subprocess.Popen

    def note(command: list[str], **options: object) -> object:
        started.append(command[-1])
        return popen(command, **options)

    monkeypatch.setattr(subprocess, "Popen", note)
    return started


def test_a_profile_is_kept_for_the_same_file_read_the_same_way(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = spawned(monkeypatch)
    first = inspection.inspect(rows)
    assert (first.rows, first.sensitive) == (20, {"Tinker key": 20})
    assert "no model" in first.tokens_why_not
    assert inspection.inspect(rows) == first
    assert len(started) == 1
    inspection.inspect(rows, fields=FieldMap(data_format="input_output"))
    assert len(started) == 2
    write_rows(rows, [{"input": "a", "output": "b"}])
    assert inspection.inspect(rows).rows == 1
    assert len(started) == 3


@pytest.mark.usefixtures("in_process")
def test_a_damaged_or_foreign_record_is_measured_anew(rows: Path, cache: Path) -> None:
    first = inspection.inspect(rows)
    (kept,) = (cache / "profiles").iterdir()
    for damage in ("", "{}", kept.read_text()[:-9], '{"path": 1}'):
        kept.write_text(damage)
        assert inspection.inspect(rows).sha256 == first.sha256


@pytest.mark.usefixtures("in_process")
def test_profiles_are_private_and_only_the_newest_stay(
    rows: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "_PROFILES_KEPT", 2)
    for length in (10, 20, 30):
        inspection.inspect(rows, max_seq_len=length)
    kept = list((cache / "profiles").iterdir())
    assert len(kept) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)


@pytest.mark.usefixtures("in_process")
def test_a_cache_that_cannot_be_written_only_costs_time(rows: Path, cache: Path) -> None:
    cache.write_text("a file is in the way")
    assert inspection.inspect(rows).rows == 20


@pytest.mark.usefixtures("in_process")
def test_tokens_are_counted_by_the_model_and_kept_apart_by_length(rows: Path) -> None:
    short, long = (inspection.inspect(rows, model=model(paths.TINY_MODEL_NAME), max_seq_len=n) for n in (20, 4096))
    assert short.tokens is not None
    assert long.tokens is not None
    assert (short.tokens.truncated_rows, long.tokens.truncated_rows) == (20, 0)
    assert long.tokens.renderer == "qwen3_instruct"


def test_a_tokenizer_that_cannot_be_had_leaves_the_rest_of_the_profile_and_is_asked_for_again(
    rows: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(cache / "hugging-face"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    profile = inspection.inspect(rows, model=model("Qwen/Qwen3-8B"))
    assert profile.tokens is None
    assert "the hub does not answer" in profile.tokens_why_not
    assert profile.rows == 20
    assert not (cache / "profiles").exists()
    with pytest.raises(PlanInvalid, match="the hub does not answer"):
        inspection.preview(rows, 1, model=model("Qwen/Qwen3-8B"))


@pytest.mark.usefixtures("in_process")
def test_a_model_without_a_known_renderer_says_which_setting_helps(rows: Path) -> None:
    unknown = model("nobody/knows-this", str(paths.TINY_MODEL))
    profile = inspection.inspect(rows, model=unknown)
    assert profile.tokens is None
    assert "renderer_name" in profile.tokens_why_not
    named = inspection.inspect(rows, model=unknown, renderer="role_colon")
    assert named.tokens is not None
    with pytest.raises(PlanInvalid, match="nonsense"):
        inspection.inspect(rows, model=unknown, renderer="nonsense")


@pytest.mark.usefixtures("in_process")
def test_a_row_is_previewed(rows: Path) -> None:
    preview = inspection.preview(rows, 3, model=model(paths.TINY_MODEL_NAME))
    assert (preview.row, preview.line, preview.template) == (3, 3, "same")
    with pytest.raises(PlanInvalid, match="there is no row 21"):
        inspection.preview(rows, 21, model=model(paths.TINY_MODEL_NAME))


@pytest.mark.usefixtures("in_process")
def test_files_are_split_and_compared(rows: Path, tmp_path: Path) -> None:
    split = inspection.split(rows, tmp_path / "into", validation=5, test=0)
    assert split.validation is not None
    assert inspection.overlap(split.train, split.validation).exact == 0
    assert inspection.overlap(rows, split.validation).exact == 5
    with pytest.raises(Refused, match="itself"):
        inspection.split(split.train, tmp_path / "into", validation=5, test=0)


def test_a_folder_that_cannot_be_written_is_an_error_with_its_place(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TcaoError, match="cannot be read or written") as caught:
        inspection.split(rows, tmp_path / "file" / "into", validation=5, test=0)
    assert "into" in caught.value.where


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_is_no_file_is_refused_without_a_helper(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, path = spawned(monkeypatch), tmp_path / name
    with pytest.raises(PlanInvalid):
        inspection.inspect(path)
    with pytest.raises(PlanInvalid):
        inspection.preview(path, 1, model=model(paths.TINY_MODEL_NAME))
    with pytest.raises(PlanInvalid):
        inspection.overlap(path, path)
    with pytest.raises(PlanInvalid):
        inspection.split(path, tmp_path / "into", validation=1, test=0)
    assert not started


def helper(tmp_path: Path, program: str) -> tuple[str, ...]:
    """A helper that keeps its process id, reads its job and then does something else."""
    text = f"import os, sys, time, json\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    return (sys.executable, "-c", f"{text}job = sys.stdin.read()\n{program}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


PROGRESS = 'print(\'{"kind": "progress", "done": 1, "total": 2}\', flush=True)\n'


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("sys.exit(3)", "ended with exit code 3"),
        ("os.kill(os.getpid(), 9)", "killed by signal 9"),
        ("print('hello')", "does not speak our language"),
        ("print(json.dumps({'kind': 'crashed', 'what': 'KeyError in x.py, line 1'}))", "KeyError in x.py, line 1"),
        (f"{PROGRESS}time.sleep(60)", "said nothing"),
        ("sys.stdout.write('{\"kind\": '); sys.stdout.flush(); time.sleep(60)", "said nothing"),
    ],
)
def test_a_helper_that_fails_is_an_error_with_a_next_step_and_does_not_live_on(
    tmp_path: Path, program: str, told: str
) -> None:
    with pytest.raises(BackendError, match=told) as caught:
        run_job(InspectJob(path=tmp_path), command=helper(tmp_path, program), silence_seconds=1)
    assert caught.value.next_step
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_progress_is_handed_on_and_the_helper_gets_the_job_and_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    program = f"{PROGRESS}print(json.dumps({{'kind': 'done', 'result': [json.loads(job), dict(os.environ)]}}))"
    told: list[tuple[int, int]] = []
    result = run_job(
        InspectJob(path=Path("x\ny.jsonl")), lambda *both: told.append(both), command=helper(tmp_path, program)
    )
    assert told == [(1, 2)]
    assert '"path": "x\\ny.jsonl"' in json.dumps(result)
    assert KEY not in json.dumps(result)


def test_what_progress_raises_ends_the_helper(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(InspectJob(path=tmp_path), stop, command=helper(tmp_path, f"{PROGRESS}time.sleep(60)"))
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_large_answer_arrives_whole(tmp_path: Path) -> None:
    program = "print(json.dumps({'kind': 'done', 'result': 'x' * 5_000_000}))"
    assert run_job(InspectJob(path=tmp_path), command=helper(tmp_path, program)) == "x" * 5_000_000


@pytest.mark.parametrize("code", [1, 3, 8, 99])
def test_errors_keep_their_kind_place_and_next_step(tmp_path: Path, code: int) -> None:
    failed = {"kind": "failed", "exit_code": code, "what": "w", "where": "here", "next_step": "n"}
    with pytest.raises(TcaoError) as caught:
        run_job(InspectJob(path=tmp_path), command=helper(tmp_path, f"print(json.dumps({failed!r}))"))
    error = caught.value
    assert (error.what, error.where, error.next_step) == ("w", "here", "n")
    assert error.exit_code == (code if code < 99 else 1)


def test_a_fault_of_ours_tells_its_place_and_nothing_of_the_data(rows: Path) -> None:
    request = json.dumps({"do": "inspect", "path": str(rows), "max_seq_len": KEY})
    done = subprocess.run(
        [sys.executable, "-m", "tcao_tui.probes.data"], input=request, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["kind"] == "crashed"
    assert "data.py" in done.stdout
    assert KEY not in done.stdout + done.stderr

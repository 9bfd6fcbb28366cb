"""The scripts that go with a plan, on a real engine: they train, resume, grade and benchmark as the console does."""

from __future__ import annotations

import asyncio
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from tcao_tui.clients.prices import price_quote
from tcao_tui.clients.tinker_sdk import connect
from tcao_tui.domain.events import Scored
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import BenchmarkSpec, EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.planning import sheet_of
from tcao_tui.methods import METHODS
from tcao_tui.paths import TINY_MODEL_NAME, templates_dir
from tcao_tui.planner.artefacts.write import write_artefacts
from tcao_tui.store.plan_file import read_plan
from tests.fakes.engine_process import EngineProcess
from tests.fakes.recording_context import RecordingContext

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STEPS, SAVE_EVERY, SCORED = 24, 8, 20
TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes

@task
def small_talk():
    asked = {"What colour is grass?": "green", "Which day comes after Monday?": "Tuesday", "Hello!": "never taken"}
    samples = [Sample(input=text, target=answer) for text, answer in asked.items()]
    return Task(dataset=MemoryDataset(samples, name="small_talk"), scorer=includes())
"""


def make_plan(task: Path) -> Plan:
    demo = read_plan(templates_dir() / "demo-plan.yaml")
    changes = {"num_steps": STEPS, "save_every": SAVE_EVERY, "eval_every": 12, "renderer_name": "qwen3_instruct"}
    changes |= {"train_batch_size": 16, "learning_rate": 0.003}
    score = ScoreSpec(file=templates_dir() / "demo" / "test.jsonl", grader="json", max_rows=SCORED, max_tokens=48)
    benchmark = BenchmarkSpec(name=f"{task}@small_talk", limit=2)
    return demo.model_copy(
        update={
            "training": demo.training.model_copy(update=changes),
            "evals": EvalPlan(score=score, benchmarks=(benchmark,)),
        }
    )


class Scripts:
    """The files of a plan and the environment in which its owner runs them."""

    def __init__(self, directory: Path, engine: EngineProcess) -> None:
        self.directory = directory
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TINKER_", "TCAO_", "PYTHONPATH"))}
        self.environ = kept | {
            "TINKER_BASE_URL": engine.url,
            "TINKER_API_KEY": engine.key,
            "TINKER_TELEMETRY": "0",
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
            "PYTHON": sys.executable,
        }
        task = directory / "task.py"
        task.write_text(TASK)
        self.plan = make_plan(task)
        write_artefacts(directory, self.plan, sheet_of({}, Facts()), Facts())

    def command(self, name: str, *arguments: str) -> list[str]:
        script = str(self.directory / "scripts" / name)
        return [script, *arguments] if name.endswith(".sh") else [sys.executable, script, *arguments]

    def run(self, name: str, *arguments: str, **environ: str) -> str:
        done = subprocess.run(
            self.command(name, *arguments),
            cwd=self.directory,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / "sl_trainer" / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def scripts(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    return Scripts(tmp_path_factory.mktemp("plan"), engine)


@pytest.fixture(scope="module")
def model_path(scripts: Scripts) -> str:
    """A training that was ended after its first checkpoint and then resumed to the end."""
    training = subprocess.Popen(
        scripts.command("sl_trainer.py"), env=scripts.environ, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert training.stderr is not None
    seen = next((line for line in training.stderr if line.startswith("saved ")), "")
    training.send_signal(signal.SIGTERM)
    training.communicate()
    assert seen
    assert training.returncode == 130
    assert len(scripts.rows("metrics.jsonl")) < STEPS
    return scripts.run("sl_trainer.py").strip().removeprefix("MODEL_PATH=")


@pytest.fixture(scope="module")
def console(scripts: Scripts, engine: EngineProcess) -> RecordingContext:
    """The console's own run of the same plan."""

    async def carry_out() -> RecordingContext:
        backend = await connect(
            base_url=engine.url,
            api_key=engine.key,
            quote=price_quote("engine", engine.url, TINY_MODEL_NAME),
            run_metadata={"tcao_run": "same-plan"},
            on_waiting=lambda reason, over, detail: None,
        )
        context = RecordingContext(scripts.plan, backend)
        try:
            await METHODS.load("sft")(context)
        finally:
            await backend.close("success")
        return context

    return asyncio.run(carry_out())


def test_the_trainer_resumes_exactly_and_learns_what_the_console_learns(
    scripts: Scripts, model_path: str, console: RecordingContext
) -> None:
    assert model_path.startswith("tinker://")
    metrics = scripts.rows("metrics.jsonl")
    assert [row["step"] for row in metrics] == list(range(STEPS + 1))
    for key in ("train_mean_nll", "val_mean_nll"):
        ours = {row["step"]: row[key] for row in metrics if key in row}
        assert ours == pytest.approx(console.series(key), abs=1e-3)
    assert metrics[-1]["train_mean_nll"] < metrics[1]["train_mean_nll"] / 10


def test_checkpoints_have_names_of_their_own_and_the_last_is_final(scripts: Scripts, model_path: str) -> None:
    saved = scripts.rows("checkpoints.jsonl")
    assert [row["step"] for row in saved] == list(range(SAVE_EVERY, STEPS + 1, SAVE_EVERY))
    assert len({row["state_path"] for row in saved} | {row["sampler_path"] for row in saved}) == 2 * len(saved)
    assert [row["final"] for row in saved] == [False] * (len(saved) - 1) + [True]
    assert saved[-1]["sampler_path"] == model_path


def test_a_finished_training_is_not_trained_again(scripts: Scripts, model_path: str) -> None:
    before = scripts.rows("metrics.jsonl")
    assert scripts.run("sl_trainer.py").strip() == f"MODEL_PATH={model_path}"
    assert scripts.rows("metrics.jsonl") == before


def test_the_eval_gives_the_consoles_score_of_the_base_model_and_of_the_trained_one(
    scripts: Scripts, model_path: str, console: RecordingContext
) -> None:
    scored = [event for event in console.events if isinstance(event, Scored)]
    base = json.loads(scripts.run("eval_offline.py"))
    trained = json.loads(scripts.run("eval_offline.py", "--answers", "answers.jsonl", MODEL_PATH=model_path))
    assert [base["correct"], trained["correct"]] == [event.correct for event in scored]
    assert [base["model"], trained["model"]] == [TINY_MODEL_NAME, model_path]
    assert (trained["n"], trained["unscored"], trained["grader"]) == (SCORED, 0, "json")
    assert trained["score"] == trained["correct"] / SCORED > base["score"]
    low, high = trained["wilson_95"]
    assert 0 <= low < trained["score"] < high <= 1
    answers = [json.loads(line) for line in (scripts.directory / "answers.jsonl").read_text().splitlines()]
    assert [answer["grade"] for answer in answers].count(True) == trained["correct"]
    assert {"prompt", "answer", "reference", "grade", "truncated"} == set(answers[0])


def test_the_inspect_wrapper_draws_the_same_samples_with_tcao_and_without(scripts: Scripts, model_path: str) -> None:
    without = scripts.directory / "without_tcao"
    without.write_text(
        f'#!/bin/sh\ncase "$*" in *\'find_spec("tcao_tui")\'*) exit 1;; esac\nexec {sys.executable} "$@"\n'
    )
    without.chmod(0o700)
    drawn: list[list[Any]] = []
    for python, weights in ((sys.executable, model_path), (str(without), model_path)):
        logs = scripts.directory / f"logs-{len(drawn)}"
        options = {"PYTHON": python, "TEMPERATURE": "0", "MAX_TOKENS": "32", "LOG_DIR": str(logs), "SEED": "2"}
        told = scripts.run("run_inspect_evals.sh", MODEL_PATH=weights, XDG_DATA_HOME=str(logs / "x"), **options)
        assert re.search(r"small_talk: success, 2 of 2 samples  includes accuracy [01]\.", told), told
        [log] = map(read_eval_log, map(str, logs.glob("*.eval")))
        drawn.append([sample.input for sample in log.samples or ()])
        assert (log.eval.metadata or {})["weights"] == model_path
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("name", ["sl_trainer.py", "eval_offline.py"])
def test_each_script_explains_itself(
    scripts: Scripts, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = scripts.directory / "scripts" / name
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    monkeypatch.syspath_prepend(str(script.parent))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    for sibling in ("answers", "grader", "plan"):
        sys.modules.pop(sibling, None)
    assert ended.value.code == 0
    assert "TINKER_API_KEY" in capsys.readouterr().out

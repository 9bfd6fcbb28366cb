"""Layer 3 of a plan as tasks: what they ask, what their scores mean, which of them only guard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.application_evals import ApplicationEval
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec, Success
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.services.own_tasks import own_tasks
from tcao_tui.services.plans import changed_data
from tests.fakes.plans import resolve

TASK = "from inspect_ai import task\n"


def rows(path: Path, *answers: str) -> Path:
    path.write_text("".join(json.dumps({"input": "a", "output": answer}) + "\n" for answer in answers))
    return path


def plan_of(folder: Path, *evals: ApplicationEval, **success: Any) -> Plan:
    folder.mkdir(exist_ok=True)
    training = TrainingConfig(
        base_model="m", run_name="r", train_file=rows(folder / "train.jsonl", "x"), learning_rate=1e-4, seed=7
    )
    score = ScoreSpec(file=rows(folder / "score.jsonl", "1", "2"), grader="numeric:0.01", max_rows=2, max_tokens=9)
    return resolve(Plan(training=training, evals=EvalPlan(score=score, application=evals), success=Success(**success)))


def task_named(plan: Plan, name: str) -> EvalTask:
    return next(task for task in own_tasks(plan) if task.name == name)


def test_the_score_is_asked_as_in_training_and_decides(tmp_path: Path) -> None:
    [score] = own_tasks(plan_of(tmp_path))
    assert (score.name, score.layer, score.target, score.is_guardrail) == ("score", 3, "tcao_tui/rows", False)
    assert score.arguments == {"grader": "numeric:0.01", "max_rows": 2}
    assert score.files == {"file": str(tmp_path / "score.jsonl")}
    assert score.generate == {"temperature": 0.0, "max_tokens": 9}


def test_rows_that_moved_are_the_same_task_and_changed_ones_are_another(tmp_path: Path) -> None:
    here, there = plan_of(tmp_path / "here"), plan_of(tmp_path / "there")
    assert own_tasks(here)[0].identity == own_tasks(there)[0].identity
    rows(tmp_path / "there" / "score.jsonl", "1", "3")
    assert own_tasks(here)[0].identity != own_tasks(resolve(there))[0].identity


def test_rows_that_are_not_those_that_were_approved_are_refused(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    rows(tmp_path / "score.jsonl", "9")
    with pytest.raises(PlanInvalid, match="not what was approved") as caught:
        own_tasks(plan)
    assert "evals.score.file" in caught.value.where


def test_what_success_names_comes_first_and_what_must_not_get_worse_only_guards(tmp_path: Path) -> None:
    folder = tmp_path
    style = ApplicationEval(name="style", file=rows(folder / "style.jsonl", "b"), grader="includes")
    plan = plan_of(folder, style, metric="style", must_not_regress=("score", "style"))
    assert [(task.name, task.is_guardrail) for task in own_tasks(plan)] == [("style", False), ("score", True)]


def test_each_kind_of_eval_becomes_a_task_of_its_harness(tmp_path: Path) -> None:
    (tmp_path / "own_task.py").write_text(TASK)
    judged = ApplicationEval(
        name="tone",
        file=rows(tmp_path / "tone.jsonl", "a", "b"),
        grader="pairwise",
        judge="anthropic/claude-x",
        rubric="Be kind.",
        opponents=rows(tmp_path / "base.jsonl", "c", "d"),
        max_rows=1,
    )
    inspect = ApplicationEval(
        name="own", kind="inspect", file=tmp_path / "own_task.py", entry="ours", arguments={"level": 2}, max_rows=None
    )
    python = ApplicationEval(
        name="evaluator", kind="python", entry="tests.fakes.own_grader:Nothing", lower_is_better=True
    )
    plan = plan_of(tmp_path, judged, inspect, python)
    tone = task_named(plan, "tone")
    assert (tone.judge, tone.limit, tone.seed) == ("anthropic/claude-x", 1, 7)
    assert tone.arguments == {"grader": "pairwise", "rubric": "Be kind."}
    assert tone.files == {"file": str(tmp_path / "tone.jsonl"), "opponents": str(tmp_path / "base.jsonl")}
    own = task_named(plan, "own")
    assert (own.harness, own.target, own.limit) == ("inspect", f"{tmp_path / 'own_task.py'}@ours", None)
    assert (own.arguments, own.generate) == ({"level": 2}, {})
    evaluator = task_named(plan, "evaluator")
    assert (evaluator.harness, evaluator.target) == ("python", "tests.fakes.own_grader:Nothing")
    assert not evaluator.higher_is_better
    assert len({task.content for task in own_tasks(plan)}) == 4


@pytest.mark.parametrize("name", ["tone.jsonl", "base.jsonl", "own_task.py"])
def test_an_approval_covers_every_file_of_the_evals(name: str, tmp_path: Path) -> None:
    (tmp_path / "own_task.py").write_text(TASK)
    judged = ApplicationEval(
        name="tone",
        file=rows(tmp_path / "tone.jsonl", "a"),
        grader="pairwise",
        judge="anthropic/claude-x",
        opponents=rows(tmp_path / "base.jsonl", "c"),
    )
    inspect = ApplicationEval(name="own", kind="inspect", file=tmp_path / "own_task.py", entry="ours")
    plan = plan_of(tmp_path, judged, inspect)
    assert changed_data(plan) == []
    before = plan.canonical()
    assert str(tmp_path) not in json.dumps(before["evals"])
    (tmp_path / name).write_text(TASK + "\n" if name.endswith(".py") else '{"input": "a", "output": "z"}\n')
    assert len(changed_data(plan)) == 1
    assert resolve(plan).canonical() != before


def test_a_plan_without_them_is_known_by_the_hash_that_it_always_had(tmp_path: Path) -> None:
    plain = plan_of(tmp_path).canonical()
    assert "application" not in plain["evals"]
    assert not {"application_files", "opponent_files"} & plain["data"].keys()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"kind": "rows"}, "without a file"),
        ({"kind": "inspect", "file": "a.py"}, "without an entry"),
        ({"kind": "python", "entry": "module"}, "names no class"),
        ({"file": "a", "grader": "model"}, "without a judge"),
        ({"file": "a", "opponents": "b"}, "opponents with grader exact"),
        ({"file": "a", "epochs": 3}, "epochs of greedy answers"),
    ],
)
def test_an_eval_that_cannot_work_is_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ApplicationEval.model_validate({"name": "x", **values})

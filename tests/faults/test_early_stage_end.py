"""A stage that early stopping ends, with the real worker, SDK and engine, killed at its side effects.

The stage ends at the same step however often the worker dies, its weights are those of a run that nobody killed, its
score is taken, and the next stage is counted and trained as planned.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.training_events import Alert, StageEnded
from tcao_tui.domain.watch_plan import EarlyStopping, WatchPlan
from tcao_tui.services.verify import verify
from tests.fakes.plans import resolve
from tests.fakes.real_lab import RealLab, preference_rows, real_lab, sft_rows

pytestmark = pytest.mark.timeout(3600)

STEPS, END = 4, 2
TRAINED = [1, 2, 5, 6, 7, 8]
"""The first stage plans steps 1 to 4 and is enough after two evals that are no better than the base model's."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    with real_lab(tmp_path_factory.mktemp("early") / "lab") as found:
        yield found


def plan_of(lab: RealLab) -> Plan:
    pairs = {
        "training.train_file": str(lab.file("pairs.jsonl", preference_rows(8))),
        "training.val_file": None,
        "watch.early_stopping": None,
        "evals.score": None,
    }
    plan = lab.real_plan("pipeline", num_steps=STEPS, eval_every=1, save_every=1)
    training = plan.training.model_copy(update={"val_file": lab.file("held-out.jsonl", sft_rows(12, first=9))})
    score = ScoreSpec(file=lab.file("scored.jsonl", sft_rows(15, first=13)), max_tokens=3)
    patience = EarlyStopping(patience=END, min_delta=1e9)
    changes = {
        "training": training,
        "evals": EvalPlan(score=score),
        "watch": WatchPlan(early_stopping=patience),
        "stages": (Stage(name="first", method="sft", choose="final"), Stage(name="second", method="dpo", set=pairs)),
    }
    return resolve(plan.model_copy(update=changes))


def losses(lab: RealLab, run_id: str) -> list[float]:
    series = lab.view(run_id).series["loss:sum"]
    assert list(series.steps) == TRAINED
    return list(series.values)


def check(lab: RealLab, run_id: str, clean: list[float]) -> None:
    view = lab.view(run_id)
    assert view.status == "completed", lab.log(run_id)
    assert losses(lab, run_id) == pytest.approx(clean, abs=1e-4)
    assert [(ended.step, ended.last_step) for ended in view.marks.ended.values()] == [(END, STEPS)]
    assert {score.step for score in view.scores} == {0, END}
    [alert] = [stored.event for stored in view.events if isinstance(stored.event, Alert)]
    assert (alert.rule, alert.step) == ("early_stopping", END)
    [result] = [record for record in view.checkpoints if record.reason == "stage"]
    assert result.step == lab.adam_steps(result.state_path) == END
    report = verify(lab.store, run_id, runs_root=lab.root, remote=lab.listed(run_id))
    assert report.ok, report.checks
    lineage = next(found for found in report.checks if found.name == "lineage")
    assert "stage first ended early at step 2 of 4" in lineage.evidence


def points(lab: RealLab) -> tuple[list[str], list[float]]:
    """Side effects of a run that nobody killed, and its losses."""
    run_id, names = lab.undisturbed(plan_of(lab))
    clean = losses(lab, run_id)
    check(lab, run_id, clean)
    assert sum(isinstance(stored.event, StageEnded) for stored in lab.view(run_id).events) == 1
    return names, clean


def die(lab: RealLab, number: int, clean: list[float]) -> None:
    run_id = lab.create_real(plan_of(lab))
    assert lab.attempt(run_id, TCAO_CRASH_AT=number) == -signal.SIGKILL, (number, lab.log(run_id))
    assert lab.attempt(run_id) == 0, (number, lab.log(run_id))
    check(lab, run_id, clean)


def test_a_stage_ends_early_and_the_run_goes_on_also_after_a_death_before_its_result_is_recorded(lab: RealLab) -> None:
    names, clean = points(lab)
    saves = [number for number, name in enumerate(names, start=1) if name == "remote.save"]
    # The second save is the stage's result, and the worker dies between it and its record.
    die(lab, saves[1] + 1, clean)


@pytest.mark.slow
def test_a_stage_ends_at_the_same_step_wherever_the_worker_dies(lab: RealLab) -> None:
    names, clean = points(lab)
    for number in (n for n, name in enumerate(names, start=1) if name != "mirror.write"):
        die(lab, number, clean)

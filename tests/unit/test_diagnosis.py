from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tcao_tui.domain.diagnosis import Diagnosis, diagnose
from tcao_tui.domain.events import DataLoaded, Finished, MetricRow, PhaseChanged, RunEvent, Scored, StoredEvent, Waiting
from tcao_tui.domain.plan import Budget, Plan
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.domain.training_events import Alert, PilotEnded, SettingChanged
from tcao_tui.services.diagnosis import diagnose_run
from tcao_tui.store.memory import MemoryStore
from tests.fakes.run_records import record_resumed_run
from tests.fakes.views import ALIVE, DEAD, RUN_ID, STARTED_AT, a_summary

NOW = STARTED_AT + 600


def view_of(
    *events: RunEvent, losses: list[float] | None = None, alive: bool = True, method: str = "sft", **more: float
) -> RunView:
    """A run whose events lie ten seconds apart, and which trained one step per loss."""
    state = RunState(a_summary(method=method, total_steps=80))
    started: list[RunEvent] = [PhaseChanged(phase="training")]
    for number, event in enumerate([*started, *events]):
        state.apply(StoredEvent(seq=number, run_id=RUN_ID, attempt=1, at=STARTED_AT + 10 * number, event=event))
    key = "dpo_loss" if method == "dpo" else "train_mean_nll"
    for step, loss in enumerate(losses or [], 1):
        state.apply_metrics(
            MetricRow(attempt=1, step=step, at=STARTED_AT + step, epoch=0, batch=step - 1, values={key: loss, **more})
        )
    return state.view(ALIVE if alive else DEAD, now=NOW)


def validated(view: RunView, values: dict[int, float], key: str = "val_mean_nll") -> RunView:
    state = RunState(a_summary())
    for step, value in values.items():
        state.apply_metrics(MetricRow(attempt=1, step=step, at=STARTED_AT, values={key: value}))
    return replace(view, series={**view.series, **state.series})


def told(view: RunView, *, plan: Plan | None = None) -> Diagnosis:
    return diagnose(view, now=NOW, plan=plan)


def whats(view: RunView) -> list[str]:
    return [finding.what for finding in told(view).findings]


FALLING = [2.0 - step / 20 for step in range(20)]


@pytest.mark.parametrize(
    ("view", "says", "command"),
    [
        (view_of(losses=FALLING), "It is training at step 20 of 80", "tcao watch"),
        (
            view_of(PhaseChanged(phase="paused", detail="loss explosion: 50 at step 20"), losses=FALLING),
            "It is paused at step 20 of 80, for 9m50s: loss explosion: 50 at step 20. It waits for a person.",
            "tcao resume",
        ),
        (
            view_of(Waiting(reason="rate_limit", since=NOW - 125, detail="429"), losses=FALLING),
            "It waits at step 20 of 80 for the server, for 2m05s: rate limit (429). It goes on by itself",
            "tcao watch",
        ),
        (view_of(losses=FALLING, alive=False), "Its worker is gone for about 31s; it stood at step 20", "tcao resume"),
        (
            view_of(Finished(outcome="failed", exit_code=7, what="the server said no"), losses=FALLING, alive=False),
            "It ended as failed at step 20 of 80, 9m40s ago: the server said no.",
            "tcao resume",
        ),
        (
            view_of(Finished(outcome="completed", exit_code=0), losses=FALLING, alive=False),
            "It completed all 80 steps",
            "tcao show",
        ),
        (
            view_of(Finished(outcome="budget", exit_code=6, what="the cap on cost was reached"), alive=False),
            "It ended as budget at step 0 of 80",
            "tcao show",
        ),
    ],
    ids=lambda case: str(getattr(case, "status", "")),
)
def test_the_state_is_told_in_words_with_since_when_and_what_to_type(view: RunView, says: str, command: str) -> None:
    found = told(view)
    assert says in found.state
    assert found.next_commands[0].startswith(command)


def test_a_healthy_run_has_numbers_and_nothing_that_stands_out() -> None:
    found = told(view_of(losses=FALLING))
    assert found.findings == ()
    assert "loss 2 at step 1, 1.05 at step 20" in found.facts


def test_what_stands_out_comes_with_numbers_and_what_to_do_the_gravest_first() -> None:
    view = view_of(
        DataLoaded(train_rows=100, val_rows=0, batches_per_epoch=9, train_tokens=1, loss_tokens=1, truncated_rows=7),
        Scored(step=0, name="exact", correct=50, total=100),
        Scored(step=20, name="exact", correct=48, total=100),
        losses=[2.0] * 20,
    )
    view = validated(view, {0: 2.0, 10: 1.5, 20: 1.9})
    assert whats(view) == [
        "training loss does not fall",
        "it learns the rows by heart",
        "the score did not rise",
        "rows are cut",
    ]
    assert "7 of 100 rows (7.0%)" in told(view).findings[-1].evidence


def test_answers_that_nobody_could_grade_are_no_score_of_zero() -> None:
    view = view_of(*(Scored(step=step, name="numeric", correct=0, total=0, unscored=4) for step in (0, 20)))
    assert whats(view) == ["no answer could be graded"]


def test_an_alert_is_told_once_with_its_suggestion_and_the_checkpoint_to_go_back_to() -> None:
    alert = Alert(
        rule="not_finite",
        severity="critical",
        step=15,
        since=15,
        evidence="train_mean_nll is nan at step 15",
        suggestion="training.learning_rate: 1e-04",
        action="stop",
    )
    losses = [*FALLING[:14], float("nan"), float("nan")]
    [finding] = told(view_of(alert, losses=losses)).findings
    assert (finding.what, finding.evidence) == ("not finite at step 15 (critical)", alert.evidence)
    assert finding.do == "training.learning_rate: 1e-04"
    assert "the loss broke" in whats(view_of(losses=losses))


def test_a_pilot_that_did_not_pass_says_what_to_change() -> None:
    view = view_of(PilotEnded(step=10, passed=False, findings=("9% of rows are cut: training.max_seq_len: 8192",)))
    [finding] = told(view).findings
    assert (finding.evidence, finding.do) == ("9% of rows are cut", "training.max_seq_len: 8192")


def test_changes_of_a_person_are_facts() -> None:
    change = SettingChanged(step=12, key="learning_rate", old=1e-3, value=1e-4, by="ann")
    assert "learning_rate was changed to 0.0001 from step 12 on, by ann" in told(view_of(change)).facts


def test_a_budget_that_will_not_last_is_told_before_it_is_spent() -> None:
    config = TrainingConfig(base_model="m", run_name="n", train_file=Path("t"), learning_rate=1e-4)
    view = replace(view_of(losses=FALLING), cost_usd=4.0)
    capped = Plan(training=config, budget=Budget(max_cost_usd=10.0))
    [finding] = told(view, plan=capped).findings
    assert finding.what == "the budget will end it about step 50"
    assert told(view, plan=capped.model_copy(update={"budget": Budget(max_cost_usd=20.0)})).findings == ()


def test_what_is_missing_is_said_and_not_guessed() -> None:
    assert len(told(view_of()).missing) == 4
    assert all("no step is trained" not in what for what in told(view_of(losses=FALLING)).missing)


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_status_has_words_and_a_command(status: RunStatus) -> None:
    found = told(replace(view_of(losses=FALLING), status=status))
    assert found.state.endswith(".")
    assert found.next_commands


def test_a_recorded_run_is_diagnosed_from_the_store_without_a_plan_file(tmp_path: Path) -> None:
    store = MemoryStore()
    record_resumed_run(store)
    found = diagnose_run(store, tmp_path, "latest", clock=lambda: 1_000.0)
    assert found.state.startswith("It completed all 10 steps")
    assert json.dumps(found.facts)

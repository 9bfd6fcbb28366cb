from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tcao_tui.domain.plan import Plan
from tcao_tui.errors import BackendError, BudgetExceeded, ExitCode, PlanInvalid, Refused
from tcao_tui.services.proposals import Proposal, carry_out, propose
from tcao_tui.store.memory import MemoryStore
from tests.fakes import known_facts as known
from tests.fakes.known_facts import SCORE, TRAIN, VAL
from tests.fakes.measured import LOCAL, Measured, free_facts


def proposal_of(measured: Measured, changes: dict[str, Any] | None = None, **options: Any) -> Proposal:
    plan = Plan.model_validate(known.values(changes))
    return propose(plan, LOCAL, measure=measured.sources(), **options)


def test_a_plan_is_measured_once_and_proposed_with_rows_cost_and_hash() -> None:
    measured = Measured()
    proposal = proposal_of(measured)
    assert measured.asked == [
        "models of local",
        *("inspect train.jsonl by lab/small-1b", "inspect val.jsonl", "inspect test.jsonl"),
        *("compare train.jsonl val.jsonl", "compare train.jsonl test.jsonl"),
    ]
    assert (proposal.rows(TRAIN), proposal.rows(VAL), proposal.rows(SCORE), proposal.rows(None)) == (2000, 100, 200, 0)
    assert proposal.plan.data.train_file == "sha-of-train.jsonl"
    assert proposal.quote == known.PAID
    assert proposal.hash == proposal.sheet.approval_hash
    assert proposal.cost.total.expected_usd is not None


def test_every_bad_row_stops_a_plan_before_consent_is_asked_for() -> None:
    rows = ({"line": 9, "what": "not JSON", "fix": "x"}, {"line": 10, "what": "no field output", "fix": "add it"})
    train = known.profile(TRAIN, 2000, tokens=known.tokens(), bad_rows=2, problems=rows)
    with pytest.raises(PlanInvalid, match="2 problems") as caught:
        proposal_of(Measured(known.facts().with_fact(train)))
    assert "/data/train.jsonl:9" in caught.value.what
    assert "/data/train.jsonl:10" in caught.value.what
    assert "fix: add it" in caught.value.what


def test_one_problem_is_told_as_one_sentence_with_place_and_fix() -> None:
    with pytest.raises(PlanInvalid) as caught:
        proposal_of(Measured(), {"evals.score": ...})
    assert caught.value.where == "evals.score"
    assert "no eval of the task itself" in caught.value.what
    assert "add evals.score.file" in caught.value.next_step
    [error] = cast("list[dict[str, str]]", caught.value.details["errors"])
    assert (error["gate"], error["path"], error["fix"]) == ("evals", "evals.score", caught.value.next_step)


def test_missing_files_are_all_told_with_their_keys() -> None:
    lost = known.facts(profiles=())
    with pytest.raises(PlanInvalid) as caught:
        proposal_of(Measured(lost))
    assert "training.train_file: /data/train.jsonl cannot be read: No such file or directory" in caught.value.what
    assert "training.val_file" in caught.value.what
    assert "evals.score.file" in caught.value.what


def test_a_cap_from_the_command_line_lowers_the_plans_own_and_never_raises_it() -> None:
    assert proposal_of(Measured(), max_cost_usd=10).plan.budget.max_cost_usd == 10
    assert proposal_of(Measured(), max_cost_usd=100).plan.budget.max_cost_usd == 20
    assert proposal_of(Measured(), {"budget.max_cost_usd": None}, max_cost_usd=7).plan.budget.max_cost_usd == 7


def test_a_cap_that_cannot_hold_the_plan_ends_with_the_budget_code() -> None:
    with pytest.raises(BudgetExceeded, match=r"\$0.0100 is below the estimate") as caught:
        proposal_of(Measured(), max_cost_usd=0.01)
    assert caught.value.where == "budget.max_cost_usd"
    assert caught.value.exit_code == ExitCode.BUDGET


def test_a_server_that_is_away_is_told_as_such_once_nothing_else_is_wrong() -> None:
    away = BackendError("the local engine is not running", next_step="tcao engine start")
    with pytest.raises(BackendError, match="not running"):
        proposal_of(Measured(away=away))
    with pytest.raises(PlanInvalid, match="no eval"):
        proposal_of(Measured(away=away), {"evals.score": ...})


def test_what_cannot_be_judged_yet_is_no_pass() -> None:
    unmeasured = known.facts_with(TRAIN, tokens=None, tokens_why_not="the tokenizer is not on this machine")
    with pytest.raises(PlanInvalid, match="the tokenizer is not on this machine"):
        proposal_of(Measured(unmeasured))


def test_a_method_without_a_worker_passes_the_gates_and_is_refused_at_launch(tmp_path: Path) -> None:
    pairs = {"kind": "preference", "kinds": ("preference",)}
    facts = free_facts().with_fact(known.profile(TRAIN, 2000, tokens=known.tokens(), **pairs))
    changes = {"method": "dpo", "training.learning_rate": 1e-5, "training.val_file": None}
    proposal = proposal_of(Measured(facts), changes)
    approval = proposal.consent("auto", by="me")
    with pytest.raises(Refused, match="the plan is in order, but no worker here can carry out method dpo") as caught:
        carry_out(MemoryStore(), tmp_path, proposal, approval)
    assert caught.value.exit_code == ExitCode.REFUSED

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.questions import Answer
from tcao_tui.errors import BudgetExceeded, NeedsInput, PlanInvalid, Refused, TcaoError
from tcao_tui.methods import METHODS
from tcao_tui.planner.session import Session
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.settings import Settings
from tcao_tui.store.memory import MemoryStore
from tests.fakes.interview_desk import paid_server
from tests.fakes.interviews import SessionLab

LOCAL: Profile = resolve_profile(Settings(), "local", {})
OPENING = "It should sort tickets by topic, rows in tickets.jsonl. At least 80% correct. Just do it."


@pytest.fixture
def lab(tmp_path: Path) -> SessionLab:
    return SessionLab(tmp_path)


def ready(lab: SessionLab, opening: str = OPENING) -> Session:
    session = lab.session()
    asyncio.run(session.say(opening))
    assert session.sheet.is_ready
    return session


def test_only_the_hash_of_the_present_plan_approves_it(lab: SessionLab) -> None:
    session = ready(lab)
    for given in ("", "auto", "0000000000000000"):
        with pytest.raises(NeedsInput, match=str(session.sheet.approval_hash)):
            session.approve(given=given, by="me")
    approved = session.approve(given=str(session.sheet.approval_hash), by="me", typed=True)
    assert (approved.how, approved.by, approved.max_cost_usd) == ("typed", "me", None)
    assert session.state.approved == approved


def test_a_plan_that_is_not_ready_cannot_be_approved(lab: SessionLab) -> None:
    session = lab.session()
    with pytest.raises(PlanInvalid):
        session.approve(given="0000000000000000", by="me")
    assert lab.kinds() == ["started"]


def paid(tmp_path: Path) -> Session:
    lab = SessionLab(tmp_path, profile="paid")
    lab.desk.server = paid_server()
    return ready(lab, f"{OPENING} My budget is $20.")


@pytest.mark.parametrize(
    ("amount", "error", "what"),
    [
        (None, NeedsInput, "the amount that it may cost must be given"),
        (0.001, BudgetExceeded, "does not hold"),
        (10.0, NeedsInput, "plan's cap, which is \\$20"),
    ],
)
def test_money_needs_an_amount_that_holds_the_cost_and_the_cap(
    amount: float | None, error: type[TcaoError], what: str, tmp_path: Path
) -> None:
    session = paid(tmp_path)
    with pytest.raises(error, match=what):
        session.approve(given=str(session.sheet.approval_hash), by="me", max_cost_usd=amount, typed=True)
    assert session.state.approved is None


def test_an_amount_that_holds_the_cost_and_the_cap_approves(tmp_path: Path) -> None:
    session = paid(tmp_path)
    approved = session.approve(given=str(session.sheet.approval_hash), by="me", max_cost_usd=20.0)
    assert (approved.max_cost_usd, approved.how) == (20.0, "hash")


def launch(session: Session, root: Path) -> str:
    return asyncio.run(session.launch(MemoryStore(), root, LOCAL))


def test_nothing_is_launched_without_an_approval(lab: SessionLab, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no approval stands"):
        launch(ready(lab), tmp_path)
    assert lab.launched == []


def test_a_change_after_the_approval_voids_it(lab: SessionLab, tmp_path: Path) -> None:
    session = ready(lab)
    session.approve(given=str(session.sheet.approval_hash), by="me")
    asyncio.run(session.set_value("training.num_steps", 77))
    with pytest.raises(Refused, match="no approval stands"):
        launch(session, tmp_path)
    assert lab.launched == []


def test_other_prices_after_the_approval_void_it(lab: SessionLab, tmp_path: Path) -> None:
    session = ready(lab)
    session.approve(given=str(session.sheet.approval_hash), by="me")
    lab.desk.server = paid_server().model_copy(update={"models": lab_models_at_a_price(session)})
    asyncio.run(session.call("list_models", {}))
    with pytest.raises(Refused, match="and the plan is now"):
        launch(session, tmp_path)
    assert lab.launched == []


def lab_models_at_a_price(session: Session) -> tuple[Any, ...]:
    capabilities = session.state.facts.capabilities
    assert capabilities is not None
    dearer = paid_server().models[0].price
    return tuple(model.model_copy(update={"price": dearer}) for model in capabilities.models)


def test_what_was_approved_is_launched_once(lab: SessionLab, tmp_path: Path) -> None:
    session = ready(lab)
    approved = session.approve(given=str(session.sheet.approval_hash), by="me")
    assert launch(session, tmp_path) == "run-1"
    assert lab.launched == [approved]
    assert session.state.run_id == "run-1"
    with pytest.raises(Refused, match="run-1 has this plan already"):
        launch(lab.session(), tmp_path)
    assert lab.launched == [approved]


def test_an_approved_plan_is_carried_out_with_its_files(lab: SessionLab, tmp_path: Path) -> None:
    session = ready(lab)
    session.approve(given=str(session.sheet.approval_hash), by="me")
    outcome = asyncio.run(session.carry_out(MemoryStore(), tmp_path / "runs", LOCAL))
    assert (outcome.directory, outcome.run_id) == (tmp_path / "runs" / "run-1", "run-1")
    assert (outcome.directory / "plan.yaml").exists()
    assert lab.kinds()[-2:] == ["run_started", "plan_written"]


def test_a_method_that_no_worker_knows_ends_with_the_approved_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(METHODS, "names", lambda: ["sft"])
    lab = SessionLab(tmp_path, rows="pairs")
    session = ready(lab)
    assert session.sheet.draft["method"].value == "dpo"
    session.approve(given=str(session.sheet.approval_hash), by="me")
    outcome = asyncio.run(session.carry_out(MemoryStore(), tmp_path / "runs", LOCAL))
    assert (outcome.directory, outcome.run_id, lab.launched) == (lab.desk.work_dir, "", [])
    assert (lab.desk.work_dir / "plan.yaml").exists()
    assert lab.kinds()[-1] == "plan_written"


def test_data_that_must_stay_here_is_not_approved_for_elsewhere(tmp_path: Path) -> None:
    session = paid(tmp_path)
    asyncio.run(session.say("By the way, no data may leave this machine."))
    assert session.sheet.is_ready
    with pytest.raises(Refused, match="no data may leave this machine"):
        session.approve(given=str(session.sheet.approval_hash), by="me", max_cost_usd=20.0)
    card = session.state.open_card
    assert card is not None
    asyncio.run(session.answer(card.id, [Answer(question="privacy", value="may leave")]))
    session.approve(given=str(session.sheet.approval_hash), by="me", max_cost_usd=20.0)

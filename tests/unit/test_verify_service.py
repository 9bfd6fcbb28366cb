from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.plan import Budget, Plan, PriceQuote, approval_hash
from tcao_tui.domain.proof import Check, VerifyReport
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import UsageError
from tcao_tui.services.verify import verify
from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.plan_file import write_plan
from tcao_tui.store.port import Approval
from tests.fakes.run_records import new_run, record_resumed_run

QUOTE = PriceQuote(backend="b", source="s")


def plan(cap_usd: float | None = None) -> Plan:
    config = TrainingConfig(base_model="tiny", run_name="demo", train_file=Path("/d/train.jsonl"), learning_rate=1e-4)
    return Plan(training=config, budget=Budget(max_cost_usd=cap_usd))


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    record_resumed_run(store)
    store.approve("run-1", Approval(approval_hash(plan(), QUOTE), "hash", "me", 1.0, QUOTE.model_dump_json()))
    return store


def checks(report: VerifyReport) -> dict[str, Check]:
    return {check.name: check for check in report.checks}


def saved_plan(root: Path, saved: Plan) -> Path:
    (root / "run-1").mkdir()
    write_plan(root / "run-1", saved)
    return root


def test_without_a_place_and_a_server_only_the_record_is_checked(store: MemoryStore) -> None:
    report = verify(store, "run-1")
    assert report.ok
    assert {name for name, check in checks(report).items() if check.verdict == "not checked"} == {"server", "approval"}


def test_the_plan_file_is_held_against_the_approval(store: MemoryStore, tmp_path: Path) -> None:
    found = checks(verify(store, "run-1", runs_root=saved_plan(tmp_path, plan())))
    assert found["approval"].verdict == "ok"
    assert found["approval"].evidence == f"approved {approval_hash(plan(), QUOTE)}"
    # The records of this test carry no mark of a plan, which the plan file makes visible.
    assert "another plan" in found["checkpoints"].evidence


def test_a_plan_file_that_was_edited_is_caught(store: MemoryStore, tmp_path: Path) -> None:
    found = checks(verify(store, "run-1", runs_root=saved_plan(tmp_path, plan(cap_usd=0.05))))
    assert found["approval"].verdict == "failed"
    assert "the cap is 0.0500" in found["ledger"].evidence


def test_a_plan_file_that_is_gone_is_caught(store: MemoryStore, tmp_path: Path) -> None:
    found = checks(verify(store, "run-1", runs_root=tmp_path))
    assert found["approval"].verdict == "failed"
    assert "cannot be read" in found["approval"].evidence


def test_a_run_that_nobody_approved_is_caught(tmp_path: Path) -> None:
    store = MemoryStore()
    store.create_run(new_run())
    found = checks(verify(store, "run-1", runs_root=saved_plan(tmp_path, plan())))
    assert found["approval"].evidence == "it was never approved"


def test_an_unknown_run_is_told(store: MemoryStore) -> None:
    with pytest.raises(UsageError, match="did you mean run-1"):
        verify(store, "run-2")

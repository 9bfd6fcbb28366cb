from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.services.proposals import Proposal, propose
from tcao_tui.settings import Settings

GOOD = '{"input": "a", "output": "b"}\n'
FREE = PriceQuote(backend="x", source="free", train_usd=0, prefill_usd=0, sample_usd=0, storage_usd_per_gb_month=0)


def proposal_for(folder: Path, rows: str, batch_rows: int) -> Proposal:
    (folder / "train.jsonl").write_text(rows)
    config = TrainingConfig(
        base_model="m",
        run_name="n",
        train_file=folder / "train.jsonl",
        learning_rate=1e-3,
        train_batch_size=batch_rows,
    )

    def read_quote(profile: Profile, base_model: str) -> PriceQuote:
        return FREE

    return propose(Plan(training=config), resolve_profile(Settings(), "local", {}), read_quote=read_quote)


def test_a_plan_with_good_rows_is_proposed_with_its_sizes(tmp_path: Path) -> None:
    assert proposal_for(tmp_path, GOOD * 8, 4).sizes.train.rows == 8


def test_every_bad_row_stops_a_plan_before_consent_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match=r"2 rows cannot be used") as caught:
        proposal_for(tmp_path, GOOD * 8 + "not json\n" + '{"input": "a"}\n', 4)
    assert "train.jsonl:9" in caught.value.what
    assert "train.jsonl:10" in caught.value.what


def test_fewer_rows_than_one_batch_stop_a_plan_before_consent_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="do not fill one batch"):
        proposal_for(tmp_path, GOOD * 3, 4)

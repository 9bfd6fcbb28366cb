"""The training loop against a counting trainer: order, pipelining, drains, directives, resume."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tcao_tui.clients.prices import price_quote
from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.data.order import BatchOrder
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.domain.watch_plan import PilotPlan
from tcao_tui.methods.barriers import BarrierLoop
from tcao_tui.methods.port import Directive
from tcao_tui.methods.sft.batches import RowBatches
from tcao_tui.methods.sft.loading import TrainingData
from tcao_tui.methods.submitting import Submitting
from tcao_tui.methods.token_rows import TokenRows
from tests.fakes.counting_trainer import CountingTrainer
from tests.fakes.recording_context import RecordingContext

ROWS, BATCH = 10, 3
PER_EPOCH = 3


class Prices:
    def __init__(self, quote: PriceQuote) -> None:
        self.quote = quote


class Rig:
    """A loop with all its neighbours."""

    def __init__(self, *, step: int = 0, nan_at: int = 0, quote: PriceQuote | None = None, **options: Any) -> None:
        settings = {"num_steps": 8, "eval_every": 0, "save_every": 0, **options}
        script = settings.pop("script", None)
        after_pause = settings.pop("after_pause", Directive.CONTINUE)
        pilot = settings.pop("pilot", None)
        config = TrainingConfig(
            base_model="m", run_name="r", train_file=Path("t"), learning_rate=0.5, train_batch_size=BATCH, **settings
        )
        self.trainer = CountingTrainer(nan_at=nan_at)
        self.trainer.applied = [[] for _ in range(step)]
        backend = cast("TinkerBackend", Prices(quote or price_quote("engine", "local", "m")))
        plan = Plan(training=config, pilot=None if pilot is None else PilotPlan(steps=pilot))
        self.context = RecordingContext(plan, backend, script=script, after_pause=after_pause)
        self.context.step = step
        self.order = BatchOrder(ROWS, BATCH, seed=config.seed)
        rows = TokenRows(100)
        for row in range(ROWS):
            rows.add([row, 1, 2, 3], [False, False, True, True])
        self.evaluated: list[tuple[int, int]] = []
        trainer = cast("Trainer", self.trainer)
        batches = RowBatches(trainer, TrainingData(self.order, rows, None))
        self.on_eval: Callable[[int], object] | None = None
        self.advance = Submitting(self.context, batches, batches_per_epoch=PER_EPOCH)
        self.loop = BarrierLoop(
            self.context, trainer, self.advance, self._evaluate, batches_per_epoch=PER_EPOCH, step=step
        )

    async def _evaluate(self, step: int) -> None:
        assert not self.trainer.in_flight, "evaluated with updates in flight"
        self.evaluated.append((step, len(self.trainer.applied)))
        self.context.log.append(f"eval {step}")
        if self.on_eval is not None:
            self.on_eval(step)

    def planned(self, steps: int) -> list[list[int]]:
        return [list(self.order.batch(DataCursor.after(step, PER_EPOCH))) for step in range(steps)]

    @property
    def done(self) -> list[str]:
        return [line for line in self.context.log if not line.startswith("phase")]


@pytest.mark.parametrize("submit_ahead", [0, 1, 2, 50])
async def test_every_batch_is_trained_once_in_the_planned_order(submit_ahead: int) -> None:
    rig = Rig(submit_ahead=submit_ahead)
    assert await rig.loop.train()
    assert rig.trainer.applied == rig.planned(8)
    assert rig.context.trained == [divmod(step, PER_EPOCH) for step in range(8)]
    assert rig.trainer.most_ahead == min(submit_ahead + 1, 8)


@pytest.mark.parametrize("submit_ahead", [0, 2, 5])
async def test_evals_and_checkpoints_hold_exactly_the_updates_they_name(submit_ahead: int) -> None:
    rig = Rig(submit_ahead=submit_ahead, eval_every=2, save_every=3)
    assert await rig.loop.train()
    assert rig.evaluated == [(2, 2), (4, 4), (6, 6)]
    assert rig.trainer.saved == {"001-000003": 3, "001-000006": 6}
    assert [c.cursor for c in rig.context.checkpoints] == [DataCursor(epoch=1, batch=0), DataCursor(epoch=2, batch=0)]


async def test_an_eval_comes_before_the_checkpoint_of_the_same_step() -> None:
    rig = Rig(eval_every=2, save_every=2, num_steps=4)
    assert await rig.loop.train()
    assert rig.done == ["step 1", "step 2", "eval 2", "save 2 periodic", "step 3", "step 4"]


async def test_a_requested_checkpoint_drains_first_and_training_goes_on() -> None:
    rig = Rig(submit_ahead=2, script={2: Directive.CHECKPOINT})
    assert await rig.loop.train()
    assert rig.done[:6] == ["step 1", "step 2", "step 3", "step 4", "save 4 requested", "step 5"]
    assert rig.trainer.applied == rig.planned(8)


async def test_a_request_on_a_step_that_is_saved_anyway_saves_once() -> None:
    rig = Rig(submit_ahead=0, save_every=2, num_steps=3, script={2: Directive.CHECKPOINT})
    assert await rig.loop.train()
    assert rig.done == ["step 1", "step 2", "save 2 requested", "step 3"]


async def test_stop_drains_saves_and_ends() -> None:
    rig = Rig(submit_ahead=2, script={1: Directive.STOP})
    assert not await rig.loop.train()
    assert rig.done == ["step 1", "step 2", "step 3", "save 3 stop"]
    assert rig.loop.step == 3


async def test_a_stop_that_follows_a_pause_request_during_the_drain_wins() -> None:
    rig = Rig(submit_ahead=2, script={1: Directive.PAUSE, 2: Directive.STOP})
    assert not await rig.loop.train()
    assert rig.done[-1] == "save 3 stop"


async def test_pause_saves_waits_and_goes_on() -> None:
    rig = Rig(submit_ahead=1, num_steps=4, script={1: Directive.PAUSE})
    assert await rig.loop.train()
    assert rig.done == ["step 1", "step 2", "save 2 pause", "waited", "step 3", "step 4"]


async def test_a_stop_while_paused_ends_without_a_second_checkpoint() -> None:
    rig = Rig(submit_ahead=0, script={1: Directive.PAUSE}, after_pause=Directive.STOP)
    assert not await rig.loop.train()
    assert rig.done == ["step 1", "save 1 pause", "waited"]


async def test_a_stop_after_the_last_step_does_not_take_the_end_away() -> None:
    rig = Rig(submit_ahead=0, num_steps=2, script={2: Directive.STOP})
    assert await rig.loop.train()


@pytest.mark.parametrize("start", [1, 3, 7, 8])
async def test_a_resumed_loop_trains_exactly_what_is_left(start: int) -> None:
    rig = Rig(step=start, submit_ahead=2)
    assert await rig.loop.train()
    assert rig.trainer.applied[start:] == rig.planned(8)[start:]
    assert [row.step for row in rig.context.rows] == list(range(start + 1, 9))


async def test_rows_hold_the_documented_metrics_and_the_servers() -> None:
    rig = Rig(num_steps=1)
    await rig.loop.train()
    values = rig.context.rows[0].values
    assert values["train_mean_nll"] == 1.0
    assert (values["num_tokens"], values["num_loss_tokens"], values["epoch"]) == (9, 6, 0)
    assert values["learning_rate"] == 0.5
    assert values["server"] == 1.0
    assert values["step_seconds"] >= 0


async def test_spend_is_tokens_at_the_quoted_price_and_unknown_without_one() -> None:
    priced = Rig(num_steps=1, quote=PriceQuote(backend="b", source="s", train_usd=2.0))
    unknown = Rig(num_steps=1, quote=PriceQuote(backend="b", source="s"))
    await priced.loop.train()
    await unknown.loop.train()
    assert [(s.kind, s.tokens, s.usd) for s in priced.context.spends] == [("train", 9, 9 * 2.0 / 1e6)]
    assert [s.usd for s in unknown.context.spends] == [None]


async def test_a_loss_that_is_not_a_number_is_recorded_as_such() -> None:
    rig = Rig(nan_at=3)
    await rig.loop.train()
    losses = rig.context.series("train_mean_nll")
    assert [step for step, loss in losses.items() if math.isnan(loss)] == [3]


async def test_the_pilot_ends_with_an_eval_and_nothing_is_on_its_way_past_it() -> None:
    rig = Rig(submit_ahead=3, eval_every=6, pilot=4)
    assert await rig.loop.train()
    assert rig.evaluated == [(4, 4), (6, 6)]
    resumed = Rig(step=4, submit_ahead=3, eval_every=6, pilot=4)
    assert await resumed.loop.train()
    assert resumed.evaluated == [(6, 6)]

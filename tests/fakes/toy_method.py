"""A training method without torch: pipelined, drained before it saves, and it trains texts that name their batch."""

from __future__ import annotations

from collections import deque

from tcao_tui.clients.tinker_port import PendingStep, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, DataCursor
from tcao_tui.domain.events import DataLoaded, PhaseChanged, Spend
from tcao_tui.domain.schedule import learning_rate_at
from tcao_tui.methods.port import Directive, RunContext

ROWS = 13
"""Rows of the toy data: with batches of 4, three batches make an epoch and one row is dropped."""


class _Toy:
    def __init__(self, context: RunContext, trainer: Trainer, step: int) -> None:
        self.context, self.trainer, self.sent, self.done = context, trainer, step, step
        self.config = context.plan.training
        self.batches = ROWS // self.config.train_batch_size
        self.pending: deque[PendingStep] = deque()
        self.rates: deque[float] = deque()

    def send(self) -> None:
        at = DataCursor.after(self.sent, self.batches)
        batch: list[object] = [f"{at.epoch}:{at.batch}"]
        self.sent += 1
        rate = learning_rate_at(self.config, self.sent, self.context.settings_from(self.sent))
        self.rates.append(rate)
        self.pending.append(self.trainer.submit_step(batch, learning_rate=rate))

    async def receive(self) -> None:
        result = await self.pending.popleft().result()
        trained = DataCursor.after(self.done, self.batches)
        self.done += 1
        usd = self.context.backend.quote.train_usd
        spend = Spend(kind="train", step=self.done, tokens=result.tokens, usd=usd)
        values = {"train_mean_nll": result.loss_sum / result.loss_tokens, "learning_rate": self.rates.popleft()}
        self.context.record_step(self.done, values, trained=trained, spends=[spend])

    async def save(self, reason: CheckpointReason) -> None:
        while self.pending:
            await self.receive()
        cursor = DataCursor.after(self.done, self.batches)
        await self.context.save_checkpoint(self.trainer, step=self.done, cursor=cursor, reason=reason)

    async def evaluate(self) -> None:
        result = await self.trainer.nll([])
        self.context.record_step(self.done, {"val_mean_nll": result.loss_sum / result.loss_tokens})

    def is_due(self, every: int) -> bool:
        return bool(every) and self.done % every == 0 and self.done < self.config.num_steps


async def toy_method(context: RunContext) -> None:
    config, resume = context.plan.training, context.resume_point
    step = resume.step if resume else 0
    trainer = await context.backend.open_trainer(config, state_path=resume.state_path if resume else None, metadata={})
    toy = _Toy(context, trainer, step)
    context.emit(
        DataLoaded(train_rows=ROWS, val_rows=0, batches_per_epoch=toy.batches, train_tokens=130, loss_tokens=52),
        PhaseChanged(phase="training"),
    )
    while toy.done < config.num_steps:
        edge = min(config.num_steps, toy.done - toy.done % (config.save_every or 10**9) + (config.save_every or 10**9))
        while toy.sent < edge and len(toy.pending) <= config.submit_ahead:
            toy.send()
        await toy.receive()
        if toy.is_due(config.eval_every):
            await toy.evaluate()
        match await context.directive():
            case Directive.STOP:
                return await toy.save("stop")
            case Directive.PAUSE:
                await toy.save("pause")
                if await context.paused() is Directive.STOP:
                    return None
            case Directive.CHECKPOINT:
                await toy.save("requested")
            case _ if toy.is_due(config.save_every):
                await toy.save("periodic")
            case _:
                pass
    await toy.save("final")
    return None

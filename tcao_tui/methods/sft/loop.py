"""The order of things in supervised training: submit ahead, drain before anything that names a step, obey.

Barriers are the steps after which something looks at the weights: an eval, a checkpoint, the end. Nothing is submitted
past the next barrier, so a checkpoint labelled N holds exactly N updates. At a barrier the eval comes before the
checkpoint: a run that resumes from it never misses nor repeats that eval.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tcao_tui.clients.tinker_port import PendingStep, Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, DataCursor
from tcao_tui.domain.events import LogLine, PhaseChanged, Spend
from tcao_tui.methods.port import Directive, RunContext
from tcao_tui.methods.sft.evaluation import price
from tcao_tui.methods.sft.loading import TrainingData

_REASONS: dict[Directive, CheckpointReason] = {
    Directive.CHECKPOINT: "requested",
    Directive.PAUSE: "pause",
    Directive.STOP: "stop",
}
_STRENGTH = (Directive.CONTINUE, Directive.CHECKPOINT, Directive.PAUSE, Directive.STOP)


@dataclass(frozen=True, slots=True)
class _Submitted:
    step: int
    cursor: DataCursor
    loss_tokens: int
    sent_at: float
    pending: PendingStep


class TrainingLoop:
    """Updates of one attempt.

    Args:
        context: The worker.
        trainer: The LoRA, holding `step` updates.
        data: Rendered rows and their order.
        evaluate: Measures the weights after so many updates.
        step: Updates already applied.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        context: RunContext,
        trainer: Trainer,
        data: TrainingData,
        evaluate: Callable[[int], Awaitable[None]],
        *,
        step: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._config = context.plan.training
        self._trainer = trainer
        self._data = data
        self._evaluate = evaluate
        self._clock = clock
        self._was_finite = True
        self._free_since = clock()
        self.step = step

    async def train(self) -> bool:
        """Apply what is left of the plan's updates; returns False when it was stopped before the last."""
        while self.step < self._config.num_steps:
            self._context.emit(PhaseChanged(phase="training"))
            barrier = self._next_barrier()
            directive = await self._advance(barrier)
            if self.step == self._config.num_steps:
                break
            if _is_due(self.step, self._config.eval_every) and directive is not Directive.STOP:
                await self._evaluate(self.step)
            reason = _REASONS.get(directive)
            if reason is None and _is_due(self.step, self._config.save_every):
                reason = "periodic"
            if reason is not None:
                await self.save(reason)
            if directive is Directive.STOP or (
                directive is Directive.PAUSE and await self._context.paused() is Directive.STOP
            ):
                return False
        return True

    async def save(self, reason: CheckpointReason) -> None:
        """Save the present weights; everything submitted has been applied."""
        self._context.emit(PhaseChanged(phase="saving"))
        cursor = DataCursor.after(self.step, self._data.order.batches_per_epoch)
        await self._context.save_checkpoint(self._trainer, step=self.step, cursor=cursor, reason=reason)

    def _next_barrier(self) -> int:
        every = [n for n in (self._config.eval_every, self._config.save_every) if n]
        return min([self._config.num_steps, *((self.step // n + 1) * n for n in every)])

    async def _advance(self, barrier: int) -> Directive:
        """Train up to `barrier`, or until all that was submitted before a directive came is applied."""
        pending: deque[_Submitted] = deque()
        asked = Directive.CONTINUE
        submitted = self.step
        self._free_since = self._clock()
        while self.step < barrier:
            while asked is Directive.CONTINUE and submitted < barrier and len(pending) <= self._config.submit_ahead:
                submitted += 1
                pending.append(self._submit(submitted))
            if not pending:
                break
            await self._finish(pending.popleft())
            asked = max(asked, await self._context.directive(), key=_STRENGTH.index)
        return asked

    def _submit(self, step: int) -> _Submitted:
        cursor = DataCursor.after(step - 1, self._data.order.batches_per_epoch)
        rows = self._data.order.batch(cursor)
        batch = self._data.train.data(rows)
        pending = self._trainer.submit_step(batch, learning_rate=self._config.learning_rate)
        return _Submitted(step, cursor, self._data.train.loss_tokens_of(rows), self._clock(), pending)

    async def _finish(self, submitted: _Submitted) -> None:
        result = await submitted.pending.result()
        now = self._clock()
        seconds = now - max(self._free_since, submitted.sent_at)
        self._free_since = now
        loss = result.loss_sum / result.loss_tokens if result.loss_tokens else math.nan
        values = {
            "train_mean_nll": loss,
            "learning_rate": self._config.learning_rate,
            "num_tokens": result.tokens,
            "num_loss_tokens": submitted.loss_tokens,
            "tokens_per_second": result.tokens / seconds if seconds > 0 else math.nan,
            "step_seconds": seconds,
            "epoch": submitted.cursor.epoch,
        }
        usd = price(result.tokens, self._context.backend.quote.train_usd)
        self.step = submitted.step
        self._context.record_step(
            submitted.step,
            {**result.metrics, **values},
            trained=submitted.cursor,
            spends=[Spend(kind="train", step=submitted.step, tokens=result.tokens, usd=usd)],
        )
        self._warn_once(loss)

    def _warn_once(self, loss: float) -> None:
        is_finite = math.isfinite(loss)
        if self._was_finite and not is_finite:
            text = f"the training loss of step {self.step} is {loss}: lower learning_rate or look at the data"
            self._context.emit(LogLine(level="warning", message=text))
        self._was_finite = is_finite


def _is_due(step: int, every: int) -> bool:
    return bool(every) and step % every == 0

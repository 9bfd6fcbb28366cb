"""The order of things in every method: advance to the next barrier, look at the weights, save, obey.

Barriers are the steps after which something looks at the weights: an eval, a checkpoint, the pilot's end, the end.
Nothing is submitted past the next barrier, so a checkpoint labelled N holds exactly N updates. At a barrier the eval
comes before the checkpoint: a run that resumes from it never misses nor repeats that eval.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from tcao_tui.clients.tinker_port import Trainer
from tcao_tui.domain.checkpoints import CheckpointReason, DataCursor
from tcao_tui.domain.events import PhaseChanged
from tcao_tui.domain.schedule import eval_every_at
from tcao_tui.methods.port import Directive, RunContext

_REASONS: dict[Directive, CheckpointReason] = {
    Directive.CHECKPOINT: "requested",
    Directive.PAUSE: "pause",
    Directive.STOP: "stop",
}
_STRENGTH = (Directive.CONTINUE, Directive.CHECKPOINT, Directive.PAUSE, Directive.FINISH, Directive.STOP)


def stronger(one: Directive, other: Directive) -> Directive:
    """The directive that wins when both are asked for."""
    return max(one, other, key=_STRENGTH.index)


class Advance(Protocol):
    """What applies updates and records them."""

    async def advance(self, step: int, barrier: int) -> tuple[int, Directive]:
        """Train from `step` up to `barrier`, or until a directive asks for more and all that was sent is applied.

        Every applied update is recorded before this returns. It may return early when a changed setting has moved the
        barrier.

        Returns:
            The updates applied by then, and what was asked for.
        """
        ...


class BarrierLoop:
    """Updates of one attempt.

    Args:
        context: The worker.
        trainer: The LoRA, holding `step` updates.
        advance: Applies updates.
        evaluate: Measures the weights after so many updates.
        batches_per_epoch: Batches of one pass over the data.
        step: Updates already applied.
    """

    def __init__(
        self,
        context: RunContext,
        trainer: Trainer,
        advance: Advance,
        evaluate: Callable[[int], Awaitable[None]],
        *,
        batches_per_epoch: int,
        step: int,
    ) -> None:
        self._context = context
        self._config = context.plan.training
        self._pilot_steps = 0 if context.plan.pilot is None else context.plan.pilot.steps
        self._trainer = trainer
        self._advance = advance
        self._evaluate = evaluate
        self._batches_per_epoch = batches_per_epoch
        self.step = step

    async def train(self) -> bool:
        """Apply what is left of the plan's updates, or what is enough; returns False when it was stopped before."""
        if self.step and await self._context.directive() is Directive.FINISH:
            return True  # a worker that had found so died before it could say it
        while self.step < self._config.num_steps:
            self._context.emit(PhaseChanged(phase="training"))
            self.step, directive = await self._advance.advance(self.step, self._next_barrier())
            if self.step == self._config.num_steps:
                break
            if directive is not Directive.STOP and self.eval_is_due:
                await self._evaluate(self.step)
                # An eval may bring a watch rule to stop or pause the run.
                directive = stronger(directive, await self._context.directive())
            if directive is Directive.FINISH:
                break
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

    @property
    def eval_is_due(self) -> bool:
        """Whether the present weights are to be evaluated, by the cadence in force when they came about."""
        settings = self._context.settings_from(self.step + 1)
        every = eval_every_at(self._config, self.step, settings)
        return self.step > 0 and (_is_due(self.step, every) or self.step == self._pilot_steps)

    async def save(self, reason: CheckpointReason) -> None:
        """Save the present weights; everything submitted has been applied."""
        self._context.emit(PhaseChanged(phase="saving"))
        cursor = DataCursor.after(self.step, self._batches_per_epoch)
        await self._context.save_checkpoint(self._trainer, step=self.step, cursor=cursor, reason=reason)

    def _next_barrier(self) -> int:
        eval_every = eval_every_at(self._config, self.step + 1, self._context.settings_from(self.step + 1))
        every = [n for n in (eval_every, self._config.save_every) if n]
        pilot = [self._pilot_steps] if self.step < self._pilot_steps else []
        return min([self._config.num_steps, *pilot, *((self.step // n + 1) * n for n in every)])


def _is_due(step: int, every: int) -> bool:
    return bool(every) and step % every == 0

"""Updates that are known before they are sent: submitted ahead, awaited in order, recorded one by one.

What a batch is and what its answer means is the method's `Stepper`; RL, whose batches depend on the weights, is not
of this kind.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tcao_tui.clients.tinker_port import PendingStep, StepResult
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.events import Spend
from tcao_tui.domain.schedule import eval_every_at, learning_rate_at
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.methods.barriers import stronger
from tcao_tui.methods.evaluation import price
from tcao_tui.methods.port import Directive, RunContext


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way.

    Attributes:
        values: Numbers known already, such as counts of tokens.
        prefill_tokens: Tokens that were read for it beside the training, such as by a reference model.
        forward_tokens: Tokens of a further forward pass, which costs what training does.
    """

    pending: PendingStep
    values: Mapping[str, float] = field(default_factory=dict[str, float])
    prefill_tokens: int = 0
    forward_tokens: int = 0


class Stepper(Protocol):
    """A method's batches."""

    async def submit(self, cursor: DataCursor, learning_rate: float) -> Sent:
        """Send the batch at `cursor`; may await what it needs first, such as a reference model."""
        ...

    def values(self, result: StepResult) -> Mapping[str, float]:
        """The method's numbers in the server's answer; the first is its loss."""
        ...


@dataclass(frozen=True, slots=True)
class _OnTheWay:
    step: int
    cursor: DataCursor
    learning_rate: float
    sent_at: float
    sent: Sent


class Submitting:
    """An `Advance` that keeps `submit_ahead` batches on their way.

    Args:
        context: The worker.
        stepper: The method's batches.
        batches_per_epoch: Batches of one pass over the data.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        context: RunContext,
        stepper: Stepper,
        *,
        batches_per_epoch: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context, self._stepper, self._clock = context, stepper, clock
        self._config = context.plan.training
        self._batches_per_epoch = batches_per_epoch
        self._eval_every: int | None = None
        self._free_since = clock()

    async def advance(self, step: int, barrier: int) -> tuple[int, Directive]:
        """Train up to `barrier`, or until what was sent before a directive or another cadence came is applied."""
        on_the_way: deque[_OnTheWay] = deque()
        asked = Directive.CONTINUE
        submitted = step
        self._free_since = self._clock()
        while step < barrier:
            while asked is Directive.CONTINUE and submitted < barrier and len(on_the_way) <= self._config.submit_ahead:
                submitted += 1
                settings = self._context.settings_from(submitted)
                on_the_way.append(await self._submit(submitted, settings))
                if self._is_new_cadence(eval_every_at(self._config, submitted, settings)):
                    barrier = submitted
            if not on_the_way:
                break
            step = await self._finish(on_the_way.popleft())
            asked = stronger(asked, await self._context.directive())
        return step, asked

    async def _submit(self, step: int, settings: Sequence[SettingChange]) -> _OnTheWay:
        cursor = DataCursor.after(step - 1, self._batches_per_epoch)
        learning_rate = learning_rate_at(self._config, step, settings)
        sent = await self._stepper.submit(cursor, learning_rate)
        return _OnTheWay(step, cursor, learning_rate, self._clock(), sent)

    def _is_new_cadence(self, eval_every: int) -> bool:
        """Whether evals are due at other steps than before, so that the barrier may no longer be right."""
        before, self._eval_every = self._eval_every, eval_every
        return before is not None and before != eval_every

    async def _finish(self, done: _OnTheWay) -> int:
        result = await done.sent.pending.result()
        now = self._clock()
        seconds = now - max(self._free_since, done.sent_at)
        self._free_since = now
        values = {
            **result.metrics,
            **done.sent.values,
            **self._stepper.values(result),
            "learning_rate": done.learning_rate,
            "num_tokens": result.tokens,
            "tokens_per_second": result.tokens / seconds if seconds > 0 else math.nan,
            "step_seconds": seconds,
            "epoch": done.cursor.epoch,
        }
        self._context.record_step(done.step, values, trained=done.cursor, spends=self._spends(done, result.tokens))
        return done.step

    def _spends(self, done: _OnTheWay, tokens: int) -> list[Spend]:
        quote = self._context.backend.quote
        spends = [Spend(kind="train", step=done.step, tokens=tokens, usd=price(tokens, quote.train_usd))]
        if passed := done.sent.forward_tokens:
            spends.append(Spend(kind="prefill", step=done.step, tokens=passed, usd=price(passed, quote.train_usd)))
        if read := done.sent.prefill_tokens:
            spends.append(Spend(kind="prefill", step=done.step, tokens=read, usd=price(read, quote.prefill_usd)))
        return spends

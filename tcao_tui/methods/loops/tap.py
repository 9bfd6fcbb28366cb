"""What a loop of the cookbook logs becomes our rows, ledger entries and rollouts; its files are kept for people."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from tinker_cookbook.stores.storage import LocalStorage
from tinker_cookbook.stores.training_store import TrainingRunStore
from tinker_cookbook.utils import ml_log

from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.events import LogLine, RolloutsTaken, Spend
from tcao_tui.methods.evaluation import price
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.loops.groups import Decode, Groups, SampledGroup, as_rollouts, group_values
from tcao_tui.methods.port import RunContext
from tcao_tui.store.rollout_files import write_rollouts

COOKBOOK_DIR = "cookbook"
"""Directory of the cookbook's own files inside the run's."""

_OUR_NAMES = {
    "entropy": "optim/entropy",
    "kl_sample_train": "optim/kl_sample_train_v1",
    "kl_reference": "kl_policy_base",
    "staleness": "async/staleness_mean",
    "sampled_tokens": "tokens/sampled",
    "num_tokens": "tokens/trained",
    "unscored": "env/all/unscored",
}
_LEFT_OUT = re.compile(r"tokens/(cumulative|discarded)/|cost/|progress/|optim/lr$|time/.*:")
"""What we count ourselves, and the many spans of `timing_spans.jsonl`."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What an update of a loop that exports nothing has trained.

    Attributes:
        groups: Its answers.
        numbers: About them, by our keys or the cookbook's; rewards say nothing there.
        spends: Tokens that others than the trained model's server time were paid for.
    """

    groups: list[SampledGroup]
    numbers: Mapping[str, float]
    spends: Sequence[Spend]


class Tap(ml_log.Logger):
    """The loop's logger: each call of `log_metrics` is one update, applied and recorded.

    Args:
        context: The worker.
        client: The loop's training client.
        groups: Watched groups of answers.
        decode: Tokens to text.
        batches_per_epoch: Batches of one pass over the data.
        more_spends: Further tokens used since it was last asked, such as those of a preference model, by kind.
        settle: For a loop that does not export what it trains: tells it of an update by its number.
        clock: Monotonic seconds.

    Attributes:
        on_step: Called after an update is recorded.
    """

    def __init__(
        self,
        context: RunContext,
        client: LoopClient,
        groups: Groups,
        decode: Decode,
        *,
        batches_per_epoch: int,
        more_spends: Callable[[], Mapping[str, int]] = dict,
        settle: Callable[[int], Settled] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context, self._client, self._groups, self._decode = context, client, groups, decode
        self._batches_per_epoch, self._more_spends, self._clock = batches_per_epoch, more_spends, clock
        self._settle = settle
        self._store = _LoopStore(context.run_dir / COOKBOOK_DIR, self._take, self._warn_once)
        self._trained: list[SampledGroup] = []
        self._since = clock()
        self._warned = False
        self.on_step: Callable[[], None] = lambda: None

    @property
    def store(self) -> TrainingRunStore:
        """Where the loop writes its files: what it asks for of the cookbook's class."""
        return cast("TrainingRunStore", self._store)

    def begin(self) -> None:
        """A segment begins: what an earlier one sampled and did not train is forgotten."""
        self._groups.forget()
        self._since = self._clock()

    def log_hparams(self, config: object) -> None:
        """The plan holds them."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
        """Record an update and the answers it learned from; numbers without an update are left out."""
        if not self._client.updating:
            return
        cursor = DataCursor.after(self._client.step, self._batches_per_epoch)
        update = self._client.step + 1
        about, spends = group_values(self._trained), list[Spend]()
        if self._settle is not None:
            settled = self._settle(update)
            self._trained, about, metrics = settled.groups, {}, {**metrics, **settled.numbers}
            spends += settled.spends
        values = {**about, **self._values(metrics, cursor)}
        self._context.record_step(update, values, trained=cursor, spends=[*self._spends(update, metrics), *spends])
        self._client.recorded()
        self._keep_rollouts(update)
        self._trained = []
        self.on_step()

    def _take(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._trained = self._groups.take(records)

    def _values(self, metrics: Mapping[str, Any], cursor: DataCursor) -> dict[str, float]:
        now = self._clock()
        seconds, self._since = now - self._since, now
        kept = {
            key: float(value)
            for key, value in metrics.items()
            if isinstance(value, int | float) and not _LEFT_OUT.match(key)
        }
        ours = {name: kept.pop(theirs) for name, theirs in _OUR_NAMES.items() if theirs in kept}
        tokens = ours.get("num_tokens", 0.0)
        return {
            **ours,
            "learning_rate": self._client.learning_rate,
            "tokens_per_second": tokens / seconds if seconds > 0 else math.nan,
            "step_seconds": seconds,
            "epoch": cursor.epoch,
            **kept,
        }

    def _spends(self, update: int, metrics: Mapping[str, Any]) -> list[Spend]:
        quote, more = self._context.backend.quote, self._more_spends()
        prefill = sum(int(metrics.get(f"tokens/prefill_{kind}", 0)) for kind in ("cached", "uncached"))
        used: tuple[tuple[Any, int, float | None], ...] = (
            ("train", int(metrics.get("tokens/trained", 0)), quote.train_usd),
            ("prefill", prefill + more.get("prefill", 0), quote.prefill_usd),
            ("sample", int(metrics.get("tokens/sampled", 0)) + more.get("sample", 0), quote.sample_usd),
        )
        return [
            Spend(kind=kind, step=update, tokens=tokens, usd=price(tokens, usd)) for kind, tokens, usd in used if tokens
        ]

    def _keep_rollouts(self, update: int) -> None:
        if not self._trained:
            return
        try:
            file = write_rollouts(self._context.run_dir, update, as_rollouts(update, self._trained, self._decode))
        except OSError as error:
            self._warn_once(error)
            return
        rewards = [float(reward) for group in self._trained for reward in group.rewards]
        self._context.emit(
            RolloutsTaken(
                step=update, file=file, groups=len(self._trained), answers=len(rewards), mean_reward=fmean(rewards)
            )
        )

    def _warn_once(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            why = error.strerror or type(error).__name__
            message = f"answers are not kept on disk ({why}); training goes on"
            self._context.emit(LogLine(level="warning", message=message))


class _LoopStore:
    """The loop's files, none of which may end a training.

    Args:
        directory: Made when something is first written.
        take: Gets the records of the answers that were trained.
        failed: Told of what could not be written.
    """

    def __init__(
        self,
        directory: Path,
        take: Callable[[Sequence[Mapping[str, Any]]], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._directory, self._take, self._failed = directory, take, failed

    def write_rollouts(self, iteration: int, records: list[dict[str, Any]], base_name: str = "train") -> None:
        """Take the records, which say what was trained; they are not kept, since our rollouts hold more."""
        self._take(records)

    def write_timing_spans(self, step: int, spans: list[dict[str, Any]]) -> None:
        """Keep how long each part of an update took."""
        try:
            TrainingRunStore(LocalStorage(self._directory)).write_timing_spans(step, spans)
        except OSError as error:
            self._failed(error)

    def write_checkpoint(self, record: dict[str, Any]) -> None:
        """Nothing: nothing was saved, see `LoopClient.save_state`."""

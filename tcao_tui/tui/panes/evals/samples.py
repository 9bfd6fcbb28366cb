"""The samples of one cell as they are looked at: against the base, filtered, searched and sorted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tcao_tui.domain.evaluation import EvalTask, ItemResult
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.transcript import SamplePreview
from tcao_tui.tui.panes.evals.names import Scale

_HALF = 0.5
"""A share of answers below it is wrong more often than right."""


class Only(StrEnum):
    """Which samples are shown."""

    ALL = "all"
    WRONG = "wrong"
    FLIPPED = "flipped"
    CUT = "cut off"
    ERROR = "errors"
    UNSCORED = "unscored"


class Order(StrEnum):
    """By what samples are sorted."""

    ITEM = "as asked"
    VALUE = "value"
    AGAINST = "against the base"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a cell.

    Attributes:
        item: What it got.
        gain: Against the base, above zero is better; None where one of them has no grade.
        is_wrong: More wrong than right; False where scores are no shares.
        preview: How it begins; None while that is not known.
    """

    item: ItemResult
    gain: float | None
    is_wrong: bool
    preview: SamplePreview | None = None

    @property
    def against(self) -> str:
        """`won`, `lost`, `same`, or nothing."""
        if self.gain is None:
            return ""
        return "won" if self.gain > 0 else "lost" if self.gain < 0 else "same"

    @property
    def flags(self) -> str:
        """What is wrong with it."""
        item = self.item
        flags = ["wrong"] if self.is_wrong else []
        flags += ["cut off"] if item.truncated else []
        flags += ["error"] if item.error else ["unscored"] if item.value is None else []
        return ", ".join(flags)

    @property
    def text(self) -> str:
        """How it begins, for people; the error where there is one."""
        preview = self.preview
        said = preview.asked if preview is not None else ""
        return one_line(self.item.error or said)

    def has(self, words: str) -> bool:
        """Whether it has a text, whatever its case."""
        preview = self.preview
        texts = [self.item.item, self.item.error]
        texts += [preview.asked, preview.target, preview.answer] if preview is not None else []
        return any(words in text.casefold() for text in texts)


def samples_of(
    task: EvalTask,
    scale: Scale,
    items: Sequence[ItemResult],
    base: Sequence[ItemResult],
    previews: Mapping[str, SamplePreview],
) -> list[Sample]:
    """Every item, against the base's where that has it."""
    theirs = {item.item: item.value for item in base}
    sign = 1 if task.higher_is_better else -1

    def sample(item: ItemResult) -> Sample:
        other = theirs.get(item.item)
        gain = None if item.value is None or other is None else sign * (item.value - other)
        goodness = None if item.value is None else item.value if task.higher_is_better else 1 - item.value
        is_wrong = scale.is_share and goodness is not None and goodness < _HALF
        return Sample(item, gain, is_wrong, previews.get(item.item))

    return [sample(item) for item in items]


_ONLY: Mapping[Only, Callable[[Sample], bool]] = {
    Only.ALL: lambda _sample: True,
    Only.WRONG: lambda sample: sample.is_wrong,
    Only.FLIPPED: lambda sample: bool(sample.gain),
    Only.CUT: lambda sample: sample.item.truncated,
    Only.ERROR: lambda sample: bool(sample.item.error),
    Only.UNSCORED: lambda sample: sample.item.value is None and not sample.item.error,
}

_FAR = float("inf")


def _sort_key(order: Order) -> Callable[[Sample], float]:
    match order:
        case Order.VALUE:
            return lambda sample: _FAR if sample.item.value is None else sample.item.value
        case Order.AGAINST:
            return lambda sample: _FAR if sample.gain is None else sample.gain
        case Order.TOKENS:
            return lambda sample: -sample.item.tokens
        case Order.ITEM:
            return lambda _sample: 0.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Filter, search and order."""

    only: Only = Only.ALL
    order: Order = Order.ITEM
    reverse: bool = False
    wanted: str = ""

    def of(self, samples: Sequence[Sample]) -> list[Sample]:
        """Those that are shown, in order."""
        words = self.wanted.casefold()
        shown = [sample for sample in samples if _ONLY[self.only](sample) and (not words or sample.has(words))]
        shown = sorted(shown, key=_sort_key(self.order))
        return shown[::-1] if self.reverse else shown


def counts_of(samples: Sequence[Sample]) -> Mapping[Only, int]:
    """How many each filter shows."""
    return {only: sum(_ONLY[only](sample) for sample in samples) for only in Only}

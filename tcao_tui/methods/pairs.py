"""Preference pairs to rendered rows, two for each pair: what both methods that learn from pairs have in common."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.data.check import DataReport
from tcao_tui.data.order import BatchOrder
from tcao_tui.data.rows import PreferenceRow, Row
from tcao_tui.domain.events import DataLoaded, LogLine
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.loading import checked, each_row, tell_about_renderer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.methods.token_rows import TokenRows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

type Side = tuple[list[int], list[bool]]
"""All tokens of one side of a pair, and whether each carries loss."""

type RenderPair = Callable[[PreferenceRow], tuple[Side, Side]]
"""Both sides of a pair as they are trained; raises `RowRejected`."""


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Files that were read whole and hold no bad pair."""

    train: DataReport
    validation: DataReport | None
    order: BatchOrder


class PairRows:
    """Rendered pairs in file order.

    Args:
        path: Their file.
        max_tokens: The longest length of a side.

    Attributes:
        rows: Two for each pair; a pair that will never be used is two empty ones.
        truncated: Pairs of which a side was cut.
        idle: Pairs that teach nothing, by number from 0, with their line.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        self.path, self._max_tokens = path, max_tokens
        self.rows = TokenRows(max_tokens, summed=True)
        self.truncated = 0
        self.idle: array[int] = array("q")
        self.first_idle_line = 0

    def __len__(self) -> int:
        return len(self.rows) // 2

    def add(self, sides: tuple[Side, Side], line: int) -> None:
        """Append a pair that begins in this line of its file."""
        limit = self._max_tokens
        (first, first_trained), (second, second_trained) = sides
        self.truncated += max(len(first), len(second)) > limit
        has_loss = any(first_trained[1:limit]) and any(second_trained[1:limit])
        if not has_loss or first[:limit] == second[:limit]:
            self.first_idle_line = self.first_idle_line or line
            self.idle.append(len(self))
        for tokens, trained in sides:
            self.rows.add(tokens, trained)

    def skip(self) -> None:
        """Append a pair that will not be used."""
        self.rows.skip()
        self.rows.skip()

    @property
    def judged(self) -> list[int]:
        """Rows of the pairs that say something."""
        idle = set(self.idle)
        return self.sides(pair for pair in range(len(self)) if pair not in idle)

    @staticmethod
    def sides(pairs: Iterable[int]) -> list[int]:
        """Rows of these pairs: first, second, first, second, and so on."""
        return [row for pair in pairs for row in (2 * pair, 2 * pair + 1)]


@dataclass(frozen=True, slots=True)
class PairData:
    """Rendered pairs; `validation` None when the plan has no such file."""

    order: BatchOrder
    train: PairRows
    validation: PairRows | None


def pair_renderer(config: TrainingConfig, tokenizer: PreTrainedTokenizerBase) -> ChatRenderer:
    """The renderer of a plan whose loss is on the last message, as in the cookbook.

    Earlier turns are the same in both answers: they would cancel out.

    Raises:
        PlanInvalid: As `ChatRenderer`.
    """
    return ChatRenderer(config.model_copy(update={"train_on_what": "last_assistant_message"}), tokenizer)


async def check_pair_files(context: RunContext) -> PairFiles:
    """Read the files of the plan once, before anything is asked of the server.

    Raises:
        PlanInvalid: Bad pairs (all of them are named), too few of them, or a file that is not the approved one.
    """
    config, approved = context.plan.training, context.plan.data
    train = await checked(context, config.train_file, config, approved.train_file, "preference")
    validation = None
    if config.val_file is not None:
        validation = await checked(context, config.val_file, config, approved.val_file, "preference")
    return PairFiles(train, validation, BatchOrder(train.rows, config.train_batch_size, config.seed))


async def load_pairs(
    context: RunContext, files: PairFiles, renderer: ChatRenderer, render: RenderPair, *, sides: int
) -> PairData:
    """Render all pairs that will be used and tell what they hold.

    Args:
        context: The worker.
        files: The checked files.
        renderer: What `render` renders with.
        render: Renders one pair.
        sides: How many of the two sides of a pair are trained in one pass over the data.

    Raises:
        PlanInvalid: Pairs are refused, or none of them would teach anything.
    """
    tell_about_renderer(context, renderer)
    used = files.order.rows_used(context.plan.training.num_steps)
    with quiet_renderers():
        train = await _render(context, files.train, render, used)
        validation = None if files.validation is None else await _render(context, files.validation, render, None)
    context.emit(
        DataLoaded(
            train_rows=len(train),
            val_rows=0 if validation is None else len(validation),
            batches_per_epoch=files.order.batches_per_epoch,
            train_tokens=train.rows.tokens * sides // 2,
            loss_tokens=train.rows.loss_tokens * sides // 2,
            truncated_rows=train.truncated,
        )
    )
    return PairData(files.order, train, validation)


async def _render(context: RunContext, report: DataReport, render: RenderPair, used: Container[int] | None) -> PairRows:
    pairs = PairRows(report.path, context.plan.training.max_seq_len)

    def take(index: int, row: Row, line: int) -> None:
        assert isinstance(row, PreferenceRow)
        if used is None or index in used:
            pairs.add(render(row), line)
        else:
            pairs.skip()

    await each_row(context, report, "preference", take)
    _tell_about_idle_pairs(context, pairs)
    return pairs


def _tell_about_idle_pairs(context: RunContext, pairs: PairRows) -> None:
    if not pairs.idle:
        return
    first, limit = f"{pairs.path}:{pairs.first_idle_line}", context.plan.training.max_seq_len
    why = f"cut to {limit} tokens, a side keeps nothing that carries loss, or both sides are the same"
    if len(pairs.idle) * 2 == pairs.rows.used:
        raise PlanInvalid(f"no pair teaches anything: {why}", where=first, next_step="raise training.max_seq_len")
    many = len(pairs.idle)
    context.emit(LogLine(level="warning", message=f"{many} pairs teach nothing: {why}; first: {first}"))

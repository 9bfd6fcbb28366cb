"""Rows as a model sees them: tokens with their loss mask, by the same renderer that training uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tcao_tui.data.rows import ChatRow, Conversation, PreferenceRow, Row
from tcao_tui.domain.training_config import TrainingConfig, TrainOnWhat
from tcao_tui.methods.rendering import ChatRenderer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

type Side = Literal["", "chosen", "rejected"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One sequence of tokens.

    Attributes:
        tokens: All of them, before anything is cut.
        trained: Whether each carries loss; none does in a prompt that is to be answered.
        conversation: What they were made of; `asks` when the assistant's answer is still to come.
        side: Which side of a pair this is.
    """

    tokens: Sequence[int]
    trained: Sequence[bool]
    conversation: Conversation
    asks: bool = False
    side: Side = ""

    def trained_within(self, limit: int) -> int:
        """Tokens that carry loss once the sequence is cut."""
        return sum(self.trained[:limit])


class RowRenderer:
    """Renders rows of every kind for one model.

    Args:
        model: Name of the model, which the renderer is chosen by unless `renderer` names one.
        tokenizer: The model's tokenizer.

    Raises:
        PlanInvalid: There is no such renderer, or none is known for the model.
    """

    def __init__(self, model: str, renderer: str | None, tokenizer: PreTrainedTokenizerBase) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self._chat = ChatRenderer(rendering_config(model, renderer, "all_assistant_messages"), tokenizer)
        self._pair = ChatRenderer(rendering_config(model, renderer, "last_assistant_message"), tokenizer)
        self.name = self._chat.name

    def render(self, row: Row) -> list[Rendered]:
        """The sequences of a row: two for a pair, the better one first, else one. Raises `RowRejected`."""
        match row:
            case ChatRow():
                return [_rendered(self._chat, row, "")]
            case PreferenceRow(prompt, chosen, rejected):
                return [
                    _rendered(self._pair, ChatRow([*prompt, *chosen]), "chosen"),
                    _rendered(self._pair, ChatRow([*prompt, *rejected]), "rejected"),
                ]
            case _:
                tokens = self._chat.prompt(row.prompt).to_ints()
                return [Rendered(tokens, [False] * len(tokens), row.prompt, asks=True)]


def _rendered(renderer: ChatRenderer, row: ChatRow, side: Side) -> Rendered:
    tokens, trained = renderer.trained_tokens(row)
    # The first token is predicted from nothing, so it never carries loss.
    return Rendered(tokens, [False, *trained[1:]], row.conversation, side=side)


def rendering_config(model: str, renderer: str | None, train_on_what: TrainOnWhat) -> TrainingConfig:
    """A configuration that says no more than what rendering needs."""
    return TrainingConfig(
        base_model=model,
        renderer_name=renderer,
        train_on_what=train_on_what,
        run_name="inspect",
        train_file=Path("rows.jsonl"),
        learning_rate=1e-4,
    )

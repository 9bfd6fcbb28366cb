"""Conversations to tokens and back with the cookbook's renderers, which know each model family's chat format."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, cast

import tinker
from tinker_cookbook import model_info, renderers
from tinker_cookbook.exceptions import TinkerCookbookError
from tinker_cookbook.renderers import Message, Renderer, TrainOnWhat

from tcao_tui import paths
from tcao_tui.data.rows import ChatRow, Conversation, RowRejected
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.messages import MessageWriter
from tcao_tui.methods.token_rows import TokenRows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizer, PreTrainedTokenizerBase

_RENDERER_LOG = "tinker_cookbook.renderers.base"


def renderer_name(config: TrainingConfig) -> str:
    """The renderer of the plan, else the one that the cookbook recommends for the model.

    Raises:
        PlanInvalid: The cookbook does not know the model.
    """
    if config.renderer_name is not None:
        return config.renderer_name
    if config.base_model == paths.TINY_MODEL_NAME:
        return paths.TINY_MODEL_RENDERER
    try:
        return model_info.get_recommended_renderer_name(config.base_model)
    except (TinkerCookbookError, KeyError, ValueError):
        raise PlanInvalid(
            f"the cookbook recommends no renderer for {config.base_model!r}",
            where="training.renderer_name",
            next_step="set renderer_name to the chat format of the model, such as qwen3_instruct or role_colon",
        ) from None


class ChatRenderer:
    """Renders rows for training and prompts for sampling, and reads answers.

    Args:
        config: Names the renderer and what is trained on.
        tokenizer: The model's tokenizer.

    Raises:
        PlanInvalid: There is no such renderer, or it does not work with this model.
    """

    def __init__(self, config: TrainingConfig, tokenizer: PreTrainedTokenizerBase) -> None:
        self.name = renderer_name(config)
        self._train_on_what = TrainOnWhat(config.train_on_what)
        try:
            self._renderer: Renderer = renderers.get_renderer(
                self.name, cast("PreTrainedTokenizer", tokenizer), model_name=config.base_model
            )
        except (TinkerCookbookError, ValueError, AssertionError) as error:
            raise PlanInvalid(
                f"renderer {self.name!r} cannot be used: {error}",
                where="training.renderer_name",
                next_step="choose a renderer that fits the model, or leave renderer_name out",
            ) from error
        self._writer = MessageWriter(self._renderer)

    @property
    def cookbook(self) -> Renderer:
        """The cookbook's renderer itself, for what it builds on one: environments, preference models."""
        return self._renderer

    def messages(self, conversation: Conversation) -> list[Message]:
        """Turns without tools as the cookbook's messages."""
        return self._writer.messages(conversation)

    @property
    def warning(self) -> str:
        """What a person should know about this renderer and this choice of trained tokens; empty if nothing."""
        if self._renderer.has_extension_property or self._train_on_what is not TrainOnWhat.ALL_ASSISTANT_MESSAGES:
            return ""
        return (
            f"renderer {self.name} writes earlier assistant turns otherwise than the one being answered: in rows of "
            "several assistant turns, the earlier ones are trained in a form that is never sampled"
        )

    def add_row(self, row: ChatRow, rows: TokenRows) -> None:
        """Render a training row and append it.

        Raises:
            RowRejected: The renderer refuses the row, or it has fewer than two tokens.
        """
        rows.add(*self.trained_tokens(row))
        rows.thinking_left_out += self._writer.loses_thinking(row)

    def trained_tokens(self, row: ChatRow) -> tuple[list[int], list[bool]]:
        """All tokens of a training row, and whether each carries loss.

        Raises:
            RowRejected: As `add_row`.
        """
        with self.refusing():
            messages = self._writer.messages(row.conversation, row.tools)
            model_input, weights = self._renderer.build_supervised_example(messages, self._train_on_what)
            tokens = model_input.to_ints()
            loses_calls = self._writer.loses_calls(row)
        if loses_calls:
            raise RowRejected(f"renderer {self.name} leaves tool calls out", "choose one that knows tools")
        if len(tokens) < 2:
            raise RowRejected("has fewer than two tokens", "remove it")
        return tokens, (weights > 0).tolist()

    def prompt(self, conversation: Conversation, tools: Sequence[dict[str, Any]] = ()) -> tinker.ModelInput:
        """The turns, and tools that are offered, as a prompt that asks for the assistant's answer.

        Raises:
            RowRejected: The renderer refuses them.
        """
        with self.refusing():
            return self._renderer.build_generation_prompt(self._writer.messages(conversation, tools))

    @contextlib.contextmanager
    def refusing(self) -> Generator[None]:
        """Around code that renders a row itself: what the renderer does not take becomes `RowRejected`."""
        try:
            yield
        except (TinkerCookbookError, ValueError, AssertionError, NotImplementedError) as error:
            reason = str(error) or "it knows no tools"
            raise RowRejected(f"renderer {self.name} refuses the row: {reason}", "correct or remove it") from error

    @property
    def stop(self) -> Sequence[str] | Sequence[int]:
        """What ends an answer."""
        return self._renderer.get_stop_sequences()

    def text(self, answer: Sequence[int]) -> str:
        """The visible text of a sampled answer, without thinking and end marks."""
        message, _ = self._renderer.parse_response(list(answer))
        return renderers.get_text_content(message)


@contextlib.contextmanager
def quiet_renderers() -> Generator[None]:
    """Keep the cookbook from repeating one warning for each row; `ChatRenderer.warning` says it once."""
    logger = logging.getLogger(_RENDERER_LOG)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)

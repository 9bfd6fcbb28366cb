"""How one model is talked to: chat format with or without thinking, tokenizer, price. Seconds of imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinker.types import SupportedModel
from tinker_cookbook.exceptions import TinkerCookbookError
from tinker_cookbook.renderers import Message as CookbookMessage
from tinker_cookbook.renderers import ParseTermination, Renderer, classify_parse_failure, get_text_content

from tcao_tui import paths
from tcao_tui.clients.tinker_errors import clean
from tcao_tui.domain.chat import Message, Prices
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.errors import BackendError, UsageError
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.probes.models import describe
from tcao_tui.probes.rendered import rendering_config
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import TokenizerMissing, load_tokenizer, place_of
from tcao_tui.services import engine_server

if TYPE_CHECKING:
    import tinker
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as text; `problem` says why it could not be read as the format has it."""

    text: str
    thinking: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """One model with one chat format."""

    model: str
    prices: Prices
    _renderer: ChatRenderer
    _tokenizer: PreTrainedTokenizerBase

    @property
    def renderer(self) -> str:
        """Name of the chat format."""
        return self._renderer.name

    @property
    def cookbook(self) -> Renderer:
        """The chat format as the cookbook's own code takes it."""
        return self._renderer.cookbook

    @property
    def stop(self) -> list[str] | list[int]:
        """What ends an answer."""
        return self._renderer.cookbook.get_stop_sequences()

    def prompt(self, messages: Sequence[Message]) -> tinker.ModelInput:
        """Tokens that ask for an answer. Raises `RowRejected`."""
        return self._renderer.prompt([{"role": each.role, "content": each.content} for each in messages])

    def read(self, tokens: Sequence[int], *, is_cut: bool) -> Said:
        """An answer as text; one that cannot be read is shown as it was written."""
        try:
            message, termination = self._renderer.cookbook.parse_response(list(tokens))
        except (TinkerCookbookError, ValueError, AssertionError) as error:
            return Said(str(self._tokenizer.decode(list(tokens))), problem=clean(str(error)))
        return Said(get_text_content(message), _thinking(message), _problem(message, termination, is_cut=is_cut))


def _thinking(message: CookbookMessage) -> str:
    content = message["content"]
    return "" if isinstance(content, str) else "\n".join(p["thinking"] for p in content if p["type"] == "thinking")


def _problem(message: CookbookMessage, termination: ParseTermination, *, is_cut: bool) -> str:
    if calls := message.get("tool_calls"):
        return "calls a tool, and none is offered here: " + ", ".join(call.function.name for call in calls)
    # An answer at the limit of tokens has no end, and that is said anyway.
    failure = None if is_cut else classify_parse_failure(message, termination)
    return failure[1] if failure else ""


def open_voice(server: Server, model: str, trained: str, thinking: bool | None) -> Voice:
    """The chat format and tokenizer of a model of a server; blocks on disk, on the hub and on the price list.

    Args:
        server: The server.
        model: Name of a base model there.
        trained: Chat format that the weights were trained with; empty when not known.
        thinking: Whether answers are to begin with thinking; None as `trained`, or as recommended.

    Raises:
        UsageError: No chat format is known, or none of this kind.
        BackendError: The tokenizer cannot be had.
        PlanInvalid: The chat format does not work with this model.
    """
    profile = server.profile
    folders: Mapping[str, Path] = {}
    if profile.kind == "engine":
        folders = engine_server.status(paths.engine_dir()).model_dirs
    known = describe(SupportedModel(model_name=model), profile, server.address, folders)
    renderer = chosen_renderer(model, trained, known.renderers, thinking)
    try:
        tokenizer = load_tokenizer(place_of(model, known.tokenizer if model in folders else ""))
    except TokenizerMissing as error:
        raise BackendError(str(error)) from error
    prices = Prices(prefill_usd=known.price.prefill_usd, sample_usd=known.price.sample_usd)
    config = rendering_config(model, renderer, "last_assistant_message")
    return Voice(model, prices, ChatRenderer(config, tokenizer), tokenizer)


def chosen_renderer(model: str, trained: str, recommended: Sequence[str], thinking: bool | None) -> str:
    """The chat format to use: the one of the training, else a recommended one, of those that think as is wanted.

    Raises:
        UsageError: There is none.
    """
    known = [*([trained] if trained else []), *recommended]
    if not known:
        raise UsageError(
            f"no chat format is known for {clean(model)}", next_step="name one, such as --renderer role_colon"
        )
    fitting = known if thinking is None else [name for name in known if thinks(name) is thinking]
    if not fitting:
        wish = "with" if thinking else "without"
        raise UsageError(f"{clean(model)} knows no chat format {wish} thinking; there are: {', '.join(known)}")
    return fitting[0]

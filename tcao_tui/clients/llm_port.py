"""An LLM as the planner sees it: a request streams, and ends in one whole turn or in an `LlmFailure`.

What a turn means and what runs because of it is the planner's business; nothing here executes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Thinking = Literal["summarized", "omitted", "none"]


@dataclass(frozen=True, slots=True)
class LlmProfile:
    """A model at a server, and what the server understands.

    Attributes:
        base_url: Address without `/v1`; None is the SDK's default.
        strict: Tools marked strict are sent so.
        cache: Cache marks are sent.
        thinking: How thinking comes back; "none" leaves it out of the request.
        effort: None leaves it out of the request.
        api_version: Header `anthropic-version`; None is the SDK's.
        max_output_tokens: Per turn, thinking included.
    """

    model: str
    base_url: str | None = None
    strict: bool = True
    cache: bool = True
    thinking: Thinking = "summarized"
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    api_version: str | None = None
    max_output_tokens: int = 16_000


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model reads it: `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]
    strict: bool = False


@dataclass(frozen=True, slots=True)
class LlmRequest:
    """One request: system prompt and tools stay the same for a whole conversation, messages only grow."""

    system: str
    tools: tuple[ToolSpec, ...]
    messages: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TextPart:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """More of the summarised thinking."""

    text: str


LlmPart = TextPart | ThinkingPart


@dataclass(frozen=True, slots=True)
class LlmUsage:
    """Tokens of one request, four counters that are priced separately; together input and output of the request."""

    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0

    @property
    def context_tokens(self) -> int:
        """All input, cached or not."""
        return self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens

    @property
    def all_tokens(self) -> int:
        """Input and output."""
        return self.context_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class LlmTurn:
    """A whole turn of the model.

    Attributes:
        content: Blocks as the API takes them back, thinking signatures included.
        tool_json: By position in `content`, the arguments of a tool call as they were written; a block that was never
            closed has no entry.
        stop_reason: Why the model stopped.
        refusal: Category of a refusal; "" when there is none or it was not named.
        model: The one that answered.
    """

    content: tuple[dict[str, Any], ...]
    tool_json: dict[int, str]
    stop_reason: str
    usage: LlmUsage
    model: str
    refusal: str = ""


FailureKind = Literal[
    "away", "garbled", "bad_tool_json", "schemas_too_large", "bad_request", "key", "billing", "access"
]
"""What an `LlmFailure` is about; see there."""


class LlmFailure(Exception):
    """A request came to nothing.

    Args:
        kind: "away" (overloaded, rate limit, no connection, ended early) and "garbled" (not an Anthropic stream) may
            pass; "bad_tool_json" is the model's; "schemas_too_large" goes away without strict tools; "bad_request"
            is about what was sent; "key", "billing" and "access" a person must mend.
        what: One sentence for a person, without any key.
        retry_after_seconds: What the server asked to wait; None when it did not say.
        next_step: What a person can do.
    """

    def __init__(
        self, kind: FailureKind, what: str, *, retry_after_seconds: float | None = None, next_step: str = ""
    ) -> None:
        super().__init__(what)
        self.kind: FailureKind = kind
        self.what = what
        self.retry_after_seconds = retry_after_seconds
        self.next_step = next_step


class LlmClient(Protocol):
    """A model that can be asked."""

    async def stream(self, request: LlmRequest, on_part: Callable[[LlmPart], None]) -> LlmTurn:
        """Ask once, without retries.

        Args:
            request: What to ask.
            on_part: Told every piece as it arrives; pieces of a request that fails are void.

        Raises:
            LlmFailure: There is no whole turn.
        """
        ...

    async def close(self) -> None:
        """Let the connection go."""
        ...

"""What the Anthropic SDK throws, as an `LlmFailure`: wait, correct the request, or ask a person.

Branches on status, `.type` and class; the wording of a server may change and is only quoted.
"""

from __future__ import annotations

import re

import anthropic
import httpx2

from tcao_tui.clients.llm_port import FailureKind, LlmFailure
from tcao_tui.domain.plain_text import one_line

SDK_ERRORS = (
    anthropic.AnthropicError,
    httpx2.HTTPError,
    OSError,
    ValueError,
    TypeError,
    RuntimeError,
    LookupError,
    AttributeError,
    AssertionError,
)
"""All that the SDK is known to raise; a stream that is no Anthropic stream breaks it in the last five ways."""

_PASSING_STATUS = {408, 409, 429, 499}
_PASSING_TYPES = {"overloaded_error", "rate_limit_error", "api_error", "timeout_error", "conflict_error"}
_SCHEMAS = re.compile(
    r"compiled grammar|grammar is too large|too many strict tools|schema is too complex", re.IGNORECASE
)
_KEY_LIKE = re.compile(r"\b(sk-|Bearer\s+)[A-Za-z0-9._-]{8,}")
_WHO = "the planner's model"


def failure_of(error: BaseException, *, key: str | None = None) -> LlmFailure:
    """The failure to raise in place of the SDK's error; `key` is cut out of what is quoted."""
    match error:
        case anthropic.APIStatusError():
            return _of_status(error, _said(error.api_message or error.message, key))
        case anthropic.CredentialsError():
            return LlmFailure("key", f"no usable Anthropic credentials: {_said(str(error), key)}", next_step=_KEY_STEP)
        case anthropic.APITimeoutError():
            return LlmFailure("away", f"{_WHO} did not answer in time")
        case anthropic.APIConnectionError():
            return LlmFailure("away", f"no connection to {_WHO} at {error.request.url.host}")
        case httpx2.HTTPError() | OSError():
            return LlmFailure("away", f"the connection to {_WHO} broke ({type(error).__name__})")
        case TypeError() if "authentication method" in str(error):
            return LlmFailure("key", "no Anthropic key was found", next_step=_KEY_STEP)
        case ValueError() if "tool parameter JSON" in str(error):
            return LlmFailure("bad_tool_json", "the model wrote a tool call that is not JSON")
        case _:
            return LlmFailure(
                "garbled",
                f"what the server sent is not an Anthropic stream ({type(error).__name__})",
                next_step=_URL_STEP,
            )


_KEY_STEP = "export ANTHROPIC_API_KEY=..., or set planner.key_env, key_file or key_command in the settings"
_SWITCHES_STEP = "switch off what this server does not know: planner.strict, cache, thinking, effort"
_URL_STEP = "check planner.base_url: the address of a server that speaks Anthropic's Messages API, without /v1"


def _of_status(error: anthropic.APIStatusError, said: str) -> LlmFailure:
    status = error.status_code
    what = f"{_WHO} answered {status}: {said}" if status != 200 else f"{_WHO} broke off: {said}"
    kind: FailureKind
    match status:
        case 401:
            kind, step = "key", _KEY_STEP
        case 402:
            kind, step = "billing", "check billing in the Anthropic console"
        case 403:
            kind, step = "access", "ask for access to the model, or set another planner.model"
        case 404:
            kind, step = "access", "set planner.model to a model of this server, and planner.base_url without /v1"
        case 400 if _SCHEMAS.search(said):
            kind, step = "schemas_too_large", "set planner.strict to false"
        case 400 | 413 | 422:
            kind, step = (
                "bad_request",
                "switch off what this server does not know: planner.strict, cache, thinking, effort",
            )
        case _ if status in _PASSING_STATUS or status >= 500 or error.type in _PASSING_TYPES:
            return LlmFailure("away", what, retry_after_seconds=_retry_after(error))
        case _:
            kind, step = "bad_request", ""
    return LlmFailure(kind, what, next_step=step)


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return seconds if seconds >= 0 else None
    return None


def _said(text: str, key: str | None) -> str:
    """What a server said, on one line, without the key in case that it quotes it."""
    if key:
        text = text.replace(key, "[key]")
    return one_line(_KEY_LIKE.sub(r"\1[key]", text), 300)

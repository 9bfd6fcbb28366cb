"""What the Tinker SDK throws, in our words: go on from a checkpoint, correct the request, or look at the key.

The SDK wraps a refusal in ValueError, RuntimeError or its own types, so the whole chain of causes is looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import httpx
import tinker
from tinker import RequestFailedError
from tinker.lib.retryable_exception import RetryableException
from tinker.types import RequestErrorCategory

from tcao_tui.clients.tinker_port import Outage, Transient
from tcao_tui.errors import BackendError, CredentialsError, TcaoError

SDK_ERRORS = (
    tinker.TinkerError,
    RetryableException,
    httpx.HTTPError,
    ValueError,
    RuntimeError,
    OSError,
    AssertionError,
)
"""All that the SDK is known to raise. TimeoutError is an OSError, a failed validation a ValueError."""

_MAX_CHARACTERS = 600
_LOST = re.compile(
    r"(poisoned|is closed|promise (expired|broken)|(session|model|sampler|training run)\b.{0,80}"
    r"(unknown|not known|not found|does not exist|no longer|ended|expired|finished|closed|cancelled)"
    r"|(no|unknown) (such )?(session|model|sampler|training run))",
    re.IGNORECASE | re.DOTALL,
)
_KEY_WORDS = re.compile(r"api_key|credential|TINKER_API_KEY", re.IGNORECASE)


def clean(text: str) -> str:
    """Text of a server as one printable line: control and format characters become blanks, length is bounded."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)
    one_line = " ".join(kept.split())
    return one_line if len(one_line) <= _MAX_CHARACTERS else one_line[:_MAX_CHARACTERS] + "..."


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it, outermost first, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        at = waiting.pop(0)
        if id(at) in seen:
            continue
        seen.add(id(at))
        yield at
        waiting.extend(link for link in (at.__cause__, at.__context__) if link is not None)


def status_of(error: BaseException) -> int | None:
    """HTTP status that led to the error, or None."""
    return next((e.status_code for e in chain(error) if isinstance(e, tinker.APIStatusError)), None)


def translate(error: BaseException, doing: str) -> TcaoError:
    """The error to raise in place of the SDK's.

    Args:
        error: What the SDK raised.
        doing: What was attempted, such as "saving a checkpoint".
    """
    status = status_of(error)
    if status is not None:
        return _of_status(status, _server_text(error), doing)
    text = clean(str(error)) or type(error).__name__
    for cause in chain(error):
        if isinstance(cause, RequestFailedError):
            return _of_failed_request(cause, doing)
        if isinstance(cause, (tinker.APIConnectionError, httpx.HTTPError, RetryableException, OSError)):
            kind = Transient if isinstance(cause, RetryableException) else Outage
            return kind(f"{doing}: no answer from the server ({text})", next_step="tcao doctor")
    if _LOST.search(text):
        return Transient(f"{doing}: {text}")
    if isinstance(error, tinker.TinkerError) and _KEY_WORDS.search(text):
        return CredentialsError(text, next_step="tcao doctor")
    return BackendError(f"{doing}: {text}")


def _of_status(status: int, text: str, doing: str) -> TcaoError:
    if status in (401, 403):
        return CredentialsError(f"{doing}: the server refused the key ({status}: {text})", next_step="tcao doctor")
    if status == 402:
        return BackendError(
            f"{doing}: the account has no billing set up or no credit left ({text})",
            next_step="check billing in the Tinker console, then `tcao resume`",
        )
    if status in (429, 502, 503, 504):
        return Outage(f"{doing}: the server answered {status} ({text})")
    if status in (404, 408, 409, 410) or status >= 500:
        return Transient(f"{doing}: the server answered {status} ({text})")
    return BackendError(f"{doing}: the server refused the request ({status}: {text})")


def _of_failed_request(error: RequestFailedError, doing: str) -> TcaoError:
    text = clean(str(error))
    if error.category is RequestErrorCategory.User and not _LOST.search(text):
        return BackendError(f"{doing}: {text}")
    return Transient(f"{doing}: {text}")


def _server_text(error: BaseException) -> str:
    refusal = next(e for e in chain(error) if isinstance(e, tinker.APIStatusError))
    body = refusal.body
    if isinstance(body, dict):
        for key in ("detail", "message", "error"):
            if isinstance(said := body.get(key), str):
                return clean(said)
    return clean(refusal.message)

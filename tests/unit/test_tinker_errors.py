"""What the SDK raises, in our words."""

from __future__ import annotations

import httpx
import pytest
import tinker
from tinker.lib.retryable_exception import RetryableException
from tinker.types import RequestErrorCategory

from tcao_tui.clients.tinker_errors import clean, translate
from tcao_tui.clients.tinker_port import Outage, Transient
from tcao_tui.errors import BackendError, CredentialsError

REQUEST = httpx.Request("POST", "http://server/api/v1/optim_step")


def refusal(
    status: int, detail: str = "because", kind: type[tinker.APIStatusError] = tinker.APIStatusError
) -> Exception:
    return kind(f"Error code: {status}", httpx.Response(status, request=REQUEST), {"detail": detail})


def caused_by(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "error",
    [
        *[refusal(status) for status in (404, 408, 409, 410, 500)],
        caused_by(ValueError("Error retrieving result"), refusal(404)),
        RetryableException("Promise expired/broken for request 1"),
        caused_by(RuntimeError("A previous request failed; this TrainingClient is poisoned"), refusal(500)),
        RuntimeError("A previous request failed; this TrainingClient is poisoned and cannot accept further requests."),
        RuntimeError("ServiceClient is closed"),
        tinker.RequestFailedError("out of memory", "1", RequestErrorCategory.Server),
        tinker.RequestFailedError("session s-1 has ended", "1", RequestErrorCategory.User),
        tinker.RequestFailedError("there is no model m:train:0", "1", RequestErrorCategory.User),
    ],
    ids=str,
)
def test_lost_sessions_and_poisoned_clients_are_transient(error: Exception) -> None:
    assert type(translate(error, "training step")) is Transient


@pytest.mark.parametrize(
    "error",
    [
        tinker.APIConnectionError(request=REQUEST),
        tinker.APITimeoutError(request=REQUEST),
        *[refusal(status) for status in (429, 502, 503, 504)],
        caused_by(RuntimeError("A previous request failed; this TrainingClient is poisoned"), refusal(503)),
        TimeoutError(),
        httpx.ReadError("gone"),
    ],
    ids=str,
)
def test_a_server_that_is_out_or_overloaded_is_an_outage(error: Exception) -> None:
    assert type(translate(error, "training step")) is Outage


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_a_matter_of_credentials(status: int) -> None:
    assert type(translate(refusal(status), "opening a session")) is CredentialsError


def test_a_missing_key_is_a_matter_of_credentials() -> None:
    assert type(translate(tinker.TinkerError("The api_key must start with the 'tml-' prefix"), "x")) is CredentialsError


def test_billing_says_so() -> None:
    found = translate(refusal(402), "training step")
    assert type(found) is BackendError
    assert "billing" in found.what


@pytest.mark.parametrize("error", [refusal(400, "rank must be 1"), refusal(422, "rank must be 1")])
def test_a_mistake_in_the_request_carries_the_servers_words(error: Exception) -> None:
    found = translate(error, "creating the LoRA")
    assert type(found) is BackendError
    assert found.what.startswith("creating the LoRA")
    assert "rank must be 1" in found.what


def test_a_user_error_of_accepted_work_is_not_retried() -> None:
    error = tinker.RequestFailedError("token 999 is not in the vocabulary", "1", RequestErrorCategory.User)
    assert type(translate(error, "training step")) is BackendError


def test_text_of_a_server_cannot_move_the_cursor_or_flood_the_screen() -> None:
    assert clean("a\x1b[2J\r\nb\u202ec\x00") == "a [2J b c"
    assert len(clean("x" * 10_000)) < 700
    assert "\x1b" not in translate(refusal(400, "\x1b]0;x\x07"), "x").what

"""Refusals that a client sees as an HTTP status, in the form the Tinker SDK reads (`{"detail": ...}`).

Out of scope: failures of work that was already accepted; those travel in promises (`futures.py`).
"""

from __future__ import annotations


class ApiError(Exception):
    """A request is refused.

    Args:
        status: HTTP status. The SDK retries 408, 409, 429 and 5xx for five minutes, others not at all.
        detail: One sentence for the person who reads the client's traceback.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class WorkFailed(Exception):
    """Accepted work cannot be carried out.

    Args:
        message: What is wrong, one sentence.
        category: "user" when the request is at fault, "server" when the engine is.
    """

    def __init__(self, message: str, category: str = "user") -> None:
        super().__init__(message)
        self.category = category

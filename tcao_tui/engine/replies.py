"""What handlers answer with, and how they read bodies.

Out of scope: which handler answers what (`app.py`).
"""

from __future__ import annotations

import io
import json
from typing import Any

import zstandard
from starlette.requests import Request
from starlette.responses import JSONResponse

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.futures import Promise

MAX_BODY_BYTES = 2**29
"""Largest body after decompression; the SDK sends chunks of about 5 MB."""


class PromiseReply(JSONResponse):
    """An `UntypedAPIFuture`; fault injection waits for its promise."""

    def __init__(self, promise: Promise, **more: str | list[str]) -> None:
        super().__init__({"request_id": promise.id, **more})
        self.promise = promise


async def read_body(request: Request) -> bytes:
    """The body, decompressed if it is zstd.

    Raises:
        ApiError: 413 too large, 400 not zstd.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, f"bodies may have at most {MAX_BODY_BYTES} bytes")
    if request.headers.get("content-encoding", "").lower() != "zstd":
        return bytes(body)
    try:
        # A declared size is not trusted: at most one byte more than allowed is ever unpacked.
        unpacked = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read(MAX_BODY_BYTES + 1)
    except zstandard.ZstdError as error:
        raise ApiError(400, f"the body is not valid zstd: {error}") from error
    if len(unpacked) > MAX_BODY_BYTES:
        raise ApiError(413, f"bodies may have at most {MAX_BODY_BYTES} bytes")
    return unpacked


async def read_json(request: Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        ApiError: 400, it is not one.
    """
    try:
        body = json.loads(await read_body(request) or b"{}")
    except ValueError as error:
        raise ApiError(400, f"the body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "the body must be a JSON object")
    return body


def text_field(body: dict[str, Any], name: str) -> str:
    """A required text of a body.

    Raises:
        ApiError: 400, it is missing or no text.
    """
    value = body.get(name)
    if not isinstance(value, str):
        raise ApiError(400, f"{name} must be a text")
    return value


def page_of(request: Request, default_limit: int) -> tuple[int, int]:
    """`limit` and `offset` of a listing.

    Raises:
        ApiError: 400, they are not numbers in range.
    """
    try:
        limit = int(request.query_params.get("limit", default_limit))
        offset = int(request.query_params.get("offset", 0))
    except ValueError as error:
        raise ApiError(400, "limit and offset must be numbers") from error
    if not (0 <= limit <= 10_000 and offset >= 0):
        raise ApiError(400, "limit must be between 0 and 10000, offset not negative")
    return limit, offset

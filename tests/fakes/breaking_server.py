"""A loopback server of files that breaks as told: resets, links that expire, no ranges, a file that changed."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.fakes.loopback import QuietHandler, served

_DIGEST_CHARACTERS = 12


class FileServer:
    """Serves `files` by name; the tests set the rest.

    Attributes:
        reset_after: Bytes of one answer after which the connection is reset, one number per answer from the front.
        generation: Links of other generations have expired.
        ranges: Whether ranges are honoured.
        redirects: Name of the file that a path leads to, by a redirect.
        keys: API key of each request, None where there was none.
        asked: Range of each request, "" where there was none; requests for one byte, which ask for a size, left out.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.reset_after: list[int] = []
        self.generation = 0
        self.ranges = True
        self.status = 0
        self.asked: list[str] = []
        self.redirects: dict[str, str] = {}
        self.keys: list[str | None] = []
        self.url = ""

    def links(self) -> dict[str, str]:
        return {name: f"{self.url}/{name}?generation={self.generation}" for name in self.files}


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[FileServer]:
    state = FileServer(files)

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            answer(self, state)

    with served(Handler) as state.url:
        yield state


def answer(request: QuietHandler, state: FileServer) -> None:
    asked = urlsplit(request.path)
    state.keys.append(request.headers.get("X-API-Key"))
    if asked.path in state.redirects:
        request.say(302, headers={"Location": state.links()[state.redirects[asked.path]]})
        return
    wanted = request.headers.get("Range", "")
    if wanted != "bytes=0-0":
        state.asked.append(wanted)
    known = asked.path[1:] in state.files
    if not known or state.status or parse_qs(asked.query).get("generation") != [str(state.generation)]:
        request.say(state.status or (403 if known else 404))
        return
    content = state.files[asked.path[1:]]
    etag = f'"{hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]}"'
    start, end = 0, len(content)
    if state.ranges and wanted and request.headers.get("If-Range", etag) == etag:
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last) + 1 if last else end, end)
        if start >= len(content):
            request.say(416)
            return
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
    else:
        request.send_response(200)
    request.send_header("ETag", etag)
    request.send_header("Content-Length", str(end - start))
    request.end_headers()
    send(request, content[start:end], state)


def send(request: BaseHTTPRequestHandler, content: bytes, state: FileServer) -> None:
    limit = state.reset_after.pop(0) if state.reset_after and len(content) > 1 else None
    request.wfile.write(content if limit is None else content[:limit])
    if limit is not None:
        request.wfile.flush()
        # Lingering for no time makes the close a reset, as a balancer's is.
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close_connection = True
        request.connection.close()

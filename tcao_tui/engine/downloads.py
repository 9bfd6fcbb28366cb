"""Download links for external weights: signed, short-lived, served by the engine itself.

A link names a blob and one file of a fixed list, so no request can reach any other file. Out of scope: what the files
hold (`backend.py`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tcao_tui.engine.api_errors import ApiError
from tcao_tui.engine.sessions import timestamp
from tcao_tui.engine.storage import BlobStore

LINK_SECONDS = 3600
"""How long a link works."""

FILES = ("adapter_config.json", "adapter_model.safetensors")
"""What an external checkpoint consists of, in PEFT's layout; encrypted ones have `.age` added."""


class Downloads:
    """Makes and honours links.

    Args:
        blobs: Where the files are.
        key: The engine's key, from which the signing key is derived.
        clock: Wall clock, seconds since 1970.
    """

    def __init__(self, blobs: BlobStore, key: str, clock: Callable[[], float]) -> None:
        self._blobs = blobs
        self._secret = hashlib.sha256(b"download links\0" + key.encode()).digest()
        self._clock = clock

    def links(self, blob: str, base_url: str) -> dict[str, Any]:
        """All files of a blob as `ExternalWeightsUrlsResponse`.

        Args:
            blob: The blob.
            base_url: The engine's address as the client knows it.
        """
        expires = int(self._clock()) + LINK_SECONDS
        folder = self._blobs.path(blob)
        names = [name for known in FILES for name in (known, f"{known}.age") if (folder / name).is_file()]
        links = {name: f"{base_url}/api/v1/download/{blob}/{name}?{self._query(blob, name, expires)}" for name in names}
        return {"urls": links, "expires": timestamp(expires)}

    def _query(self, blob: str, name: str, expires: int) -> str:
        return urlencode({"expires": expires, "signature": self._sign(blob, name, expires)})

    def _sign(self, blob: str, name: str, expires: int) -> str:
        return hmac.new(self._secret, f"{blob}/{name}/{expires}".encode(), hashlib.sha256).hexdigest()

    def file(self, blob: str, name: str, expires: str, signature: str) -> Path:
        """The file of a link.

        Raises:
            ApiError: 403, the link is forged or too old; 404, the weights are gone.
        """
        known = name.removesuffix(".age") in FILES and expires.isdecimal()
        genuine = known and hmac.compare_digest(self._sign(blob, name, int(expires)), signature)
        if not genuine or int(expires) < self._clock():
            raise ApiError(403, "this download link is not valid or has expired")
        path = self._blobs.path(blob) / name
        if not path.is_file():
            raise ApiError(404, "these weights have been deleted")
        return path

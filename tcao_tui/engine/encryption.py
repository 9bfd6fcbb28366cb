"""age encryption of exported weights, as `save_weights_external(age_encryption_recipients=...)` asks for.

The cookbook's `weights.download` exports training checkpoints this way. Out of scope: keys; only recipients come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyrage

from tcao_tui.engine.api_errors import ApiError

MAX_RECIPIENTS = 10
"""The SDK's documented limit."""

_pyrage: Any = pyrage  # It has no type stubs.


def parse_recipients(texts: Sequence[str]) -> list[Any]:
    """Native `age1...` and SSH public keys.

    Raises:
        ApiError: 400, one is neither, or there are too many.
    """
    if len(texts) > MAX_RECIPIENTS:
        raise ApiError(400, f"at most {MAX_RECIPIENTS} age recipients, got {len(texts)}")
    recipients: list[Any] = []
    for text in texts:
        kind = _pyrage.x25519 if text.startswith("age1") else _pyrage.ssh
        try:
            recipients.append(kind.Recipient.from_str(text))
        except _pyrage.RecipientError as error:
            raise ApiError(400, f"not an age recipient: {error}") from error
    return recipients


def encrypt_folder(folder: Path, recipients: Sequence[Any]) -> None:
    """Replace every file of a folder by its encrypted form, named with `.age` added."""
    for path in list(folder.iterdir()):
        path.with_name(f"{path.name}.age").write_bytes(_pyrage.encrypt(path.read_bytes(), list(recipients)))
        path.unlink()

"""What the Hugging Face hub's own clients would find on this machine: address, token, and data that is here already.

Follows the rules of huggingface_hub and datasets without loading them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_HUB = "https://huggingface.co"
_TRUE = {"1", "ON", "YES", "TRUE"}


def hub_address(environ: Mapping[str, str]) -> str:
    """The hub, or the mirror in its place."""
    return (environ.get("HF_ENDPOINT") or _HUB).rstrip("/")


def is_offline(environ: Mapping[str, str]) -> bool:
    """Whether the clients are told not to ask the hub."""
    return environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE


def has_token(environ: Mapping[str, str]) -> bool:
    """Whether a token is set or stored; whose it is and what it may do is not looked at."""
    if environ.get("HF_TOKEN") or environ.get("HUGGING_FACE_HUB_TOKEN"):
        return True
    stored = environ.get("HF_TOKEN_PATH")
    return (Path(stored) if stored else _home(environ) / "token").is_file()


def has_dataset(name: str, environ: Mapping[str, str]) -> bool:
    """Whether a dataset is in a cache: prepared by `datasets`, or as files that were downloaded."""
    prepared = environ.get("HF_DATASETS_CACHE")
    prepared_in = Path(prepared) if prepared else _home(environ) / "datasets"
    files = environ.get("HF_HUB_CACHE")
    files_in = Path(files) if files else _home(environ) / "hub"
    ready = (prepared_in / name.replace("/", "___")).rglob("*.arrow")
    loaded = (files_in / f"datasets--{name.replace('/', '--')}" / "snapshots").glob("*/*")
    return any(True for _ in ready) or any(path.name != "README.md" for path in loaded)


def _home(environ: Mapping[str, str]) -> Path:
    if place := environ.get("HF_HOME"):
        return Path(place).expanduser()
    cache = environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "huggingface"

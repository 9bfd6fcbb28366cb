"""Where the data of a task of Inspect Evals comes from, and whether it can be had: fetched, or from what is here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from tcao_tui.clients.benchmark_catalogue import Listed, Source
from tcao_tui.clients.hugging_face import has_dataset, has_token, hub_address, is_offline
from tcao_tui.domain.benchmarks.entry import Benchmark
from tcao_tui.domain.obstacle import Obstacle

INTERNET = "https://huggingface.co"
"""Asked to see whether there is an internet at all."""

_HUB = "huggingface"


def comes_from_hub(listed: Listed) -> bool:
    """Whether a task fetches data from the Hugging Face hub."""
    return any(source.kind == _HUB for source in listed.sources)


def addresses(listed: Listed, ours: Benchmark | None, environ: Mapping[str, str]) -> frozenset[str]:
    """Servers that a task fetches from or talks to."""
    found = {address for source in listed.sources if (address := _address(source, environ))}
    return frozenset(found | {INTERNET} if _runs_online(listed, ours) else found)


def data(
    name: str, listed: Listed, ours: Benchmark | None, environ: Mapping[str, str], silent: frozenset[str]
) -> Iterator[Obstacle]:
    """Data that cannot be fetched; `silent` are the servers that do not answer."""
    if ours is not None and ours.gated and not has_token(environ):
        terms = f"accept the terms at {hub_address(environ)}/datasets/{ours.gated}"
        what = f"{ours.gated} is gated, and there is no token of the hub"
        yield Obstacle(name, what, f"{terms}, then export HF_TOKEN=... or `hf auth login`")
    for source in listed.sources:
        address = _address(source, environ)
        if source.kind == _HUB and ours is not None and ours.datasets and source.place not in ours.datasets:
            continue
        if source.kind == "git_clone" and shutil.which("git", path=environ.get("PATH")) is None:
            yield Obstacle(name, "it clones a repository, and there is no git", "install git")
        elif source.kind == _HUB and (is_offline(environ) or address in silent):
            yield _from_cache(name, source, ours, environ)
        elif address in silent:
            yield _from_files(name, listed, address, environ)
    if _runs_online(listed, ours) and INTERNET in silent:
        yield Obstacle(name, "it needs the internet while it runs, and there is none", "connect")


def _from_cache(name: str, source: Source, ours: Benchmark | None, environ: Mapping[str, str]) -> Obstacle:
    """The hub is out of reach: whether what was fetched before will do."""
    host = urlsplit(hub_address(environ)).netloc
    if is_offline(environ):
        away, fix = "HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE"
    else:
        away, fix = f"{host} does not answer", "connect, or set HF_ENDPOINT to a mirror that answers"
    if not has_dataset(source.place, environ):
        return Obstacle(name, f"{away}, and {source.place} is not in the cache of this machine", fix)
    if ours is None:
        return Obstacle(name, f"{away}; {source.place} is in the cache, and may not be found there", fix, False)
    if ours.asks_hub:
        return Obstacle(name, f"{away}, and this task asks the hub even for what is in the cache", fix)
    return Obstacle(name, f"{away}; {source.place} is taken from the cache", fix, False)


def _from_files(name: str, listed: Listed, address: str, environ: Mapping[str, str]) -> Obstacle:
    """A server of files is out of reach: Inspect Evals may have kept them."""
    host = urlsplit(address).netloc
    if _has_files(listed.folder, environ):
        return Obstacle(name, f"{host} does not answer; what was fetched before may do", "connect", False)
    return Obstacle(name, f"its data comes from {host}, which does not answer", "connect")


def _has_files(folder: str, environ: Mapping[str, str]) -> bool:
    """Whether a group of tasks keeps anything in the package's own cache, however its folder is spelled there."""
    chosen = environ.get("INSPECT_EVALS_CACHE_DIR")
    root = Path(chosen).expanduser() if chosen else user_cache_path("inspect_evals")
    wanted = folder.replace("_", "").casefold()
    kept = [path for path in (root.iterdir() if root.is_dir() else ()) if path.is_dir()]
    return any(path.name.replace("_", "").casefold() == wanted and any(path.iterdir()) for path in kept)


def _address(source: Source, environ: Mapping[str, str]) -> str:
    """The server of a source; empty where it has none."""
    if source.kind == _HUB:
        return hub_address(environ)
    parts = urlsplit(source.place)
    if source.kind in ("direct_url", "git_clone") and parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return ""


def _runs_online(listed: Listed, ours: Benchmark | None) -> bool:
    return listed.uses_internet and (ours is None or "internet" not in ours.spares)

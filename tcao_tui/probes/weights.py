"""Downloads weights: `weights.download`. What came before a break stays in the folder, and the next try goes on there.

`source.json` in the folder says which export the files are of, so that a second try asks for the same one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
from pydantic import JsonValue

from tcao_tui.clients import external_weights
from tcao_tui.clients.backend_calls import Shape
from tcao_tui.clients.file_download import Fetched, Fetcher
from tcao_tui.clients.tinker_errors import clean
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.clients.weight_calls import Downloaded, DownloadWeights, Progress
from tcao_tui.errors import BackendError, UsageError
from tcao_tui.probes.server import Server
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.checksums import write_sums
from tcao_tui.store.unpacking import name_problem, unpack

SOURCE_NAME = "source.json"
_ARCHIVE = "archive"
_TOLD_BYTES = 1 << 20

type Tell = Callable[[Shape], None]


async def download(server: Server, arguments: JsonValue, tell: Tell) -> Downloaded:
    """`weights.download`.

    Raises:
        UsageError: The path is none, or of weights that no server gives away.
        Unsupported: This server gives none away.
        Outage: The transfer broke; the next call goes on.
        ArchiveRefused: The server sent an archive that must not be unpacked.
    """
    asked = DownloadWeights.model_validate(arguments)
    folder = Path(asked.folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind = asked.path.removeprefix("tinker://").split("/")[1:2]
    if not asked.path.startswith("tinker://") or kind not in (["weights"], ["external_weights"]):
        raise UsageError(
            f"{clean(asked.path)} cannot be downloaded",
            next_step="name the training state, tinker://RUN/weights/NAME, or an export, .../external_weights/NAME",
        )
    is_state = kind == ["weights"]
    try:
        export = await _export(server, asked.path, folder, tell) if is_state else asked.path
        fetched = await _fetch_export(server, export, folder, tell)
    except Unsupported:
        if not is_state:
            raise
        return await _download_archive(server, asked.path, folder, tell)
    tell(Progress(doing="checking the files"))
    sums = await in_daemon_thread(partial(write_sums, folder))
    left = export if is_state and not await external_weights.delete_export(server, export) else ""
    return Downloaded(
        files=tuple(sums), total_bytes=fetched.total_bytes, kept_bytes=fetched.kept_bytes, left_behind=left
    )


async def _export(server: Server, path: str, folder: Path, tell: Tell) -> str:
    """The export of an earlier try, where it is still there, or a new one."""
    if earlier := _earlier(folder, path):
        try:
            await external_weights.links(server, earlier)
        except (Unsupported, BackendError):
            pass
        else:
            return earlier
    tell(Progress(doing="the server exports the weights"))
    export = await external_weights.export_state(server, path)
    write_text(folder / SOURCE_NAME, json.dumps({"path": path, "export": export}) + "\n")
    return export


def _earlier(folder: Path, path: str) -> str:
    try:
        noted: Any = json.loads((folder / SOURCE_NAME).read_text(encoding="utf-8"))
        return str(noted["export"]) if noted["path"] == path else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


async def _fetch_export(server: Server, export: str, folder: Path, tell: Tell) -> Fetched:
    async def links() -> Mapping[str, str]:
        return await external_weights.links(server, export)

    places = {name: _place(name) for name in await links()}
    async with httpx.AsyncClient(follow_redirects=True) as client:
        fetched = await Fetcher(client, links, folder, _teller(tell)).fetch(places)
    (folder / SOURCE_NAME).unlink(missing_ok=True)
    return fetched


def _place(name: str) -> Path:
    if problem := name_problem(name):
        raise BackendError(f"the server names a file that must not be written: {problem}", where=clean(name))
    return Path(PurePosixPath(name))


async def _download_archive(server: Server, path: str, folder: Path, tell: Tell) -> Downloaded:
    async def links() -> Mapping[str, str]:
        return {_ARCHIVE: await external_weights.archive_link(server, path)}

    async with httpx.AsyncClient(follow_redirects=True) as client:
        fetched = await Fetcher(client, links, folder, _teller(tell)).fetch({_ARCHIVE: Path(_ARCHIVE)})
    tell(Progress(doing="unpacking"))
    await in_daemon_thread(partial(_unpack, folder))
    sums = await in_daemon_thread(partial(write_sums, folder))
    return Downloaded(files=tuple(sums), total_bytes=fetched.total_bytes, kept_bytes=fetched.kept_bytes)


def _unpack(folder: Path) -> None:
    archive, unpacked = folder / _ARCHIVE, folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    files = unpack(archive, unpacked)
    # Where in the archive the adapter lies is the server's choice.
    tops = [unpacked / file.parent for file in files if file.name == "adapter_config.json"]
    if not tops:
        raise BackendError("the server's archive holds no adapter", where=str(archive))
    for entry in [*tops[0].iterdir()]:
        if entry != unpacked:
            entry.rename(folder / entry.name)
    shutil.rmtree(unpacked, ignore_errors=True)
    archive.unlink()


def _teller(tell: Tell) -> Callable[[int, int | None], None]:
    told = -_TOLD_BYTES

    def on_bytes(done: int, total: int | None) -> None:
        nonlocal told
        if done - told >= _TOLD_BYTES or done == total:
            told = done
            tell(Progress(doing="downloading", done=done, total=total, unit="bytes"))

    return on_bytes

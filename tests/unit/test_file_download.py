from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tcao_tui.clients.file_download import Fetched, Fetcher
from tcao_tui.clients.tinker_port import Outage
from tcao_tui.errors import BackendError, Refused
from tcao_tui.store.checksums import SUMS_NAME, Altered, verify_sums, write_sums
from tests.fakes.breaking_server import FileServer, serving

CONTENT = os.urandom(3 << 20)
NAME = "adapter.safetensors"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving({NAME: CONTENT}) as running:
        yield running


class Told(NamedTuple):
    fetched: Fetched
    bytes_told: list[tuple[int, int | None]]
    links_asked: int


def fetch(server: FileServer, folder: Path, *names: str) -> Told:
    told: list[tuple[int, int | None]] = []
    asked: list[int] = []

    async def links() -> Mapping[str, str]:
        asked.append(1)
        return server.links()

    async def run() -> Fetched:
        async with httpx.AsyncClient() as client:
            fetcher = Fetcher(client, links, folder, lambda *bytes_: told.append(bytes_), pause_seconds=0.001)
            return await fetcher.fetch({name: Path(name) for name in names or (NAME,)})

    return Told(asyncio.run(run()), told, len(asked))


def test_a_transfer_that_is_reset_goes_on_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    server.reset_after = [1 << 20, 1 << 19]
    told = fetch(server, tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert len(server.asked) == 3
    assert all(int(asked.removeprefix("bytes=").removesuffix("-")) > 0 for asked in server.asked[1:])
    assert told.bytes_told[-1] == (len(CONTENT), len(CONTENT))


def test_what_came_before_a_kill_is_kept_for_the_next_try(server: FileServer, tmp_path: Path) -> None:
    server.reset_after = [1 << 20] + [0] * 10
    with pytest.raises(Outage, match=r"broke 5 times; 1,\d\d\d,\d\d\d bytes are kept|broke 5 times"):
        fetch(server, tmp_path)
    kept = (tmp_path / f"{NAME}.part").stat().st_size
    assert not (tmp_path / NAME).exists()
    server.reset_after, server.asked = [], []
    told = fetch(server, tmp_path)
    assert server.asked == [f"bytes={kept}-"]
    assert told.fetched == Fetched(len(CONTENT), kept)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    server.reset_after = [1 << 20] + [0] * 10
    with pytest.raises(Outage):
        fetch(server, tmp_path)
    server.reset_after = []
    server.files[NAME] = other = CONTENT[::-1]
    fetch(server, tmp_path)
    assert (tmp_path / NAME).read_bytes() == other


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    server.reset_after = [1 << 20] + [0] * 10
    with pytest.raises(Outage):
        fetch(server, tmp_path)
    server.reset_after = []
    with (tmp_path / f"{NAME}.part").open("ab") as part:
        part.write(bytes(len(CONTENT)))
    fetch(server, tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_of_it_again(server: FileServer, tmp_path: Path) -> None:
    server.ranges = False
    server.reset_after = [1 << 20]
    fetch(server, tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_link_that_has_expired_is_asked_for_anew_once(server: FileServer, tmp_path: Path) -> None:
    class Expiring(FileServer):
        def links(self) -> dict[str, str]:
            links = server.links()
            server.generation = 1
            return links

    told = fetch(Expiring(server.files), tmp_path)
    assert told.links_asked == 2
    assert (tmp_path / NAME).read_bytes() == CONTENT
    server.status = 403
    with pytest.raises(BackendError, match="refuses the download \\(403\\)"):
        fetch(server, tmp_path / "other")


def test_files_that_are_there_are_not_fetched_again(server: FileServer, tmp_path: Path) -> None:
    server.files["config.json"] = b"{}"
    fetch(server, tmp_path)
    server.asked = []
    told = fetch(server, tmp_path, NAME, "config.json")
    assert server.asked == [""]
    assert told.fetched == Fetched(len(CONTENT) + 2, len(CONTENT))


def test_a_disk_without_room_is_refused_before_anything_is_written(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(Refused, match="3,145,728 bytes are still to come, and the disk has 1,048,576 free"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_checksums_tell_what_was_altered(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a").write_text("x")
    with pytest.raises(Altered, match="no readable checksums"):
        verify_sums(tmp_path)
    sums = write_sums(tmp_path)
    assert (tmp_path / SUMS_NAME).read_text() == f"{sums['part/a']}  part/a\n"
    verify_sums(tmp_path)
    (tmp_path / "part" / "a").write_text("y")
    with pytest.raises(Altered, match="part/a is not what was written"):
        verify_sums(tmp_path)

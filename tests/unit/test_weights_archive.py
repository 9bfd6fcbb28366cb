"""Servers without external weights that give a checkpoint as an archive, as the API of earlier SDKs had it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tcao_tui.clients import external_weights
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.clients.weight_calls import Downloaded, DownloadWeights
from tcao_tui.errors import Refused
from tcao_tui.probes.server import Server
from tcao_tui.probes.weights import download
from tcao_tui.store.checksums import verify_sums
from tcao_tui.store.unpacking import ArchiveRefused
from tests.fakes.breaking_server import FileServer, serving
from tests.fakes.crafted_archives import link, member, tar, tarfile

ROUTE = "/api/v1/training_runs/run:train:0/checkpoints/weights/final/archive"
PATH = "tinker://run:train:0/weights/final"


@dataclass(frozen=True)
class Connected:
    address: str
    api_key: str = "tml-secret"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    async def export_state(server: object, path: str) -> str:
        raise Unsupported("no exports here")

    monkeypatch.setattr(external_weights, "export_state", export_state)
    with serving({}) as running:
        yield running


def give(server: FileServer, place: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    tar(*members)(place)
    server.files["checkpoint.tar.gz"] = place.read_bytes()
    server.redirects[ROUTE] = "checkpoint.tar.gz"


def fetch(server: FileServer, folder: Path) -> Downloaded:
    order = DownloadWeights(path=PATH, folder=str(folder))
    connected = cast("Server", Connected(server.url))
    return asyncio.run(download(connected, order.model_dump(), lambda part: None))


def test_an_archive_is_unpacked_and_its_key_stays_with_the_server(server: FileServer, tmp_path: Path) -> None:
    give(
        server, tmp_path / "a", member("top/adapter_config.json", b"{}"), member("top/adapter_model.safetensors", b"w")
    )
    result = fetch(server, tmp_path / "weights")
    assert set(result.files) == {"adapter_config.json", "adapter_model.safetensors"}
    assert {path.name for path in (tmp_path / "weights").iterdir()} == {*result.files, "SHA256SUMS", "source.json"}
    verify_sums(tmp_path / "weights")
    assert set(server.keys) == {"tml-secret", None}
    assert server.keys.count("tml-secret") == 1


def test_what_was_received_and_checked_is_not_asked_for_again(server: FileServer, tmp_path: Path) -> None:
    give(server, tmp_path / "a", member("adapter_config.json", b"{}"))
    first = fetch(server, tmp_path / "weights")
    requests = len(server.keys)
    again = fetch(server, tmp_path / "weights")
    assert (again.files, again.kept_bytes) == (first.files, first.total_bytes)
    assert len(server.keys) == requests
    (tmp_path / "weights" / "adapter_config.json").write_text("altered")
    fetch(server, tmp_path / "weights")
    assert (tmp_path / "weights" / "adapter_config.json").read_text() == "{}"


def test_files_of_other_weights_are_never_taken_for_these(server: FileServer, tmp_path: Path) -> None:
    give(server, tmp_path / "a", member("adapter_config.json", b"{}"))
    fetch(server, tmp_path / "weights")
    noted = (tmp_path / "weights" / "source.json").read_text().replace("final", "other")
    (tmp_path / "weights" / "source.json").write_text(noted)
    (tmp_path / "weights" / "adapter_model.safetensors").write_text("of the other")
    fetch(server, tmp_path / "weights")
    assert not (tmp_path / "weights" / "adapter_model.safetensors").exists()


def test_a_folder_of_something_else_is_left_alone(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "diary.txt").write_text("dear")
    with pytest.raises(Refused, match="other files"):
        fetch(server, tmp_path / "weights")
    assert (tmp_path / "weights" / "diary.txt").exists()


def test_an_archive_with_a_way_out_is_refused_and_nothing_of_it_stays(server: FileServer, tmp_path: Path) -> None:
    give(server, tmp_path / "a", member("adapter_config.json", b"{}"), link("weights", "/etc", tarfile.SYMTYPE))
    with pytest.raises(ArchiveRefused):
        fetch(server, tmp_path / "weights")
    assert not (tmp_path / "weights" / "adapter_config.json").exists()
    assert not (tmp_path / "weights" / "unpacked").exists()


def test_a_server_that_has_no_archives_either_gives_nothing_away(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="in no way that we know"):
        fetch(server, tmp_path / "weights")

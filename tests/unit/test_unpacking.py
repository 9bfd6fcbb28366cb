from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from tcao_tui.errors import Refused
from tcao_tui.store.unpacking import ArchiveRefused, Bounds, unpack
from tests.fakes.crafted_archives import CRAFTED, LIMIT_BYTES, LIMIT_MEMBERS, member, tar

BOUNDS = Bounds(total_bytes=LIMIT_BYTES, members=LIMIT_MEMBERS)


def everything_below(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*")}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_archive_is_refused_and_leaves_no_trace(name: str, tmp_path: Path) -> None:
    craft, reason = CRAFTED[name]
    archive, target = tmp_path / "archive", tmp_path / "deep" / "target"
    craft(archive)
    target.parent.mkdir()
    before = everything_below(tmp_path)
    with pytest.raises(ArchiveRefused, match=reason) as refused:
        unpack(archive, target, BOUNDS)
    assert everything_below(tmp_path) == before
    assert str(archive) in refused.value.where
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_honest_tar_is_unpacked_without_its_modes(mode: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with tarfile.open(archive, mode) as opened:
        opened.addfile(member(".", b"", type=tarfile.DIRTYPE)[0])
        opened.addfile(member("./part", b"", type=tarfile.DIRTYPE)[0])
        for name in ("./adapter_config.json", "./part/weights.bin"):
            opened.addfile(member(name, mode=0o777, uid=0)[0], io.BytesIO(b"x"))
    written = unpack(archive, tmp_path / "target", BOUNDS)
    assert written == [Path("adapter_config.json"), Path("part/weights.bin")]
    assert (tmp_path / "target" / "part" / "weights.bin").read_bytes() == b"x"
    assert not (tmp_path / "target" / "adapter_config.json").stat().st_mode & stat.S_IXUSR


def test_an_honest_zip_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.mkdir("part")
        opened.writestr("part/weights.bin", b"x" * 1000)
    assert unpack(archive, tmp_path / "target", BOUNDS) == [Path("part/weights.bin")]
    assert (tmp_path / "target" / "part" / "weights.bin").stat().st_size == 1000


def test_a_folder_that_exists_is_never_unpacked_into(tmp_path: Path) -> None:
    archive, target = tmp_path / "archive", tmp_path / "target"
    tar()(archive)
    target.mkdir()
    with pytest.raises(Refused, match="something already"):
        unpack(archive, target, BOUNDS)
    assert everything_below(target) == set()

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.errors import Refused
from tcao_tui.store import filesystem
from tcao_tui.store.filesystem import UNKNOWN, describe, is_local, kind_of, require_local

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 8:3 / /home/me/scratch rw - xfs /dev/sdb rw
32 22 0:41 / /mnt/two\\040words rw - fuse.sshfs me@there:/ rw
33 22 0:42 / /data rw - autofs systemd-1 rw
34 33 0:43 / /data rw - lustre mgs:/data rw
a line of another kernel
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/homes/x", "ext4"),
        ("/home/me/runs", "nfs4"),
        ("/home", "nfs4"),
        ("/home/me/scratch/runs", "xfs"),
        ("/mnt/two words/runs", "fuse.sshfs"),
        ("/data/x", "lustre"),
    ],
)
def test_the_nearest_and_newest_mount_decides(path: str, kind: str) -> None:
    assert kind_of(Path(path), MOUNTS) == kind


def test_a_path_below_no_mount_is_unknown() -> None:
    assert kind_of(Path("/x"), "") == UNKNOWN


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "lustre", "gpfs", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.rclone"])
def test_network_file_systems_are_not_local(kind: str) -> None:
    assert not is_local(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "nfsd", UNKNOWN])
def test_file_systems_of_one_host_are_local(kind: str) -> None:
    assert is_local(kind)


def test_what_does_not_exist_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    assert describe(tmp_path / "not" / "yet") == describe(tmp_path)


def test_a_store_on_a_network_is_refused_with_a_local_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 1 0:1 / {tmp_path} rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    with pytest.raises(Refused, match="runs cannot be kept on nfs4") as raised:
        require_local(tmp_path / "runs")
    assert "TCAO_RUNS_DIR" in raised.value.next_step

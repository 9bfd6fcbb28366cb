"""Which file system a directory is on, and whether SQLite's WAL and kernel locks are safe there.

WAL needs memory that all processes share, so it works on one host only; `flock` is emulated on NFS, or does nothing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tcao_tui.errors import Refused

UNKNOWN = "a file system that this system does not name"

_NETWORK = re.compile(
    r"^(9p|acfs|afs|autofs|beegfs|ceph|cifs|coda|davfs|dvs|fhgfs|gfs2?|gpfs|lustre|ncpfs|nfs4?|ocfs2|orangefs|panfs"
    r"|pvfs2|smb[23]|smbfs|vboxsf|wekafs)$"
)
_NETWORK_FUSE = re.compile(
    r"^fuse\.(.*ceph.*|.*gluster.*|blobfuse2?|davfs2?|gcsfuse|goofys|grpcfuse|gvfsd-fuse|juicefs|mount\.davfs|nfs.*"
    r"|osxfs|rclone|s3fs|seaweedfs|smbnetfs|sshfs|vmhgfs-fuse|weed)$"
)
_MOUNTS = Path("/proc/self/mountinfo")


def describe(path: Path) -> tuple[str, bool]:
    """Name of the file system that holds `path`, and whether a run store may live there.

    Args:
        path: A file or directory; what does not exist yet is judged by its nearest parent.
    """
    if sys.platform != "linux":
        return UNKNOWN, True
    try:
        kind = kind_of(path.resolve(), _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return UNKNOWN, True
    return kind, is_local(kind)


def is_local(kind: str) -> bool:
    """Whether a file system of this name serves one host only."""
    return not _NETWORK.match(kind) and not _NETWORK_FUSE.match(kind)


def kind_of(path: Path, mountinfo: str) -> str:
    """Name of the file system whose mount point is nearest above `path`; `mountinfo` is that file of `/proc/self`."""
    best, kind = -1, UNKNOWN
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = Path(_unescaped(fields[4]))
        # A later mount at the same place covers the earlier one.
        if (path == point or point in path.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind


def require_local(path: Path) -> None:
    """Raises `Refused` when a run store must not live at `path`."""
    kind, local = describe(path)
    if not local:
        raise Refused(
            f"runs cannot be kept on {kind}: SQLite's journal and the locks of workers are not safe on a network",
            where=str(path),
            next_step="set TCAO_RUNS_DIR to a directory on a local disk, such as /var/tmp/$USER/tcao-runs",
        )


def _unescaped(text: str) -> str:
    """A path of `mountinfo`, where blanks are written in octal."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)

"""Which folders lie on another machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs"}
    | {"glusterfs", "panfs", "orangefs", "pvfs2", "davfs", "vboxsf", "prl_fs", "virtiofs"}
)
REMOTE_FUSE = ("sshfs", "glusterfs", "ceph", "s3fs", "rclone", "gcsfuse", "beegfs", "lustre", "davfs", "juicefs")
_DRIVE_REMOTE = 4  # what GetDriveTypeW answers


def is_remote(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Say whether a folder lies on a network drive, as far as the system tells.

    Memory that processes share, which SQLite's write-ahead log needs, does not reach over such drives.
    """
    if sys.platform == "win32":
        import ctypes

        drive = os.path.splitdrive(os.path.realpath(folder))[0]
        return drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == _DRIVE_REMOTE
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # no Linux: SQLite itself finds out on most drives
        return False
    here = os.path.realpath(folder)
    best, kind = "", ""
    for line in lines:
        told, _, rest = line.partition(" - ")
        place = told.split(" ")[4].encode().decode("unicode_escape") if told.count(" ") >= 4 else ""
        inside = here == place or here.startswith(place.rstrip("/") + "/")
        if place and inside and len(place) >= len(best):
            best, kind = place, rest.partition(" ")[0].lower()
    return kind in REMOTE or (kind.startswith("fuse.") and any(name in kind for name in REMOTE_FUSE))

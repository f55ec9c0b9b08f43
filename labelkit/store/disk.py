"""What the file system promises, and what it does not."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from glob import escape
from pathlib import Path

_NETWORK = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "fuse.sshfs"]
)
_NO_HARD_LINKS = frozenset(
    [errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL]
)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file(path: Path) -> None:
    """Put a file's bytes on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_behind(fd: int, start: int, size: int) -> None:
    """Have the kernel begin to put written bytes on the disk, and let go of those that are there.

    The sync at the end finds few left, and a large file is written through the same few pages of
    memory. Linux does so when it is told that the bytes will not be read again soon; elsewhere
    nothing happens.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(fd, start, size, os.POSIX_FADV_DONTNEED)


def private_file(path: Path) -> None:
    """Make an empty file that only its owner can read. Raises FileExistsError."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))


def publish(fresh: Path, path: Path) -> None:
    """Give a finished file its name, durably, and never over another: raises FileExistsError.

    `fresh` is gone afterwards, or will be swept.
    """
    sync_file(fresh)
    try:
        os.link(fresh, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # FAT, some network and FUSE mounts: take the name first, then rename over it.
        private_file(path)
        fresh.replace(path)
    try:
        sync_folder(path.parent)
    except OSError:
        drop(path)  # it would be said to have failed, and be there
        raise
    drop(fresh)


def drop(path: Path) -> bool:
    """Remove a file nobody needs; return whether it is gone. A disk that refuses is no failure."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def fresh_name(path: Path) -> Path:
    """Where a file is built before it gets its name: hidden, beside it, named by this process."""
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def sweep_strays(folder: Path) -> None:
    """Remove what processes that were killed left unfinished."""
    for stray in folder.glob(".*.new*"):
        pid = stray.name.rpartition(".new")[0].rpartition(".")[2]
        if pid.isdigit() and not alive(int(pid)):
            drop(stray)


def sweep_parts(folder: Path, name: str | None = None, spare: str | None = None) -> None:
    """Remove what processes that were killed left of a file to be called `name`, or of any.

    What was to be called `spare` stays.
    """
    for stray in folder.glob(f".{escape(name) if name else '*'}.*.part"):
        target, _, pid = stray.name[1:].removesuffix(".part").rpartition(".")
        if target != spare and pid.isdigit() and not alive(int(pid)):
            drop(stray)


def alive(pid: int) -> bool:
    """Whether a process of that id runs on this machine."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def network_filesystem(path: Path) -> str | None:
    """Return the kind of network file system that `path` is on, or None. Linux only."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    where = str(path.resolve())
    best, found = "", None
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        point = fields.split(" ")[4].encode().decode("unicode_escape")
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, found = point, rest.split(" ")[0]
    return found if found in _NETWORK else None

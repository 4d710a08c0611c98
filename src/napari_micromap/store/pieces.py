"""Immutable files named after their content."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIECE = re.compile(r"[a-z][a-z0-9_-]*-[0-9a-f]{16}\.(npy|csv|json|zip)")
_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_CHUNK = 1 << 24  # bytes
_DAY = 86400.0
_ALWAYS_CHECKED = 1 << 25  # bytes; hashing larger pieces would make opening slow


def write_array(folder: Path, kind: str, array: NDArray[Any]) -> str:
    """Write an array as ``kind-<hash>.npy`` unless it stands there already; return the file's name."""
    contiguous = np.ascontiguousarray(array)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(contiguous))
    data = contiguous.reshape(-1).view(np.uint8).data if contiguous.size else memoryview(b"")
    return _write(folder, kind, ".npy", [memoryview(header.getvalue()), data])


def write_bytes(folder: Path, kind: str, ending: str, data: bytes) -> str:
    """Write bytes as ``kind-<hash><ending>`` unless they stand there already; return the file's name."""
    return _write(folder, kind, ending, [memoryview(data)])


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """Open an array as a read-only memory map.

    Raises
    ------
    ValueError, OSError
        If it is missing or damaged.
    """
    path = _inside(folder, name)
    if path.stat().st_size <= _ALWAYS_CHECKED:
        check(folder, name)
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def read_bytes(folder: Path, name: str) -> bytes:
    """Read a whole file; its content is not checked against its name."""
    return _inside(folder, name).read_bytes()


def check(folder: Path, name: str) -> None:
    """Raise ValueError if a file's content is not what its name says."""
    if not is_whole(_inside(folder, name)):
        raise ValueError("its content is not what was saved")


def is_whole(path: Path) -> bool:
    """Say whether a file's content is what its name says."""
    with path.open("rb") as file:
        return _hash(iter(lambda: file.read(_CHUNK), b"")) == path.stem.rpartition("-")[2]


def replace_file(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Put a whole file in place of another, or nothing of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def remove_unnamed(folder: Path, named: Iterable[str], named_before: Iterable[str]) -> None:
    """Remove the pieces that the last save named and this one does not, and what killed saves left a day ago.

    A file that cannot be removed, such as an open memory map on Windows, waits for the next save.
    """
    kept, before, now = set(named), set(named_before), time.time()
    for path in folder.iterdir():
        ours = _PIECE.fullmatch(path.name) or _TEMPORARY.fullmatch(path.name)
        if not ours or path.name in kept:
            continue
        with contextlib.suppress(OSError):
            if path.name in before or now - path.stat().st_mtime > _DAY:
                path.unlink()


def _write(folder: Path, kind: str, ending: str, parts: list[memoryview]) -> str:
    path = folder / f"{kind}-{_hash(_chunks(parts))}{ending}"
    size = sum(part.nbytes for part in parts)
    if not (path.is_file() and path.stat().st_size == size and is_whole(path)):
        replace_file(path, _chunks(parts))
    return path.name


def _chunks(parts: Iterable[memoryview]) -> Iterator[memoryview]:
    for part in parts:
        for start in range(0, part.nbytes, _CHUNK):
            yield part[start : start + _CHUNK]


def _hash(chunks: Iterable[bytes | memoryview]) -> str:
    content = hashlib.blake2b(digest_size=8)
    for chunk in chunks:
        content.update(chunk)
    return content.hexdigest()


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a piece; a session may come from anybody, so a name may not lead out of its folder."""
    if not _PIECE.fullmatch(name):
        raise ValueError(f"“{name}” is no name of a piece of a session")
    return folder / name


def _sync_folder(folder: Path) -> None:
    """Make a new name durable, where the system knows that of folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

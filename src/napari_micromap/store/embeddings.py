"""Embeddings on disk, kept as they come."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.store.database import Database

VERSION = 1
TABLES = """
CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, vector BLOB NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memos (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""
SECONDS_A_DAY = 86_400


class EmbeddingCache:
    """Embeddings by what was computed from what, never by a file's name; and memos that spare reading files again.

    Safe for threads and for several processes at once; what is put is on disk when ``put`` returns.

    Parameters
    ----------
    folder : Path
        Where ``embeddings.sqlite`` lies.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / "embeddings.sqlite", VERSION, TABLES)

    def get(self, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the (d,) vectors of those keys that are here."""
        found = self._database.rows("SELECT key, vector FROM embeddings WHERE key IN", keys)
        return {key: np.frombuffer(vector, "<f4").astype(np.float32) for key, vector in found}

    def put(self, items: Mapping[str, NDArray[np.float32]] | Iterable[tuple[str, NDArray[np.float32]]]) -> None:
        """Keep (d,) vectors under their keys; all of them, or, if the process dies, none."""
        day = int(time.time() // SECONDS_A_DAY)
        pairs = items.items() if isinstance(items, Mapping) else items
        rows = [(key, np.ascontiguousarray(vector, "<f4").tobytes(), day) for key, vector in pairs]
        self._database.write("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)

    def recall(self, questions: Sequence[str]) -> dict[str, str]:
        """Return the memos that were noted under these keys."""
        return dict(self._database.rows("SELECT key, value FROM memos WHERE key IN", questions))

    def note(self, memos: Mapping[str, str]) -> None:
        """Keep short texts under their keys, such as the content's hash of a file that has not changed since."""
        self._database.write("INSERT OR REPLACE INTO memos VALUES (?, ?)", list(memos.items()))

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def key_of(**parts: Any) -> str:
    """Make one key of named parts."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def content_hash(pixels: NDArray[Any]) -> str:
    """Return a hash of pixels, with their shape and number format."""
    digest = hashlib.blake2b(f"{pixels.shape} {pixels.dtype.newbyteorder('<').str}".encode(), digest_size=20)
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    digest.update(np.ascontiguousarray(little).data if pixels.size else b"")
    return digest.hexdigest()


def file_question(path: str, page: int, bar_rows: int) -> str | None:
    """Return the key of the memo of a file's pixels, None if it is not there; it changes when the file does."""
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return key_of(path=path, page=page, bar_rows=bar_rows, size=stat.st_size, changed=stat.st_mtime_ns)

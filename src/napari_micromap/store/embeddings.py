"""Embeddings on disk, kept as they come."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128

from napari_micromap.places import cache_bytes
from napari_micromap.problems import Problem
from napari_micromap.store.database import Database
from napari_micromap.store.evicting import count, day_now, evict

VERSION = 1
TABLES = """
CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, vector BLOB NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memos (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_day ON embeddings (day)
"""
MEMOS_SHARE = 0.1  # of the limit that memos may take
MEMO_BYTES = 120  # about


class EmbeddingCache:
    """Embeddings by what was computed from what, never by a file's name; and memos that spare reading files again.

    Safe for threads and for several processes at once; what is put is on disk when ``put`` returns. Each embedding is
    stamped with the day it was last used; where there are too many, those that were not used for longest go.

    Parameters
    ----------
    folder : Path
        Where ``embeddings.sqlite`` lies.
    limit : int, optional
        Bytes it may take, looked after when it is first used; 5 GB, or what MICROMAP_CACHE_GB says, if left out.
    today : callable, optional
        Gives the day's number.
    """

    def __init__(self, folder: Path, limit: int | None = None, today: Callable[[], int] | None = None) -> None:
        self._database = Database(folder / "embeddings.sqlite", VERSION, TABLES)
        self._limit = cache_bytes() if limit is None else limit
        self._today = today or day_now
        self._looked_after = False

    def get(self, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the (d,) vectors of those keys that are here."""
        self._look_after()
        found = self._database.rows("SELECT key, vector, day FROM embeddings WHERE key IN", keys)
        day = self._today()
        old = [(day, key) for key, _, stamped in found if stamped < day]
        if old:
            with contextlib.suppress(Problem):  # a cache that can only be read is of use, too
                self._database.write("UPDATE embeddings SET day = ? WHERE key = ?", old)
        return {key: np.frombuffer(vector, "<f4").astype(np.float32) for key, vector, _ in found}

    def put(self, items: Mapping[str, NDArray[np.float32]] | Iterable[tuple[str, NDArray[np.float32]]]) -> None:
        """Keep (d,) vectors under their keys; all of them, or, if the process dies, none."""
        self._look_after()
        day = self._today()
        pairs = items.items() if isinstance(items, Mapping) else items
        rows = [(key, np.ascontiguousarray(vector, "<f4").tobytes(), day) for key, vector in pairs]
        self._database.write("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", rows)

    def _look_after(self) -> None:
        """Once a process, let the oldest go where there are too many."""
        if self._looked_after:
            return
        self._looked_after = True
        if self._database.used_bytes() <= self._limit:
            return
        with contextlib.suppress(Problem):  # where nothing can be written, nothing grows
            self._database.write("CREATE INDEX IF NOT EXISTS by_day ON embeddings (day)", [()])
            if count(self._database, "memos") * MEMO_BYTES > MEMOS_SHARE * self._limit:
                self._database.write("DELETE FROM memos", [()])
        evict(self._database, self._limit, "embeddings", "SELECT key FROM embeddings ORDER BY day")

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
    """Return a hash of pixels, with their shape and number format.

    XXH3 in 128 bits: fifteen times as quick as BLAKE2, and among a million pictures two share one by chance once in
    10²⁶ collections. It does not withstand somebody who wants two pictures to share one; that would only deceive
    whoever made them, in a cache of his own. Who a micrograph is, which sessions keep, is a BLAKE2 hash of its file.
    """
    digest = xxh3_128(f"{pixels.shape} {pixels.dtype.newbyteorder('<').str}".encode())
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    digest.update(np.ascontiguousarray(little).data if pixels.size else b"")
    return digest.hexdigest()


def file_question(
    path: str, page: int, bar_rows: int, bar_side: str = "bottom", window: Sequence[int] | None = None
) -> str | None:
    """Return the key of the memo of a file's pixels, None if it is not there; it changes when the file does."""
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    side: dict[str, Any] = {} if bar_side == "bottom" else {"bar_side": bar_side}
    if window is not None:
        side["window"] = list(window)
    return key_of(
        path=path, page=page, bar_rows=bar_rows, size=stat.st_size, changed=stat.st_mtime_ns, node=stat.st_ino, **side
    )

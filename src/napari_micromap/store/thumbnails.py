"""Thumbnails on disk, as small JPEGs."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_micromap.places import cache_bytes
from napari_micromap.problems import Problem
from napari_micromap.store.database import Database
from napari_micromap.store.evicting import day_now, evict

if TYPE_CHECKING:
    from napari_micromap.atlas import Micrograph

VERSION = 1
TABLES = "CREATE TABLE IF NOT EXISTS thumbnails (key TEXT PRIMARY KEY, jpeg BLOB NOT NULL) WITHOUT ROWID"
# Beside them, so that files of before there was a limit stay good; what is not in it was used on no day.
USES = "CREATE TABLE IF NOT EXISTS uses (key TEXT PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID"
OLDEST = "SELECT t.key FROM thumbnails t LEFT JOIN uses u ON u.key = t.key ORDER BY coalesce(u.day, 0)"
QUALITY = 85
NOTED_AT_ONCE = 200  # uses


class Thumbnails:
    """Small pictures of micrographs, gray or in color; safe for threads and for several processes at once.

    The day each was last used is noted; where there are too many, those that were not used for longest go.

    Parameters
    ----------
    folder : Path
        Where ``thumbnails.sqlite`` lies.
    limit : int, optional
        Bytes it may take, looked after when it is first used; as for embeddings if left out.
    today : callable, optional
        Gives the day's number.
    """

    def __init__(self, folder: Path, limit: int | None = None, today: Callable[[], int] | None = None) -> None:
        self._database = Database(folder / "thumbnails.sqlite", VERSION, TABLES)
        self._limit = cache_bytes() if limit is None else limit
        self._today = today or day_now
        self._looked_after = False
        self._lock = threading.Lock()
        self._noted: set[tuple[str, int]] = set()  # uses that are on disk
        self._used: set[tuple[str, int]] = set()  # uses that are not yet

    def key_of(self, micrograph: Micrograph) -> str:
        """Return the key of a micrograph without its data bar; nothing is read for it."""
        side = "" if micrograph.bar_side == "bottom" else f":{micrograph.bar_side}"
        return f"{micrograph.id}:{micrograph.bar_rows}{side}"

    def get(self, key: str) -> NDArray[np.uint8] | None:
        """Return the (h, w) or (h, w, 3) thumbnail, or None if there is none yet."""
        from PIL import Image, UnidentifiedImageError

        found = self.jpegs([key])
        if not found:
            return None
        try:
            with Image.open(io.BytesIO(found[key])) as picture:
                return np.asarray(picture, np.uint8)
        except (UnidentifiedImageError, OSError):
            return None

    def present(self, keys: Sequence[str]) -> set[str]:
        """Return those keys that have a thumbnail."""
        self._look_after()
        there = {key for (key,) in self._database.rows("SELECT key FROM thumbnails WHERE key IN", keys)}
        self._use(there)
        return there

    def jpegs(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return those thumbnails that are here, as JPEGs."""
        self._look_after()
        found = dict(self._database.rows("SELECT key, jpeg FROM thumbnails WHERE key IN", keys))
        self._use(found)
        return found

    def put(self, key: str, image: NDArray[np.uint8]) -> None:
        """Keep a (h, w) or (h, w, 3) thumbnail."""
        self.put_all([(key, image)])

    def put_all(self, items: Iterable[tuple[str, NDArray[np.uint8]]]) -> None:
        """Keep many, in one go."""
        self.put_jpegs([(key, jpeg_of(image)) for key, image in items])

    def put_jpegs(self, items: Sequence[tuple[str, bytes]]) -> None:
        """Keep many that are JPEGs already."""
        self._look_after()
        self._database.write("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", items)
        self._use([key for key, _ in items])

    def close(self) -> None:
        """Close the file."""
        self._note()
        self._database.close()

    def _look_after(self) -> None:
        """Once a process, let the oldest go where there are too many."""
        if self._looked_after:
            return
        self._looked_after = True
        if self._database.used_bytes() > self._limit:
            with contextlib.suppress(Problem):
                self._database.write(USES, [()])
                evict(self._database, self._limit, "thumbnails", OLDEST)
                self._database.write("DELETE FROM uses WHERE key NOT IN (SELECT key FROM thumbnails)", [()])

    def _use(self, keys: Iterable[str]) -> None:
        day = self._today()
        with self._lock:
            self._used.update({(key, day) for key in keys} - self._noted)
            many = len(self._used) >= NOTED_AT_ONCE
        if many:
            self._note()

    def _note(self) -> None:
        """Write down what was used when."""
        with self._lock:
            used, self._used = self._used, set()
            self._noted |= used
        if used:
            with contextlib.suppress(Problem):  # one that can only be read is of use, too
                self._database.write(USES, [()])
                self._database.write("INSERT OR REPLACE INTO uses VALUES (?, ?)", list(used))


def jpeg_of(image: NDArray[np.uint8]) -> bytes:
    """Pack a (h, w) or (h, w, 3) picture as JPEG."""
    from imagecodecs import jpeg8_encode  # the same bytes as Pillow's in half the time

    return bytes(jpeg8_encode(np.ascontiguousarray(image), level=QUALITY))

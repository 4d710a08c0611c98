"""Thumbnails on disk, as small JPEGs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_micromap.store.database import Database

if TYPE_CHECKING:
    from napari_micromap.atlas import Micrograph

VERSION = 1
TABLES = "CREATE TABLE IF NOT EXISTS thumbnails (key TEXT PRIMARY KEY, jpeg BLOB NOT NULL) WITHOUT ROWID"
QUALITY = 85


class Thumbnails:
    """Small pictures of micrographs, gray or in color; safe for threads and for several processes at once.

    Parameters
    ----------
    folder : Path
        Where ``thumbnails.sqlite`` lies.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / "thumbnails.sqlite", VERSION, TABLES)

    def key_of(self, micrograph: Micrograph) -> str:
        """Return the key of a micrograph without its data bar; nothing is read for it."""
        side = "" if micrograph.bar_side == "bottom" else f":{micrograph.bar_side}"
        return f"{micrograph.id}:{micrograph.bar_rows}{side}"

    def get(self, key: str) -> NDArray[np.uint8] | None:
        """Return the (h, w) or (h, w, 3) thumbnail, or None if there is none yet."""
        from PIL import Image, UnidentifiedImageError

        found = self._database.rows("SELECT jpeg FROM thumbnails WHERE key IN", [key])
        if not found:
            return None
        try:
            with Image.open(io.BytesIO(found[0][0])) as picture:
                return np.asarray(picture, np.uint8)
        except (UnidentifiedImageError, OSError):
            return None

    def present(self, keys: Sequence[str]) -> set[str]:
        """Return those keys that have a thumbnail."""
        return {key for (key,) in self._database.rows("SELECT key FROM thumbnails WHERE key IN", keys)}

    def jpegs(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return those thumbnails that are here, as JPEGs."""
        return dict(self._database.rows("SELECT key, jpeg FROM thumbnails WHERE key IN", keys))

    def put(self, key: str, image: NDArray[np.uint8]) -> None:
        """Keep a (h, w) or (h, w, 3) thumbnail."""
        self.put_all([(key, image)])

    def put_all(self, items: Iterable[tuple[str, NDArray[np.uint8]]]) -> None:
        """Keep many, in one go."""
        self.put_jpegs([(key, jpeg_of(image)) for key, image in items])

    def put_jpegs(self, items: Sequence[tuple[str, bytes]]) -> None:
        """Keep many that are JPEGs already."""
        self._database.write("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", items)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def jpeg_of(image: NDArray[np.uint8]) -> bytes:
    """Pack a (h, w) or (h, w, 3) picture as JPEG."""
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(packed, "JPEG", quality=QUALITY)
    return packed.getvalue()

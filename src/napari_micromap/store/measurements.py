"""What was counted in micrographs, kept on disk."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from napari_micromap.store.database import Database

VERSION = 1
TABLES = "CREATE TABLE IF NOT EXISTS measurements (key TEXT PRIMARY KEY, found TEXT NOT NULL) WITHOUT ROWID"


class Measurements:
    """Values by key; safe for threads and for several processes at once.

    Parameters
    ----------
    folder : Path
        Where ``measurements.sqlite`` lies.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / "measurements.sqlite", VERSION, TABLES)

    def get(self, keys: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return what is known."""
        rows = self._database.rows("SELECT key, found FROM measurements WHERE key IN", keys)
        return {key: _numbers(json.loads(found)) for key, found in rows}

    def put(self, items: Iterable[tuple[str, Mapping[str, float]]]) -> None:
        """Keep many, in one go."""
        written = [
            (key, json.dumps({name: value if math.isfinite(value) else None for name, value in found.items()}))
            for key, found in items
        ]
        self._database.write("INSERT OR REPLACE INTO measurements VALUES (?, ?)", written)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _numbers(found: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in found.items()}

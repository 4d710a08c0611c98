"""Room made in a full file: the longest unused go."""

from __future__ import annotations

import contextlib
import time

from napari_micromap.problems import Problem
from napari_micromap.store.database import Database

SECONDS_A_DAY = 86_400
ROOM = 0.9  # of the limit is left filled when the oldest go


def day_now() -> int:
    """Return the day's number."""
    return int(time.time() // SECONDS_A_DAY)


def evict(database: Database, limit: int, table: str, oldest: str) -> None:
    """Where a file holds more than a limit of bytes, let rows go until there is room.

    Parameters
    ----------
    table : str
        That rows with a "key" are deleted from.
    oldest : str
        A query of keys, the longest unused first, that ends before its LIMIT.
    """
    if database.used_bytes() <= limit:
        return
    with contextlib.suppress(Problem):  # where nothing can be written, nothing grows
        while (used := database.used_bytes()) > ROOM * limit and (n := count(database, table)):
            going = max(1, min(n, round(n * (1 - ROOM * limit / used))))
            database.write(f"DELETE FROM {table} WHERE key IN ({oldest} LIMIT ?)", [(going,)])
        database.shrink()


def count(database: Database, table: str) -> int:
    """Return how many rows a table has."""
    return int(database.value(f"SELECT count(*) FROM {table}"))

"""A small SQLite file that survives damage, threads and other processes."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_micromap.problems import Problem
from napari_micromap.store.drives import is_remote

FOREIGN = "tables of another program or version"
BUSY = 30.0  # seconds to wait for another process that writes
MAPPED = 1 << 31  # bytes that are read by memory map, where the file lies on this machine
AT_ONCE = 500  # values in one query; SQLite allows 999


class Database:
    """One file of tables of keys and values; usable from any thread, by several processes at once.

    A file that is damaged or of another program is set aside under another name, and a new one begun: what it held
    can be computed again. Where the file lies on this machine, writers and readers do not wait for one another; on
    network drives, where that way is not safe, SQLite keeps its older one.

    Parameters
    ----------
    path : Path
        The file.
    version : int
        Of its tables; a file of another version is set aside too.
    tables : str
        SQL that creates them where they are not.
    """

    def __init__(self, path: Path, version: int, tables: str) -> None:
        self.path = path
        self._version = version
        self._tables = tables
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def rows(self, query: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        """Run a query that ends with ``IN`` for many keys."""
        found: list[tuple[Any, ...]] = []
        for first in range(0, len(keys), AT_ONCE):
            some = list(keys[first : first + AT_ONCE])
            found += self._do(f"{query} ({','.join('?' * len(some))})", some)
        return found

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for many rows and commit, all of them or none."""
        self._do(statement, list(rows), many=True)

    def value(self, query: str) -> Any:
        """Return the one value that a query answers."""
        return self._do(query, [])[0][0]

    def used_bytes(self) -> int:
        """Return how much of the file holds something."""
        pages, free, size = (self.value(f"PRAGMA {n}") for n in ("page_count", "freelist_count", "page_size"))
        return int((pages - free) * size)

    def shrink(self) -> None:
        """Give back to the disk what is free in the file, if it can be done now."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            # execute() frees one page only: the pragma answers a row for each without a column in it
            self._open().executescript("PRAGMA incremental_vacuum")

    def close(self) -> None:
        """Close the file; it opens again when it is next used."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _do(self, statement: str, values: list[Any], many: bool = False) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                for remedy in (self.close, self._set_aside):  # another process may have mended it already
                    try:
                        return self._tried(statement, values, many)
                    except sqlite3.DatabaseError as error:
                        if not _is_damage(error):
                            raise
                        remedy()
                return self._tried(statement, values, many)
            except (sqlite3.Error, OSError) as error:
                raise Problem(
                    f"The cache {self.path} cannot be used ({error}); make room there or delete it, or name another "
                    "folder in the environment variable MICROMAP_CACHE."
                ) from error

    def _tried(self, statement: str, values: list[Any], many: bool) -> list[tuple[Any, ...]]:
        connection = self._open()
        with connection:  # commits, or takes everything back
            if many:
                connection.executemany(statement, values)
                return []
            return connection.execute(statement, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY, check_same_thread=False)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        known = self._is_ours(connection)
        if not known:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only an empty file takes this
        remote = is_remote(self.path.parent)
        if not remote:
            connection.execute(f"PRAGMA mmap_size={MAPPED}")
        wanted = "DELETE" if remote else "WAL"
        with contextlib.suppress(sqlite3.OperationalError):  # another process does it at this moment, or it cannot be
            connection.execute(f"PRAGMA journal_mode={wanted}")
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        # With WAL a crash loses nothing that was committed, even so; the older way needs the disk to be waited for.
        connection.execute(f"PRAGMA synchronous={'NORMAL' if mode == 'wal' else 'FULL'}")
        if known:
            return
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if not self._is_ours(connection):
                for table in self._tables.split(";"):
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version={self._version}")

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        """Say whether the tables are there; a file of another program or version raises."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == self._version:
            return True
        if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError(FOREIGN)
        return False

    def _set_aside(self) -> None:
        self.close()
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for ending in ("", "-wal", "-shm", "-journal"):
            part = Path(f"{self.path}{ending}")
            if part.exists():
                part.replace(part.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}{ending}"))


def clear_file(path: Path) -> None:
    """Let go of all that is in the tables of a file, and give the room back to the disk; others may have it open."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            with connection:
                for name in names:
                    connection.execute(f'DELETE FROM "{name}"')
            connection.executescript("PRAGMA incremental_vacuum")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        raise Problem(
            f"{path} could not be cleared ({error}); wait until other windows have finished, or delete it when "
            "napari is closed."
        ) from error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell a damaged or foreign file from a disk that is full, read-only or busy."""
    signs = ("no such table", "no such column", "malformed", "not a database", FOREIGN)
    return any(sign in str(error) for sign in signs)

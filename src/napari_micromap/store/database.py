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

FOREIGN = "tables of another program or version"
BUSY = 30.0  # seconds to wait for another process that writes
AT_ONCE = 500  # values in one query; SQLite allows 999


class Database:
    """One file of tables of keys and values; usable from any thread, by several processes at once.

    A file that is damaged or of another program is set aside under another name, and a new one begun: what it held
    can be computed again.

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
        connection.execute("PRAGMA synchronous=NORMAL")  # with WAL a crash loses nothing that was committed
        if connection.execute("PRAGMA user_version").fetchone()[0] == self._version:
            return
        with contextlib.suppress(sqlite3.OperationalError):  # another process does it at this moment
            # Writers and readers do not wait for one another; on some network drives SQLite keeps its older way.
            connection.execute("PRAGMA journal_mode=WAL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != self._version:
                if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise sqlite3.DatabaseError(FOREIGN)
                for table in self._tables.split(";"):
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version={self._version}")

    def _set_aside(self) -> None:
        self.close()
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for ending in ("", "-wal", "-shm"):
            part = Path(f"{self.path}{ending}")
            if part.exists():
                part.replace(part.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}{ending}"))


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell a damaged or foreign file from a disk that is full, read-only or busy."""
    signs = ("no such table", "no such column", "malformed", "not a database", FOREIGN)
    return any(sign in str(error) for sign in signs)

"""What a path is that a user dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from qtpy.QtCore import QMimeData

Kind: TypeAlias = Literal["session", "folder", "table", "picture"]

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods", ".parquet", ".pq")
ENDING = ".micromap"


def kind_of(path: Path) -> Kind:
    """Say what a path is: a saved session (its folder or its entry file), a folder, a table, or one picture."""
    if path.suffix.lower() == ENDING:
        return "session"
    if path.is_dir():
        return "folder"
    return "table" if path.suffix.lower() in TABLES else "picture"


def paths_in(data: QMimeData) -> list[Path]:
    """Return the files and folders that are held over a widget."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]

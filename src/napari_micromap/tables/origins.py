"""Which table a column came from."""

from __future__ import annotations

from pathlib import Path, PurePath

import pandas as pd

from napari_micromap.atlas import Atlas


def origin_of(table: pd.DataFrame) -> str:
    """Return the file of a table, with its sheet where there are several; "" where nothing is known."""
    path, sheets = str(table.attrs.get("path", "")), table.attrs.get("sheets", ())
    return f"{path} [{table.attrs['sheet']}]" if len(sheets) > 1 else path


def origins_like(atlas: Atlas, origin: str) -> set[str]:
    """Return the origins of columns that mean the same table: also one of that name that is no longer where it was."""
    if not origin:
        return set()
    name = PurePath(origin.replace("\\", "/")).name
    others = {path for path in atlas.tables.values() if PurePath(path.replace("\\", "/")).name == name}
    return {path for path in others if path == origin or not Path(file_and_sheet(path)[0]).exists()}


def file_and_sheet(origin: str) -> tuple[str, str | None]:
    """Cut an origin into its file and its sheet."""
    file, bracket, sheet = origin.rpartition(" [")
    return (file, sheet[:-1]) if bracket and sheet.endswith("]") and not Path(origin).exists() else (origin, None)

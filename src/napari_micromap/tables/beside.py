"""Tables that lie in the folder of the images."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from napari_micromap.work import Progress, Work

# Text files are left out: microscopes write one beside each image.
_ENDINGS = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods", ".parquet")
_MOST = 6  # where there are more, they are something else


def tables_in(folder: Path, but: Collection[str] = ()) -> Work[list[Path]]:
    """List the tables that lie in a folder itself, by name, without opening any.

    Parameters
    ----------
    folder : Path
    but : collection of str
        Paths of those that are known already.
    """
    yield Progress("Looking", 0, 1)
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                hidden = entry.name.startswith((".", "~$"))
                if not hidden and entry.name.lower().endswith(_ENDINGS) and entry.path not in but and entry.is_file():
                    found.append(Path(entry.path))
    except OSError:
        return []
    return sorted(found) if len(found) <= _MOST else []

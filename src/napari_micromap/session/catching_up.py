"""What was built, beside what was said meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from napari_micromap.atlas import Atlas, same_bars
from napari_micromap.scaling import depends_on_scale


def caught_up(built: Atlas, now: Atlas) -> Atlas | None:
    """Return what was built beside what was said of the columns meanwhile; None if it is of no use any more."""
    where = pd.Index(now.ids).get_indexer(pd.Index(built.ids))
    if (where < 0).any():  # others were opened
        return None
    columns = now.columns if len(where) == len(now) else now.columns.iloc[where].reset_index(drop=True)
    if not same_bars(columns, built.columns):  # a corrected data bar: embed those anew
        return None
    done = replace(built, columns=columns, roles=now.roles, tables=now.tables, synthetic=now.synthetic)
    if depends_on_scale(built) and not np.array_equal(done.um_per_px, built.um_per_px, equal_nan=True):
        return None
    return done

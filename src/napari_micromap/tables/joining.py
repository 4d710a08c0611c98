"""A table's columns beside those of the micrographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Role
from napari_micromap.tables.matching import Match
from napari_micromap.tables.origins import origin_of, origins_like
from napari_micromap.tables.roles import guess_role
from napari_micromap.tables.several import Several, is_number, one_row_a_key

_BEHIND = " (table)"


def join(atlas: Atlas, table: pd.DataFrame, match: Match, several: Several = "mean") -> Atlas:
    """Put a table's columns beside those of the micrographs; embeddings and map stay.

    Columns that came from the same file before are replaced. A column whose name is taken gets " (table)"
    behind it.

    Parameters
    ----------
    atlas : Atlas
    table : DataFrame
        As :func:`read_table` gives it.
    match : Match
        From :func:`best_match` or :func:`matches`.
    several : "mean", "newest" or "first"
        What to take where several rows of the table belong to one key. Of texts that differ the mean is both.
    """
    origin = origin_of(table)
    like = origins_like(atlas, origin)
    before = [name for name, path in atlas.tables.items() if path in like]
    columns = atlas.columns.drop(columns=[name for name in before if name in atlas.columns])
    kept: dict[str, Role] = {name: role for name, role in atlas.roles.items() if name not in before}
    values = one_row_a_key(table, match, several).reindex(match.micrograph_codes)
    samples = _sample_names(values, match) if match.groups and match.table_column in table else None
    if samples is not None:
        values[match.table_column] = samples
    elif match.table_column in values:
        values = values.drop(columns=match.table_column)  # it repeats what the micrographs are called
    names = {str(name): _free_name(str(name), columns) for name in values.columns}
    added = values.rename(columns=names).set_axis(columns.index)
    sample = names.get(match.table_column) if samples is not None else None
    said_before: dict[str, Role] = {name: atlas.roles[name] for name in before if name in atlas.roles}
    said_before |= {names[name]: "other" for name in table.attrs.get("belongs", {}) if name in names}
    roles = _roles(added, kept, said_before, sample)
    return replace(
        atlas,
        columns=pd.concat([columns, added], axis=1),
        roles=MappingProxyType(roles),
        tables=MappingProxyType(
            {
                **{name: path for name, path in atlas.tables.items() if name not in before},
                **dict.fromkeys(names.values(), origin),
            }
        ),
    )


def without_table(atlas: Atlas, origin: str) -> Atlas:
    """Take the columns of a table away again; embeddings and map stay.

    Parameters
    ----------
    atlas : Atlas
    origin : str
        As ``atlas.tables`` has it.
    """
    gone = [name for name, path in atlas.tables.items() if path == origin]
    return replace(
        atlas,
        columns=atlas.columns.drop(columns=[name for name in gone if name in atlas.columns]),
        roles=MappingProxyType({name: role for name, role in atlas.roles.items() if name not in gone}),
        tables=MappingProxyType({name: path for name, path in atlas.tables.items() if name not in gone}),
    )


def _free_name(name: str, taken: pd.DataFrame) -> str:
    while name in OWN_COLUMNS or name in taken:
        name += _BEHIND
    return name


def _sample_names(values: pd.DataFrame, match: Match) -> pd.Series[Any]:
    """Return the table's name of each sample, and the micrograph's own where the table does not know it."""
    own = pd.Series(list(match.micrograph_texts), index=values.index, dtype=object)
    named = values[match.table_column]
    if named.isna().any() or not is_number(named):
        whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in named]
        return pd.Series(
            np.where(named.isna(), own, pd.Series(whole, dtype=object)), index=values.index
        ).infer_objects()
    return named


def _roles(
    added: pd.DataFrame, kept: Mapping[str, Role], before: Mapping[str, Role], sample: str | None
) -> dict[str, Role]:
    """Return all roles; what a user said of a column that comes again holds, and there is one sample at most."""
    roles = {str(name): before.get(str(name)) or guess_role(str(name), added[name]) for name in added.columns}
    if sample is None:
        said = [name for name in roles if roles[name] == "sample"]
        sample = next((name for name in said if before.get(name) == "sample"), next(iter(said), None))
        if len(added) and sample is not None and added[sample].isna().all():
            sample = None
    together: dict[str, Role] = {**kept, **roles}
    if sample is not None:
        together = {name: "other" if role == "sample" else role for name, role in together.items()}
        together[sample] = "sample"
    return together

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
from napari_micromap.tables.roles import guess_role

_BEHIND = " (table)"


def join(atlas: Atlas, table: pd.DataFrame, match: Match) -> Atlas:
    """Put a table's columns beside those of the micrographs; embeddings and map stay.

    Where several rows of the table belong to one key, numbers become their mean, and texts that differ stand side by
    side. Columns that came from the same file before are replaced. A column whose name is taken gets " (table)"
    behind it.

    Parameters
    ----------
    atlas : Atlas
    table : DataFrame
        As :func:`read_table` gives it.
    match : Match
        From :func:`best_match` or :func:`matches`.
    """
    origin = str(table.attrs.get("path", ""))
    before = [name for name, path in atlas.tables.items() if origin and path == origin]
    columns = atlas.columns.drop(columns=[name for name in before if name in atlas.columns])
    kept: dict[str, Role] = {name: role for name, role in atlas.roles.items() if name not in before}
    values = _one_row_a_key(table, match).reindex(match.micrograph_codes)
    samples = _sample_names(values, match) if match.groups and match.table_column in table else None
    if samples is not None:
        values[match.table_column] = samples
    elif match.table_column in values:
        values = values.drop(columns=match.table_column)  # it repeats what the micrographs are called
    names = {str(name): _free_name(str(name), columns) for name in values.columns}
    added = values.rename(columns=names).set_axis(columns.index)
    sample = names.get(match.table_column) if samples is not None else None
    roles = _roles(added, kept, {name: atlas.roles[name] for name in before if name in atlas.roles}, sample)
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


def _free_name(name: str, taken: pd.DataFrame) -> str:
    while name in OWN_COLUMNS or name in taken:
        name += _BEHIND
    return name


def _one_row_a_key(table: pd.DataFrame, match: Match) -> pd.DataFrame:
    """Return the table with one row a key, indexed by the key's number."""
    belongs = match.table_codes >= 0
    rows = table.loc[belongs].set_axis(match.table_codes[belongs])
    if rows.index.is_unique:
        return rows
    grouped = rows.groupby(level=0)
    names = [str(name) for name in rows.columns]
    return pd.DataFrame({n: grouped[n].agg(_mean if _is_number(rows[n]) else _side_by_side) for n in names})


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _mean(values: pd.Series[Any]) -> Any:
    return values.iloc[0] if values.nunique(dropna=False) == 1 else values.mean()


def _side_by_side(values: pd.Series[Any]) -> Any:
    different = list(dict.fromkeys(values.dropna()))
    if len(different) <= 1:
        return different[0] if different else np.nan
    return " / ".join(map(str, different))


def _sample_names(values: pd.DataFrame, match: Match) -> pd.Series[Any]:
    """Return the table's name of each sample, and the micrograph's own where the table does not know it."""
    own = pd.Series(list(match.micrograph_texts), index=values.index, dtype=object)
    named = values[match.table_column]
    if named.isna().any() or not _is_number(named):
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

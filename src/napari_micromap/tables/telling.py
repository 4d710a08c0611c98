"""Which column tells most at first sight."""

from __future__ import annotations

from napari_micromap.atlas import Atlas


def telling_column(atlas: Atlas) -> str | None:
    """Return the column that a map is best colored by at first: a property, else the sample, else the folder."""
    of_properties = [name for name in map(str, atlas.columns) if atlas.roles.get(name) == "property"]
    asked = [*of_properties, *([atlas.sample_column] if atlas.sample_column else []), "folder"]
    return next((name for name in asked if atlas.columns[name].nunique() > 1), None)

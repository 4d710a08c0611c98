"""Where in a layer the specimen lies, beside its data bar."""

from __future__ import annotations

from napari.layers import Layer

from napari_micromap.atlas import Micrograph


def box_of(layer: Layer, micrograph: Micrograph | None = None) -> tuple[int, int, int, int]:
    """Return top, left, height, width of the specimen in a layer that shows a micrograph, in pixels.

    Our own layers say it in their metadata; of a user's layer only the micrograph knows.
    """
    shape = layer.data.shape[-3:-1] if getattr(layer, "rgb", False) else layer.data.shape[-2:]
    whole = (0, 0, *shape) if micrograph is None else micrograph.box(*shape)
    top, left, height, width = layer.metadata.get("specimen", whole)
    return int(top), int(left), int(height), int(width)

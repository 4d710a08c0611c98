"""Where in a layer the specimen lies, beside its data bar."""

from __future__ import annotations

from napari.layers import Layer


def box_of(layer: Layer) -> tuple[int, int, int, int]:
    """Return top, left, height, width of the specimen in a layer that shows a micrograph, in pixels."""
    shape = layer.data.shape[-3:-1] if getattr(layer, "rgb", False) else layer.data.shape[-2:]
    top, left, height, width = layer.metadata.get("specimen", (0, 0, *shape))
    return int(top), int(left), int(height), int(width)

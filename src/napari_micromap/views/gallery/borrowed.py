"""What the gallery borrows of the viewer, and gives back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from napari.layers import Layer
from napari.viewer import Viewer


@dataclass
class _Setting:
    owner: Any
    name: str
    before: Any
    ours: Any

    def give_back(self) -> None:
        if getattr(self.owner, self.name) == self.ours:  # else the user changed it meanwhile, and that stays
            setattr(self.owner, self.name, self.before)


@dataclass(frozen=True)
class Camera:
    """Where the viewer looks."""

    center: tuple[float, ...]
    zoom: float
    angles: tuple[float, ...]

    @classmethod
    def of(cls, viewer: Viewer) -> Camera:
        """Note where the viewer looks now."""
        camera = viewer.scene.camera
        return cls(tuple(camera.center), float(camera.zoom), tuple(camera.angles))

    def close_to(self, other: Camera) -> bool:
        """Whether both look at the same, but for what napari rounds."""
        apart = max(abs(a - b) for a, b in zip(self.center, other.center))
        return abs(self.zoom / other.zoom - 1) < 0.01 and apart * self.zoom < 4 and self.angles == other.angles

    def point(self, viewer: Viewer) -> None:
        """Make the viewer look there."""
        camera = viewer.scene.camera
        if tuple(camera.angles) != self.angles:
            camera.angles = self.angles
        camera.zoom, camera.center = self.zoom, self.center


@dataclass
class Borrowed:
    """Settings of the viewer as they were; each is given back unless the user changed it meanwhile.

    Parameters
    ----------
    viewer : Viewer
        Whose settings they are.
    """

    viewer: Viewer
    _settings: dict[tuple[int, str], _Setting] = field(default_factory=dict)
    _camera: Camera | None = None
    _selected: frozenset[Layer] = frozenset()
    _selected_by_us: frozenset[Layer] = frozenset()

    @property
    def anything(self) -> bool:
        """Whether something is borrowed now."""
        return self._camera is not None

    def begin(self) -> None:
        """Remember what the viewer shows, if that was not done before."""
        if not self.anything:
            self._camera = Camera.of(self.viewer)
            self._selected = self._selected_by_us = frozenset(self.viewer.layers.selection)

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of the viewer or of a layer."""
        now = getattr(owner, name)
        if now == value and (id(owner), name) not in self._settings:
            return
        setting = self._settings.setdefault((id(owner), name), _Setting(owner, name, now, now))
        if now != value:
            setattr(owner, name, value)
        setting.ours = getattr(owner, name)

    def untouched(self, owner: Any, name: str) -> bool:
        """Say whether the user left an attribute alone since it was set here."""
        setting = self._settings.get((id(owner), name))
        return setting is None or getattr(owner, name) == setting.ours

    @property
    def selection_untouched(self) -> bool:
        """Whether the user left the selection in the layer list alone since it was set here."""
        there = frozenset(layer for layer in self._selected_by_us if layer in self.viewer.layers)
        return frozenset(self.viewer.layers.selection) == there

    def select(self, layers: Collection[Layer]) -> None:
        """Select these layers in the layer list."""
        if set(self.viewer.layers.selection) != set(layers):
            self.viewer.layers.selection = set(layers)
        self._selected_by_us = frozenset(layers)

    def view_flat(self) -> None:
        """Show planes of the last two axes, without a grid."""
        dims = self.viewer.dims
        self.set(self.viewer.canvas.grid, "enabled", False)
        self.set(dims, "ndisplay", 2)
        self.set(dims, "order", tuple(range(dims.ndim)))

    def give_back(self) -> None:
        """Bring all back; call it before the gallery's own layers are removed."""
        if self._camera is None:
            return
        layers, dims = self.viewer.layers, self.viewer.dims
        for setting in self._settings.values():
            gone = isinstance(setting.owner, Layer) and setting.owner not in layers
            grown = isinstance(setting.ours, tuple) and setting.owner is dims and len(setting.ours) != dims.ndim
            if not gone and not grown:
                setting.give_back()
        if self.selection_untouched:
            layers.selection = {layer for layer in self._selected if layer in layers}
        self._camera.point(self.viewer)
        self._camera = None
        self._settings.clear()
        self._selected = self._selected_by_us = frozenset()

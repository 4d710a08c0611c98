"""The layers that show a montage: picture, frames, labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Image, Layer, Points, Vectors
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from vispy.util.dpi import get_dpi

from napari_micromap.montage import FRAME, LABEL, PER_PAGE, Arrangement, Montage, TileBars

NAME = "Micrographs"
OURS = {"micromap": "gallery"}  # metadata by which our own layers are told from micrographs
UNIT = "scene unit"  # in the picture's metadata: how much of the world a scene unit is
_LETTERS = 9.4  # scene units: so many of them as a caption has fit below a tile
_RING = FRAME  # a second frame around the current tile
_GROUND = (0.0, 0.0, 0.0, 0.6)  # of scale bars, so that they are seen on any picture
_ON_PICTURES = "#ffffff"
_PAD, _LETTER_WIDE = 4.0, 5.6  # scene units
_BAR_ROWS, _LABEL_ROWS = 6, 5  # as many times FRAME is the ground high, with a bar and without
_LINES = (4 + _BAR_ROWS + 1) * PER_PAGE + 4
_THUMBNAIL_LINES = 60  # napari walks along each line of the icon in the layer list, at every change of any layer


@dataclass(frozen=True, eq=False)
class Looks:
    """How a page is framed and labeled.

    Parameters
    ----------
    arrangement : Arrangement
    colors : (k, 3) uint8
        Of the frames.
    captions : sequence of str
        Below the tiles.
    bars : TileBars
        On the tiles.
    current : int or None
        The tile that is ringed.
    ink : 3 int
        Of what is written on the ground.
    """

    arrangement: Arrangement
    colors: NDArray[np.uint8]
    captions: Sequence[str]
    bars: TileBars
    current: int | None
    ink: tuple[int, int, int]


class Scene:
    """A picture layer and two that go with it, updated in place for every montage."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self.unit = 1.0  # how much of the world a scene unit is
        self.image: Image | None = None
        self.frames: Vectors | None = None
        self.labels: Points | None = None
        self._shown: dict[Layer, bool] = {}
        self._points = 0.0  # font size; asked of the screen once, as that starts a program on Linux

    @property
    def layers(self) -> list[Layer]:
        """Those that are in the viewer."""
        return [layer for layer in (self.image, self.frames, self.labels) if layer is not None]

    def show(self, montage: Montage, units: tuple[Any, ...]) -> None:
        """Put a montage into the viewer, in place where there is one of its kind."""
        grid, unit = montage.grid, self.unit
        scale = (grid.pixel * unit,) * 2
        translate = (grid.top + grid.pixel / 2) * unit, (grid.left + grid.pixel / 2) * unit
        if self.image is not None and self.image.rgb != montage.colored:
            self._remove_image()  # napari cannot turn a gray layer into a colored one
        if self.image is None:
            looks = {} if montage.colored else {"contrast_limits": (0, 255), "colormap": "gray"}
            self.image = Image(
                montage.levels, multiscale=True, rgb=montage.colored, name=NAME, scale=scale, translate=translate,
                units=units, interpolation2d="linear", metadata={**OURS, UNIT: unit}, **looks,
            )  # fmt: skip
            below = [self._viewer.layers.index(layer) for layer in self.layers if layer is not self.image]
            self._viewer.layers.insert(min(below, default=len(self._viewer.layers)), self.image)
            return
        events = self.image.events
        with events.scale.blocker(), events.translate.blocker():  # new data tell all that these would
            _place(self.image, scale, translate)
        # napari cuts the new picture where the old one was looked at; there may be nothing.
        self.image.corner_pixels = np.array([[0, 0], np.subtract(grid.shapes[-1], 1)])
        self.image.data = montage.levels
        self.use_units(units)
        self.image.metadata = {**OURS, UNIT: unit}

    def decorate(self, looks: Looks, units: tuple[Any, ...]) -> None:
        """Frame the tiles, ring the current one, write below them, and draw their scale bars."""
        self._frame(looks, units)
        top, left, height, _ = looks.arrangement.boxes.T
        below = np.stack([top + height + FRAME + (LABEL - _LETTERS) / 2, left - FRAME], axis=1)
        places = np.concatenate([_padded(below, PER_PAGE), _padded(bar_label_places(looks), PER_PAGE)])
        ink = "#{:02x}{:02x}{:02x}".format(*looks.ink)
        said = [*looks.captions, *[" "] * (PER_PAGE - len(below)), *(label or " " for label in looks.bars.labels)]
        features = pd.DataFrame(
            {
                "label": [*said, *[" "] * (2 * PER_PAGE - len(said))],
                "ink": [ink] * PER_PAGE + [_ON_PICTURES] * PER_PAGE,
            }
        )
        unit = self.unit
        self._points = self._points or _font_size()
        if self.labels is None:
            text = {"size": self._points * unit, "scaling": True, "anchor": "lower_left", "color": {"feature": "ink"}}
            self.labels = Points(
                places, features=features, name=f"{NAME} (labels)", size=1, opacity=1, face_color="transparent",
                border_color="transparent", units=units, metadata=OURS, scale=(unit, unit),
                text={"string": "{label}", **text},
            )  # fmt: skip
            self._viewer.layers.append(self.labels)
            return
        with self.labels.events.data.blocker():  # napari slices all layers anew for it, and the picture's own will do
            self.labels.data = places
        self.labels.features = features
        _place(self.labels, (unit, unit))
        if self.labels.text.size != self._points * unit:
            self.labels.text.size = self._points * unit

    def _frame(self, looks: Looks, units: tuple[Any, ...]) -> None:
        boxes, current, unit = looks.arrangement.boxes, looks.current, self.unit
        lines = [_outlines(boxes, FRAME / 2)]
        rgba = [np.repeat(_rgba(looks.colors), 4, axis=0)]
        if current is not None:
            lines.append(_outlines(boxes[current : current + 1], FRAME + _RING / 2))
            rgba.append(np.repeat(_rgba(np.array([looks.ink], np.uint8)), 4, axis=0))
        for more, color in bar_lines(looks):
            lines.append(more)
            rgba.append(np.repeat(np.array([color], np.float32), len(more), axis=0))
        drawn, colored = (_padded(np.concatenate(parts), _LINES) for parts in (lines, rgba))
        if self.frames is None:
            self.frames = _few_lines(f"{NAME} (frames)", units, unit)
            self.frames.data, self.frames.edge_color = drawn, colored
            above = len(self._viewer.layers) if self.image is None else self._viewer.layers.index(self.image) + 1
            self._viewer.layers.insert(above, self.frames)
            return
        with self.frames.events.data.blocker():
            self.frames.data = drawn
        self.frames.edge_color = colored
        _place(self.frames, (unit, unit))

    def refresh(self) -> None:
        """Show what was read since."""
        if self.image is not None:
            self.image.refresh(extent=False)

    def use_units(self, units: tuple[Any, ...]) -> None:
        """Take the units of the user's layers: napari drops all units where layers disagree."""
        for layer in self.layers:
            if tuple(map(str, layer.units)) != tuple(map(str, units)):
                layer.units = units

    def hide(self) -> None:
        """Hide the layers, and remember which the user had hidden himself."""
        if not self._shown:
            self._shown = {layer: layer.visible for layer in self.layers}
        for layer in self.layers:
            layer.visible = False

    def unhide(self) -> None:
        """Show the layers that were seen before."""
        for layer in self.layers:
            layer.visible = self._shown.get(layer, True)
        self._shown = {}

    def forget(self, layer: Layer) -> bool:
        """Note that the user deleted a layer; say whether it was the picture itself."""
        was_picture = layer is self.image
        self.image = None if was_picture else self.image
        self.frames = None if layer is self.frames else self.frames
        self.labels = None if layer is self.labels else self.labels
        return was_picture

    def remove(self) -> None:
        """Take all layers out of the viewer."""
        _remove(self._viewer, self.let_go())

    def let_go(self) -> list[Layer]:
        """Forget all layers, and return those that are still in the viewer."""
        layers = self.layers
        self.image = self.frames = self.labels = None
        self._shown = {}
        return layers

    def remove_soon(self) -> None:
        """Take all layers out of the viewer when the user's deletion, which may hold these as well, is over."""
        QTimer.singleShot(0, partial(_remove, self._viewer, self.let_go()))

    def _remove_image(self) -> None:
        image, self.image = self.image, None
        if image in self._viewer.layers:
            self._viewer.layers.remove(image)


def _few_lines(name: str, units: tuple[Any, ...], unit: float) -> Vectors:
    """Make a layer of one line that draws its icon from few of those that it is given afterwards."""
    looks: dict[str, Any] = {"edge_width": FRAME, "vector_style": "line", "opacity": 1, "edge_color": np.ones((1, 4))}
    layer = Vectors(np.ones((1, 2, 2)), name=name, units=units, metadata=OURS, scale=(unit, unit), **looks)
    layer._max_vectors_thumbnail = _THUMBNAIL_LINES
    return layer


def bar_lines(looks: Looks) -> list[tuple[NDArray[np.float64], tuple[float, ...]]]:
    """Return lines of scale bars with their color: their dark ground, FRAME by FRAME, then the bars on it."""
    bottom, left = _foot(looks)
    lengths = looks.bars.lengths
    wide = np.maximum(lengths, [_LETTER_WIDE * len(label) for label in looks.bars.labels]) + 2 * _PAD
    rows = np.where(lengths > 0, _BAR_ROWS, _LABEL_ROWS)
    shown = np.array([bool(label) for label in looks.bars.labels], bool)

    def lines(at: NDArray[np.float64], begin: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
        none = np.zeros(len(at))
        return np.stack([np.stack([at, begin], 1), np.stack([none, across], 1)], axis=1)

    ground = [
        lines(bottom[some] - (row + 0.5) * FRAME, left[some], wide[some])
        for row in range(_BAR_ROWS)
        if (some := shown & (rows > row)).any()
    ]
    drawn = lengths > 0
    bars = lines(bottom[drawn] - 1.5 * FRAME, left[drawn] + _PAD, lengths[drawn])
    both = [(np.concatenate(ground), _GROUND)] if ground else []
    return [*both, *([(bars, (1.0, 1.0, 1.0, 1.0))] if len(bars) else [])]


def bar_label_places(looks: Looks) -> NDArray[np.float64]:
    """Return (k, 2) places where the words of scale bars begin, lower left."""
    bottom, left = _foot(looks)
    above = np.where(looks.bars.lengths > 0, _BAR_ROWS, _LABEL_ROWS) * FRAME
    return np.stack([bottom - above + 0.1 * FRAME, left + _PAD], axis=1)


def _foot(looks: Looks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bottom and left of the ground of each scale bar."""
    top, left, height, _ = looks.arrangement.boxes.T
    return top + height - FRAME, left + FRAME


def _padded(rows: NDArray[Any], count: int) -> NDArray[Any]:
    """Repeat the last row: napari breaks, down to OpenGL, where a hidden layer gets fewer or more lines than it had."""
    return np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])


def _place(layer: Layer, scale: tuple[float, ...], translate: tuple[float, ...] | None = None) -> None:
    """Give a layer its place in the world, where it has another: napari slices all layers anew for each change."""
    if not np.array_equal(layer.scale, scale):
        layer.scale = scale
    if translate is not None and not np.array_equal(layer.translate, translate):
        layer.translate = translate


def _font_size() -> float:
    """Font size that makes letters as tall as they should be in the scene: napari takes points of this screen."""
    return _LETTERS * 72 / float(get_dpi(raise_error=False))


def _remove(viewer: Viewer, layers: Iterable[Layer]) -> None:
    there = [layer for layer in layers if layer in viewer.layers]
    if there:
        with viewer.layers.batched_update():  # napari collects garbage once for all of them, not for each
            for layer in there:
                viewer.layers.remove(layer)


def _outlines(boxes: NDArray[np.float64], outside: float) -> NDArray[np.float64]:
    """Return (4 k, 2, 2) lines, start and direction, around boxes; corners closed for lines FRAME wide."""
    top, left = boxes[:, 0] - outside, boxes[:, 1] - outside
    height, width = boxes[:, 2] + 2 * outside, boxes[:, 3] + 2 * outside
    more, none = FRAME / 2, np.zeros(len(boxes))
    across = np.stack([none, width + 2 * more], 1)
    down = np.stack([height, none], 1)
    lines = [
        (np.stack([top, left - more], 1), across),
        (np.stack([top + height, left - more], 1), across),
        (np.stack([top, left], 1), down),
        (np.stack([top, left + width], 1), down),
    ]
    return np.stack([np.stack(line, axis=1) for line in lines], axis=1).reshape(-1, 2, 2)


def _rgba(colors: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([colors / 255, np.ones((len(colors), 1))], axis=1).astype(np.float32)

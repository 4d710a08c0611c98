"""Scales in the window: gratings measured on screenshots, what bars say typed, a line drawn by mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_micromap.microscopy.scale_bar import find_scale_bar
from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.gallery.ruler import Ruler
from napari_micromap.views.panels.scales import ScalesWindow

PERIOD_UM = 2.0
SIZES_UM = (0.05, 0.11, 0.2)  # µm per px of the three gratings


@pytest.fixture
def viewer(shared_window: Any) -> Iterator[Any]:
    window = shared_window
    settle()
    yield window
    window.layers.clear()
    window.canvas.overlays["scale_bar"].visible = False
    camera = window.scene.camera
    camera.angles, camera.center, camera.zoom = (0, 0, 0), (0, 0, 0), 1
    settle()


def settle(times: int = 8) -> None:
    for _ in range(times):
        QApplication.processEvents()


def grating(um_per_px: float, shape: tuple[int, int] = (360, 480)) -> NDArray[np.uint8]:
    x = np.arange(shape[1]) * um_per_px
    wave = 128 + 100 * np.sin(2 * np.pi * x / PERIOD_UM)
    return np.broadcast_to(wave, shape).astype(np.uint8)


@pytest.fixture
def gratings(tmp_path: Path) -> Session:
    from PIL import Image

    folder = tmp_path / "gratings"
    folder.mkdir()
    for k, um_per_px in enumerate((*SIZES_UM, 0.1)):
        Image.fromarray(grating(um_per_px)).save(folder / f"g{k}.png")
    session = Session(cache=tmp_path / "cache")
    session.open(Folder(folder))
    session.scales.give([0, 1, 2], SIZES_UM)  # nobody tells it of the last
    return session


def shot_of(viewer: Any) -> NDArray[Any]:
    settle()
    shot: NDArray[Any] = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)
    return shot


def tile_place(viewer: Any, gallery: Gallery, tile: int) -> tuple[int, int, int, int]:
    """Where a tile is seen: first and last row and column of the canvas."""
    arrangement, (high, wide) = gallery.arrangement, viewer.canvas.size
    assert arrangement is not None
    unit = gallery.layers[0].metadata["scene unit"]
    center, zoom = np.array(viewer.scene.camera.center[-2:]), viewer.scene.camera.zoom
    top, left, height, width = arrangement.boxes[tile] * unit
    y0, x0 = (np.array([top, left]) - center) * zoom + (high / 2, wide / 2)
    y1, x1 = (np.array([top + height, left + width]) - center) * zoom + (high / 2, wide / 2)
    return round(y0), round(y1), round(x0), round(x1)


def period_on(shot: NDArray[Any], place: tuple[int, int, int, int]) -> float:
    """Measure the period of a grating in pixels of the screen."""
    top, bottom, left, right = place
    part = shot[top + 4 : (top + bottom) // 2, left + 4 : right - 4].mean(axis=(0, 2))
    padded = 1 << 15
    spectrum = np.abs(np.fft.rfft((part - part.mean()) * np.hanning(len(part)), padded))
    return float(padded / (5 + spectrum[5:].argmax()))


def bar_on(shot: NDArray[Any], place: tuple[int, int, int, int]) -> float:
    """Measure the white bar at the foot of a tile, in pixels of the screen."""
    top, bottom, left, right = place
    foot = shot[(top + 2 * bottom) // 3 : bottom - 2, left + 2 : right - 2].min(axis=2)
    longest = 0
    for row in foot > 235:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        longest = max(longest, *(edges[1::2] - edges[::2]), 0) if len(edges) else longest
    return float(longest)


def um_of(label: str) -> float:
    value, unit = label.split()
    return float(value) * {"nm": 1e-3, "µm": 1.0, "mm": 1e3}[unit]


def napari_bar(shot: NDArray[Any]) -> float:
    """Measure napari's own bar in the lower right corner."""
    high, wide = shot.shape[:2]
    corner = shot[high - 60 :, wide // 2 :].mean(axis=2)
    bar = find_scale_bar(np.clip(corner, 0, 255).astype(np.uint8), corner.shape[0] - 1)
    assert bar is not None
    return bar.length


def test_in_fit_each_tiles_own_bar_measures_its_grating(viewer: Any, gratings: Session) -> None:
    gallery = Gallery(viewer, gratings)
    gratings.selection.replace([0, 1, 2, 3])
    shot = shot_of(viewer)
    arrangement = gallery.arrangement
    assert arrangement is not None and not viewer.canvas.overlays["scale_bar"].visible
    labels = gallery.layers[2].features["label"].tolist()
    said = {int(row): labels[100 + tile] for tile, row in enumerate(arrangement.rows)}
    assert said[3] == "no scale"
    for tile, row in enumerate(arrangement.rows.tolist()):
        if row == 3:
            continue
        place = tile_place(viewer, gallery, tile)
        bar_um = bar_on(shot, place) / period_on(shot, place) * PERIOD_UM
        # The bar is some fifty pixels long; its ends are whole ones.
        assert bar_um == pytest.approx(um_of(said[row]), rel=0.02, abs=1.0 * PERIOD_UM / period_on(shot, place))
    gallery.dispose()


def test_at_the_same_scale_all_gratings_agree_and_naparis_bar_measures_them(viewer: Any, gratings: Session) -> None:
    gallery = Gallery(viewer, gratings)
    gratings.selection.replace([0, 1, 2, 3])
    gallery.tile_scale = "same"
    shot = shot_of(viewer)
    arrangement = gallery.arrangement
    assert arrangement is not None and viewer.canvas.overlays["scale_bar"].visible
    known = [tile for tile, row in enumerate(arrangement.rows) if row != 3]
    periods = [period_on(shot, tile_place(viewer, gallery, tile)) for tile in known]
    assert max(periods) / min(periods) < 1.02
    assert {str(unit) for unit in viewer.layers.units} == {"micrometer"}
    bar = viewer.canvas.overlays["scale_bar"]
    bar.ticks = False  # the strokes at its ends stand out
    shot = shot_of(viewer)
    (drawn,) = viewer.window._qt_viewer.canvas._viewer_overlay_to_visual[bar]
    told = um_of(drawn.node.text.text.replace("μ", "µ"))
    assert napari_bar(shot) / np.mean(periods) * PERIOD_UM == pytest.approx(told, rel=0.02)
    labels = gallery.layers[2].features["label"].tolist()[100:104]
    assert sorted(label.strip() for label in labels) == ["", "", "", "no scale"]
    bar.ticks = True
    gallery.close()
    assert not viewer.canvas.overlays["scale_bar"].visible
    gallery.dispose()


def test_naparis_scale_bar_is_given_back_as_the_user_had_it(viewer: Any, gratings: Session) -> None:
    viewer.canvas.overlays["scale_bar"].visible = True
    gallery = Gallery(viewer, gratings)
    gratings.selection.replace([0, 1])
    assert not viewer.canvas.overlays["scale_bar"].visible
    gallery.tile_scale = "same"
    settle()
    gallery.tile_scale = "fit"
    settle()
    assert not viewer.canvas.overlays["scale_bar"].visible
    gallery.close()
    assert viewer.canvas.overlays["scale_bar"].visible
    gallery.dispose()


def test_clicks_find_their_tiles_at_the_same_scale_and_a_new_scale_moves_them(viewer: Any, gratings: Session) -> None:
    gallery = Gallery(viewer, gratings)
    gratings.selection.replace([0, 1, 2])
    gallery.tile_scale = "same"
    settle()
    native = viewer.window._qt_viewer.canvas.native
    assert gallery.arrangement is not None
    for tile, row in enumerate(gallery.arrangement.rows.tolist()):
        top, bottom, left, right = tile_place(viewer, gallery, tile)
        at = QPoint((left + right) // 2, (top + bottom) // 2)
        QTest.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        settle()
        assert gratings.current == row
    before = gallery.arrangement.um_per_unit
    gratings.scales.give([0, 1, 2], np.array(SIZES_UM) * 3)
    settle()
    assert gallery.arrangement.um_per_unit == pytest.approx(3 * float(before or 0))
    gallery.dispose()


def test_a_line_drawn_by_mouse_is_measured_in_pixels_and_leaves_no_trace(viewer: Any, gratings: Session) -> None:
    gallery = Gallery(viewer, gratings)
    gratings.open_micrograph(1)
    settle()
    layer = gallery.opened_layer
    assert layer is not None and float(layer.scale[-1]) == pytest.approx(SIZES_UM[1])
    layers, selected = list(viewer.layers), set(viewer.layers.selection)
    drawn: list[float] = []
    ruler = Ruler(viewer, drawn.append)
    ruler.take(layer)
    settle()
    native, (high, wide) = viewer.window._qt_viewer.canvas.native, viewer.canvas.size
    zoom = viewer.scene.camera.zoom * SIZES_UM[1]
    begin, end = QPoint(wide // 2 - 100, high // 2), QPoint(wide // 2 + 100, high // 2)
    QTest.mousePress(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, begin)
    for x in range(begin.x(), end.x() + 1, 20):
        QTest.mouseMove(native, QPoint(x, begin.y()))
        settle(2)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    settle()
    assert drawn[-1] == pytest.approx(200 / zoom, rel=0.02)
    ruler.put_away()
    assert list(viewer.layers) == layers and set(viewer.layers.selection) == selected
    gratings.scales.by_line(1, drawn[-1], 10, "µm")
    settle()
    assert float(layer.scale[-1]) == pytest.approx(10 / drawn[-1])
    assert viewer.canvas.overlays["scale_bar"].visible
    gallery.dispose()


def test_one_entry_for_a_group_of_bars_fills_the_card(viewer: Any, real_data: Path, tmp_path: Path) -> None:
    session = Session(cache=tmp_path)
    session.open(Folder(real_data / "nanocomp" / "0.5wt_un"))
    window = ScalesWindow(session)
    window.show()
    settle()
    assert sorted(len(card.group.rows) for card in window.cards) == [2, 2, 3]
    card = next(card for card in window.cards if len(card.group.rows) == 3)
    card.length.value.setFocus()
    QTest.keyClicks(card.length.value, "1")
    QTest.keyClick(card.length.value, Qt.Key.Key_Return)
    settle()
    assert int(np.isfinite(session.atlas.um_per_px).sum()) == 3
    assert "3 of 7 images" in window.heading.text() and not window.problem.isVisible()
    assert card.scale.text().startswith("✓ 27")
    session.undo()
    assert not np.isfinite(session.atlas.um_per_px).any()
    window.close()

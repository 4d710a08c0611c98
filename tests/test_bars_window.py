"""Pictures of three vendors in a real window: crop lines, cropped tiles, the whole picture when opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ImageDraw import Draw
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_micromap.sources.folder import Folder
from napari_micromap.views.dock import MicromapDock
from napari_micromap.views.panels.bars import BarsWindow, CutPicture
from napari_micromap.views.sessions import lanes_of
from napari_micromap.views.specimens import box_of

TESCAN = "[MAIN]\nDevice=TESCAN MIRA3\nPixelSizeX=2.5e-08\nImageStripSize=40\nMagnification=10000\n[SEM]\nHV=15000\n"
HITACHI = "[SemImageFile]\nInstructName=SU8200\nPixelSize=5\nMagnification=10000\nAcceleratingVoltage=5000 Volt\n"
FEI = "[Beam]\r\nHV=10000\r\n[Scan]\r\nPixelWidth=1e-08\r\n[Image]\r\nResolutionX=320\r\nResolutionY=240\r\n"


def barred(seed: int, rows: int, turns: int = 0) -> Any:
    """Draw a picture of 240 × 320 with a bar below, or after so many quarter turns beside or above it."""
    rng = np.random.default_rng(seed)
    surface = rng.normal(110, 20, (240, 320)).clip(20, 235).astype(np.uint8)
    turned = np.rot90(surface, -turns)
    bar = Image.new("L", (turned.shape[1], rows), 0)
    Draw(bar).text((6, 3), "15.0 kV   x10,000   SE   WD 9.8 mm", fill=255)
    Draw(bar).rectangle((150, rows - 8, 210, rows - 5), fill=255)
    return np.rot90(np.vstack([turned, np.asarray(bar)]), turns)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures each of Tescan (header, below), Hitachi (a bar on the right) and FEI (above, unlike its header)."""
    folder = tmp_path_factory.mktemp("bars") / "three vendors"
    folder.mkdir()
    for k in range(4):
        tifffile.imwrite(folder / f"tescan_{k}.tif", barred(k, 40))
        (folder / f"tescan_{k}.hdr").write_text(TESCAN)
        tifffile.imwrite(folder / f"hitachi_{k}.tif", barred(10 + k, 60, turns=1))
        (folder / f"hitachi_{k}.txt").write_text(HITACHI)
        tifffile.imwrite(
            folder / f"fei_{k}.tif", barred(20 + k, 30, turns=2), metadata=None, extratags=[(34682, "s", 0, FEI, True)]
        )
    return folder


@pytest.fixture(scope="module")
def window(shared_window: Any) -> Iterator[MicromapDock]:
    """The dock in a window, for all tests here."""
    dock = MicromapDock(shared_window)
    shared_window.window.add_dock_widget(dock, name="Microstructure map", area="right")
    settle()
    yield dock
    dock.gallery.close()
    settle()


@pytest.fixture
def dock(window: MicromapDock, vendors: Path) -> Iterator[MicromapDock]:
    """The dock with the folder open."""
    window.session.open(Folder(vendors))
    wait(window)
    yield window
    window.session.selection.clear()
    window.gallery.close()
    for child in window.findChildren(BarsWindow):
        child.close()
    settle()


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def wait(dock: MicromapDock) -> None:
    lanes_of(dock.session).wait_idle(120)
    settle()


def opened(dock: MicromapDock) -> BarsWindow:
    QTest.mouseClick(dock.check.bars, Qt.MouseButton.LeftButton)
    settle()
    wait(dock)
    (window,) = dock.findChildren(BarsWindow)
    return window


def drag(picture: CutPicture, begin: QPoint, end: QPoint) -> None:
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=begin)
    QTest.mouseMove(picture, end)
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=end)
    settle()


def row_of(dock: MicromapDock, name: str) -> int:
    return dock.session.atlas.columns["file"].tolist().index(name)


def test_three_vendors_mixed_fill_the_columns_and_each_bar_is_cut_on_its_side(dock: MicromapDock) -> None:
    columns = dock.session.atlas.columns
    told = columns.groupby("vendor")[["bar_rows", "bar_side", "bar_from"]].first()
    assert told.loc["Tescan"].tolist() == [40, "bottom", "header"]
    assert told.loc["Hitachi"].tolist() == [60, "right", "pixels: panel with writing"]
    assert told.loc["FEI"].tolist() == [30, "top", "pixels: header says 30"]
    numbers = columns.groupby("vendor")[["um_per_px", "kv"]].first()
    np.testing.assert_allclose(numbers.loc[["FEI", "Hitachi", "Tescan"]], [[0.01, 10], [0.005, 5], [0.025, 15]])
    assert {micrograph.specimen().shape for micrograph in dock.session.atlas} == {(240, 320)}
    assert dock.check.bars.text() == "on 12 of 12 · 4 to check ▸"


def test_lines_on_the_images_are_dragged_for_all_of_a_kind_or_one_and_the_map_is_a_click_away(
    dock: MicromapDock,
) -> None:
    session = dock.session
    window = opened(dock)
    hitachi = row_of(dock, "hitachi_0.tif")
    assert hitachi in window.shown and len(window.cards) == 6
    card = window.cards[hitachi]
    picture = card.picture
    assert picture.side == "right" and picture.cursor().shape() == Qt.CursorShape.SplitHCursor
    line = round(picture.width() * (1 - 60 / 380))
    drag(picture, QPoint(line, 30), QPoint(round(picture.width() * (1 - 76 / 380)), 50))
    rows = session.atlas.columns.set_index("file")["bar_rows"]
    assert set(rows.filter(like="hitachi")) == {rows["hitachi_0.tif"]} and abs(rows["hitachi_0.tif"] - 76) <= 2
    assert set(rows.filter(like="tescan")) == {40} and set(rows.filter(like="fei")) == {30}
    assert card.reason.text() == "as you said"
    card.whole_kind.setChecked(False)
    card.rows.setValue(60)
    card.rows.editingFinished.emit()
    card.side.setCurrentIndex(0)
    card.side.activated.emit(0)
    assert session.atlas[hitachi].bar_rows == 0
    assert abs(session.atlas[row_of(dock, "hitachi_1.tif")].bar_rows - 76) <= 2, "the others stay"
    asked: list[bool] = []
    window._make_map = lambda: asked.append(True)
    assert window.make.isVisibleTo(window)
    QTest.mouseClick(window.after, Qt.MouseButton.LeftButton)
    settle()
    assert window.place.text() == "7–12 of 12" and len(window.cards) == 6
    QTest.mouseClick(window.make, Qt.MouseButton.LeftButton)
    settle()
    assert asked == [True]


def test_tiles_are_cropped_and_an_opened_image_is_whole_with_its_specimen_told(dock: MicromapDock) -> None:
    session = dock.session
    session.selection.replace(range(12))
    wait(dock)
    arrangement = dock.gallery.arrangement
    assert arrangement is not None
    heights, widths = np.asarray(arrangement.boxes)[:, 2:].T
    np.testing.assert_allclose(heights / widths, 240 / 320, rtol=0.02)
    row = row_of(dock, "fei_1.tif")
    session.open_micrograph(row)
    wait(dock)
    layer = dock.gallery.opened_layer
    assert layer is not None and layer.data.shape == (270, 320), "with its data bar"
    assert box_of(layer) == (30, 0, 240, 320)
    top, left, height, width = box_of(layer)
    np.testing.assert_array_equal(layer.data[top : top + height, left : left + width], session.atlas[row].specimen())
    assert np.allclose(layer.translate, 0) and np.allclose(layer.scale, layer.scale[0])
    dock.gallery.back()
    settle()
    assert dock.gallery.mode == "gallery"

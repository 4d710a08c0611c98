"""What differs, in the window: by mouse, with outlines that come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_micromap.questions.counting import Outline
from napari_micromap.session import Map, Session
from napari_micromap.sources.folder import Folder
from napari_micromap.views.comparisons import TITLE
from napari_micromap.views.dock import MicromapDock
from napari_micromap.views.forest import Forest
from napari_micromap.views.outlines import COLORS, COUNTED, LEFT_OUT, labels_of
from napari_micromap.views.panels.compare import ComparePanel
from napari_micromap.views.sessions import lanes_of


@pytest.fixture(scope="module")
def films(tmp_path_factory: Any) -> Path:
    """Eight films of two pictures: black pores on gray, twice as many in the first four."""
    folder = Path(tmp_path_factory.mktemp("films"))
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :128]
    for film in range(8):
        for image in range(2):
            picture = rng.normal(150, 6, (96, 128))
            for _ in range(16 if film < 4 else 6):
                top, left = rng.uniform(8, 88), rng.uniform(8, 120)
                picture[(y - top) ** 2 + (x - left) ** 2 < 16] = 20
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"F{film:03d}_{image}.png")
    return folder


@pytest.fixture
def dock(make_napari_viewer_proxy: Any, films: Path) -> MicromapDock:
    viewer = make_napari_viewer_proxy()
    viewer = getattr(viewer, "__wrapped__", viewer)
    made = MicromapDock(viewer)
    viewer.window.add_dock_widget(made, name="Microstructure map")
    made.session.open(Folder(films))
    wait(made)
    positions = np.random.default_rng(1).normal(size=(16, 2)).astype(np.float32)
    made.session.show(Map(positions, "UMAP"))
    return made


def wait(dock: MicromapDock) -> None:
    lanes_of(dock.session).wait_idle(120)
    QApplication.processEvents()


def click_line(forest: Forest, name: str, qtbot: Any) -> None:
    for index in range(forest.topLevelItemCount()):
        item = forest.topLevelItem(index)
        if item is not None and item.text(0) == name:
            forest.scrollToItem(item)
            place = forest.visualItemRect(item).center()
            qtbot.mouseClick(forest.viewport(), Qt.MouseButton.LeftButton, pos=place)
            return
    raise AssertionError(name)


def test_compare_by_mouse_outlines_what_was_counted_and_leaves_nothing(dock: MicromapDock, qtbot: Any) -> None:
    viewer, session = dock.viewer, dock.session
    session.selection.replace(np.arange(8))
    wait(dock)
    qtbot.mouseClick(dock.comparisons.compare, Qt.MouseButton.LeftButton)
    wait(dock)
    panel = dock.comparisons.panel
    assert panel is not None and session.groups.comparison is not None
    click_line(panel.forest, "dark area fraction", qtbot)
    assert panel.sentence.text().startswith("dark area fraction is higher in the selection: ")
    wait(dock)
    assert "Counted: dark area fraction" in viewer.layers  # on a micrograph that was opened for it
    under, layer = viewer.layers[-2], viewer.layers[-1]
    np.testing.assert_allclose(layer.scale, under.scale)
    assert layer.contour > 0 and viewer.layers.selection.active is not layer
    before = int((layer.data == 1).sum())
    assert "2 spreads darker" in panel.counted.text()
    panel.threshold.setValue(4.0)
    qtbot.waitUntil(lambda: session.groups.measuring.dark == 4.0, timeout=5000)
    wait(dock)
    assert int((viewer.layers[-1].data == 1).sum()) < before and "4 spreads darker" in panel.counted.text()
    assert session.groups.comparison.measuring.dark == 4.0  # and the numbers follow
    qtbot.mouseClick(panel.color, Qt.MouseButton.LeftButton)
    wait(dock)
    assert session.color_by == "dark area fraction"
    dock.gallery.close()
    assert not any(name.name.startswith("Counted") for name in viewer.layers)
    dock.comparisons.close()
    assert session.outlines.quantity is None and TITLE not in dict(viewer.window.dock_widgets)


def test_typical_ones_are_listed_and_a_click_selects(dock: MicromapDock, qtbot: Any) -> None:
    qtbot.mouseClick(dock.comparisons.resembling, Qt.MouseButton.LeftButton)
    lists = dock.comparisons.lists
    assert lists is not None and "Select some images" in lists.said.text()
    rng = np.random.default_rng(0)
    session, atlas = dock.session, dock.session.atlas
    from napari_micromap.neighbors import exact_neighbors
    from napari_micromap.work import finish

    features = rng.normal(size=(16, 4)).astype(np.float32)
    made = atlas.with_embeddings(features, {})
    session.take_atlas(made.with_features(None, features, finish(exact_neighbors(features, 5))))  # type: ignore[arg-type]
    session.selection.replace(np.arange(8))
    lists.fill()
    assert lists.list.topLevelItemCount() == 4
    item = lists.list.topLevelItem(0)
    assert item is not None
    qtbot.mouseClick(lists.list.viewport(), Qt.MouseButton.LeftButton, pos=lists.list.visualItemRect(item).center())
    assert session.selection.rows.tolist() == item.data(0, Qt.ItemDataRole.UserRole)
    wait(dock)


def test_where_two_groups_differ_says_why_it_cannot_be_shown_and_leaves_nothing_running(
    dock: MicromapDock, qtbot: Any
) -> None:
    session = dock.session
    session.selection.replace(np.arange(8))
    wait(dock)
    qtbot.mouseClick(dock.comparisons.compare, Qt.MouseButton.LeftButton)
    wait(dock)
    panel = dock.comparisons.panel
    assert panel is not None and panel.where.text() == "Where does it show?"
    qtbot.mouseClick(panel.where, Qt.MouseButton.LeftButton)
    wait(dock)
    assert "Make the map first" in dock.notice.text.text()
    assert panel.where.isEnabled() and panel.progress.isHidden() and session.where.wished is None


@pytest.mark.parametrize("width", [350, 1000])
def test_nothing_is_cut_at_any_width(qtbot: Any, films: Path, width: int) -> None:
    session = Session()
    session.open(Folder(films))
    session.groups.compare(np.arange(8))
    panel = ComparePanel(session, lambda _: None)
    qtbot.addWidget(panel)
    panel.resize(width, 600)
    panel.show()
    panel.forest.choose("dark area fraction")
    QApplication.processEvents()
    assert panel.minimumSizeHint().width() <= 350
    assert panel.forest.isColumnHidden(1) == (width == 350)
    assert panel.details.height() < 600  # words that wrap ask for no more than they need


def test_what_is_left_out_is_outlined_in_another_color() -> None:
    mask, out = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    mask[2:4], out[6:] = True, True
    labels = labels_of(Outline(mask, out, "", 0.25, 1, False))
    assert set(np.unique(labels[2:4])) == {COUNTED} and set(np.unique(labels[6:])) == {LEFT_OUT}
    assert COLORS[COUNTED] != COLORS[LEFT_OUT]

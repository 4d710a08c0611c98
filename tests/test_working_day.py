"""A working day in a real window: check, use only, exclude, name, tag, undo, save and reopen elsewhere."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QContextMenuEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QInputDialog, QMenu, QScrollArea, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.layouts.pca import Pca
from napari_micromap.layouts.umap import Umap
from napari_micromap.session import Map, Session, tags
from napari_micromap.session.scope import Filter
from napari_micromap.sources.folder import Folder
from napari_micromap.views.dock import MicromapDock
from napari_micromap.views.panels.bars import BarsWindow
from napari_micromap.views.panels.excluded import ExcludedWindow
from napari_micromap.views.panels.roles import RolesWindow
from napari_micromap.views.panels.use_only import UseOnly
from napari_micromap.views.sessions import lanes_of

LONG = "Jc(77 K, self-field) (MA/cm²)"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 pictures of 4 samples at two magnifications, with names that say so, and a data bar below each."""
    folder = tmp_path_factory.mktemp("day") / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(32):
        pixels = rng.normal(120, 8 + 6 * (k % 4), (96, 128)).clip(0, 255).astype(np.uint8)
        name = f"AC1_97{k % 4}Q_{8 + k % 2}H_{10 if k < 20 else 50}kx_SE_{k:02d}.png"
        Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def gathered(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """The pictures with columns as a table and headers would fill them, and made-up embeddings."""
    session = Session(cache=tmp_path_factory.mktemp("cache"))
    session.open(Folder(pictures))
    atlas = session.atlas
    wide = np.char.find(atlas.columns["file"].to_numpy(str), "50kx") > 0
    columns = atlas.columns.assign(
        **{
            "magnification": np.where(wide, 50_000.0, 10_000.0),
            "um_per_px": np.where(wide, 0.005, 0.025),
            "bar_rows": np.where(np.arange(32) < 30, 12, 0),
            LONG: np.where(np.arange(32) % 8 == 0, np.nan, np.arange(32) / 8),
        }
    )
    atlas = atlas.with_columns(columns, {LONG: "property"})
    vectors = np.random.default_rng(1).standard_normal((32, 8)).astype(np.float32)
    return atlas.with_embeddings(vectors, {"name": "made"})


@pytest.fixture(scope="module")
def window(qapp: Any) -> Iterator[Any]:
    """One napari window with one dock for all tests here; opening one takes seconds."""
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1300, 900)
    dock = MicromapDock(viewer)
    viewer.window.add_dock_widget(dock, name="Microstructure map", area="right")
    settle()
    yield dock
    viewer.close()
    settle()
    gc.collect()


@pytest.fixture
def dock(window: MicromapDock, gathered: Atlas) -> Iterator[MicromapDock]:
    """The dock with the pictures, before a map."""
    window.session.open_atlas(gathered)
    settle()
    yield window
    lanes_of(window.session).wait_idle(60)
    window.session.selection.clear()
    window.gallery.close()
    for child in window.findChildren(QWidget):
        if child.isWindow():
            child.close()
    window.viewer.theme = "dark"
    settle()


@pytest.fixture
def mapped(dock: MicromapDock) -> MicromapDock:
    """The dock with a map."""
    dock.session.color_by = LONG
    dock.session.lay_out(Pca())
    wait(dock)
    return dock


def settle(times: int = 5) -> None:
    for _ in range(times):
        QApplication.processEvents()


def wait(dock: MicromapDock) -> None:
    lanes_of(dock.session).wait_idle(120)
    settle()


def click(button: QAbstractButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    settle()


def place_of(dock: MicromapDock, row: int) -> QPoint:
    at = dock.map.canvas.scene.place_of(row)
    assert at is not None
    return QPointF(*at).toPoint()


def lasso_all(dock: MicromapDock) -> None:
    canvas = dock.map.canvas
    w, h = canvas.width() - 3, canvas.height() - 3
    corners = [QPoint(2, 2), QPoint(w, 2), QPoint(w, h), QPoint(2, h), QPoint(2, 3)]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, corners[0])
    for corner in corners[1:]:
        QTest.mouseMove(canvas, corner)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, corners[-1])
    settle()


def open_menu(dock: MicromapDock) -> QMenu:
    settle()
    (menu,) = [menu for menu in dock.findChildren(QMenu) if menu.isVisible()]
    return menu


def choose(menu: QMenu, text: str) -> None:
    action = next(action for action in menu.actions() if action.text().replace("&", "") == text)
    action.trigger()
    menu.close()
    settle()


def answer(dock: MicromapDock, words: str) -> None:
    (dialog,) = [dialog for dialog in dock.findChildren(QInputDialog) if dialog.isVisible()]
    dialog.setTextValue(words)
    dialog.accept()
    settle()


# ---------------------------------------------------------------------- the check card


def test_a_click_on_a_piece_of_the_name_says_what_the_sample_is(dock: MicromapDock) -> None:
    chips = dock.check.pieces.chips
    assert [chip.text() for chip in chips.values()] == ["970Q", "8H", "10kx", "00"], "what all names share is no chip"
    click(chips["piece 3"])
    assert dock.session.sample_column == "piece 3" and chips["piece 3"].isChecked()
    click(chips["piece 2"])
    assert dock.session.atlas.samples is not None and dock.session.atlas.samples.nunique() == 4
    assert [name for name, chip in chips.items() if chip.isChecked()] == ["piece 2"]
    assert "piece 4" in dock.session.atlas.columns
    assert dock.header.counts.text() == "32 images of 4 samples"


def test_the_card_says_bars_scales_and_mixed_magnifications_and_one_click_offers_one(dock: MicromapDock) -> None:
    check = dock.check
    assert check.bars.text() == "on 30 of 32 · 2 to check ▸"
    assert check.scales.text() == "5–25 nm/px ▸"
    assert check.mixed.isVisibleTo(check) and check.warning.text() == "⚠ 2 magnifications"
    click(check.use_only)
    (window,) = dock.findChildren(UseOnly)
    assert window.wanted == Filter("magnification", ("10000",)), "what most images have is ticked"
    click(window.use)
    assert dock.session.used.size == 20 and not check.mixed.isVisibleTo(check)
    assert dock.header.counts.text().startswith("20 of 32 images of 4")
    assert [chip.text() for chip in dock.scope.chips] == ["✕ 10 kx"]


def test_a_data_bar_is_corrected_for_all_of_its_kind_by_dragging_its_line(dock: MicromapDock) -> None:
    click(dock.check.bars)
    (window,) = dock.findChildren(BarsWindow)
    wait(dock)
    assert window.shown[:2] == [30, 31] and len(window.cards) == 6, "the doubtful ones come first"
    picture = window.cards[30].picture
    assert picture._pixels is not None and picture._pixels.shape == (96, 128)
    at = QPoint(20, round(picture.height() * (1 - 12 / 96)))
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=QPoint(20, picture.height() - 2))
    QTest.mouseMove(picture, at)
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=at)
    settle()
    assert dock.session.atlas.columns["bar_rows"].tolist() == [12] * 32
    assert dock.check.bars.text() == "on 32 of 32 ▸"
    window.cards[0].rows.setValue(10)
    window.cards[0].rows.editingFinished.emit()
    assert set(dock.session.atlas.columns["bar_rows"]) == {10}


# ---------------------------------------------------------------------- use only


def test_use_only_hides_dots_everywhere_and_a_click_on_its_chip_brings_them_back(mapped: MicromapDock) -> None:
    session = mapped.session
    wide = np.flatnonzero(session.atlas.columns["magnification"] == 50_000)
    session.use_only(Filter("magnification", ("10000",)))
    settle()
    assert set(mapped.map.canvas.scene.dots.rows.tolist()) == set(range(32)) - set(wide.tolist())
    lasso_all(mapped)
    assert not set(session.selection.rows) & set(wide) and len(session.selection) == 20
    missing = int(session.atlas.columns[LONG].iloc[session.used].isna().sum())
    assert mapped.map.legend._missing.text().endswith(f": {missing}"), "the legend counts what is used"
    click(mapped.scope.chips[0])
    assert len(mapped.map.canvas.scene.dots) == 32 and not mapped.scope.isVisibleTo(mapped)


def test_the_map_is_made_of_what_is_used_by_one_click(mapped: MicromapDock) -> None:
    session = mapped.session
    session.use_only(Filter("magnification", ("10000",)))
    session.selection.replace([0, 1])
    before = session.map
    click(mapped.scope.make_map)
    wait(mapped)
    assert session.map is not before and session.waiting_map is None, "who asks for it by a button need not wait"
    assert session.atlas.fitted_to.tolist() == session.used.tolist()
    assert not mapped.scope.make_map.isVisibleTo(mapped)


@pytest.mark.parametrize(
    ("column", "low", "high", "n"), [(LONG, "1", "2,5", 11), (LONG, "", "1", 7), (LONG, "3.5", "", 4)]
)
def test_a_range_is_chosen_by_its_ends(mapped: MicromapDock, column: str, low: str, high: str, n: int) -> None:
    window = mapped.windows.use_only(column)
    window.low.setText(low)
    window.high.setText(high)
    assert window.told.text().startswith(f"{n} of 32 images")
    click(window.use)
    assert len(mapped.session.used) == n


def test_a_range_that_cannot_be_read_or_keeps_nothing_is_not_used(mapped: MicromapDock) -> None:
    window = mapped.windows.use_only(LONG)
    for low in ("", "abc", "1e9"):
        window.low.setText(low)
        assert not window.use.isEnabled()
    assert not mapped.session.scope.filters


def test_texts_are_found_by_a_search(mapped: MicromapDock) -> None:
    window = mapped.windows.use_only("file")
    window.search.setText("971q")
    assert window.told.text().startswith("8 of 32 images")
    window._on_use()
    assert len(mapped.session.used) == 8
    again = mapped.windows.use_only("file")
    assert again.search.text() == "971q", "what is used now is shown"
    again.close()


# ---------------------------------------------------------------------- exclude


def test_x_over_a_dot_excludes_it_with_a_reason_and_ctrl_z_takes_that_back(mapped: MicromapDock) -> None:
    session, canvas = mapped.session, mapped.map.canvas
    canvas.setFocus()
    QTest.mouseMove(canvas, place_of(mapped, 5))
    canvas._point_at(QPointF(place_of(mapped, 5)))
    QTest.keyClick(canvas, Qt.Key.Key_X)
    choose(open_menu(mapped), "charging")
    assert session.scope.reasons(session.atlas) == {"charging": 1}
    assert session.scope.exclusions[str(session.atlas.ids[5])].after_property
    assert mapped.scope.excluded.text() == "1 excluded ▸"
    assert canvas.scene.dots.kinds[canvas.scene.dots.rows.tolist().index(5)] == 2, "it is a cross now"
    session.selection.replace([1, 2])
    mapped.map._on_undo()
    assert len(session.selection) == 0 and session.scope.exclusions
    mapped.map._on_undo()
    assert not session.scope.exclusions


def test_the_selected_are_excluded_in_ones_own_words_listed_and_taken_back(mapped: MicromapDock) -> None:
    session = mapped.session
    session.selection.replace([3, 4])
    wait(mapped)
    click(mapped.selected.exclude)
    choose(open_menu(mapped), "In other words…")
    answer(mapped, "scratched by tweezers")
    assert mapped.selected.counts.text().endswith("2 excluded")
    click(mapped.scope.excluded)
    (listed,) = mapped.findChildren(ExcludedWindow)
    assert "2 images excluded: 2 scratched by tweezers" in listed.heading.text()
    assert "after a property was first shown" in listed.heading.text()
    listed.tree.topLevelItem(0).setSelected(True)
    click(listed.back)
    assert session.scope.excluded(session.atlas).nonzero()[0].tolist() == [4]
    assert listed.tree.topLevelItemCount() == 1


def test_five_excluded_stay_so_in_another_process_and_place(
    mapped: MicromapDock, pictures: Path, tmp_path: Path
) -> None:
    """What is left out shapes neither layout nor counts, is listed with its reason, and undo restores exactly."""
    session = mapped.session
    before, features = session.scope.state(), session.atlas.features
    session.exclude([1, 2, 3], "charging")
    session.exclude([7, 9], "crack")
    session.lay_out(Pca(), at_once=True)
    session.save(tmp_path / "here" / "day.micromap")
    wait(mapped)
    shutil.copytree(pictures, tmp_path / "there" / "pictures")
    shutil.move(tmp_path / "here" / "day.micromap", tmp_path / "there" / "day.micromap")
    again = Session(cache=tmp_path / "cache")
    again.restore(tmp_path / "there" / "day.micromap")
    assert again.used.tolist() == [row for row in range(32) if row not in (1, 2, 3, 7, 9)]
    assert again.atlas.fitted_to.tolist() == again.used.tolist() and not again.map_is_of_others
    assert again.scope.reasons(again.atlas) == {"charging": 3, "crack": 2}
    np.testing.assert_array_equal(again.map.positions, session.map.positions)
    for _ in range(2):
        session.undo()
    assert session.scope.state() == before
    session.lay_out(Pca(), at_once=True)
    wait(mapped)
    np.testing.assert_array_equal(session.atlas.features, features)


# ---------------------------------------------------------------------- menus, names, tags, roles


def test_a_right_click_on_a_dot_offers_what_can_be_done_with_it(mapped: MicromapDock) -> None:
    session, canvas, at = mapped.session, mapped.map.canvas, place_of(mapped, 6)
    session.sample_column = "piece 2"
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, canvas.mapToGlobal(at))
    QApplication.sendEvent(canvas, event)
    menu = open_menu(mapped)
    said = [action.text() for action in menu.actions() if action.text()]
    assert said[0] == session.atlas.columns["file"][6]
    assert {"Open", "Show in folder", "Copy path", "Add to selection", "Tag", "Note…", "Exclude"} <= set(said)
    choose(menu, "Copy path")
    assert QApplication.clipboard().text() == session.atlas.paths[6]
    choose(mapped.menus.about([6]), "Find similar")
    wait(mapped)
    assert len(session.selection) == 13 and 6 in session.selection.rows
    choose(mapped.menus.about([6]), "Find similar in other samples")
    wait(mapped)
    others = session.selection.rows[session.selection.rows != 6]
    assert len(others) == 12 and not (session.atlas.samples[others] == session.atlas.samples[6]).any()


def test_tags_and_notes_are_written_by_right_click(mapped: MicromapDock) -> None:
    session = mapped.session
    session.sample_column = "piece 2"
    about = mapped.menus.about([6])
    tag = next(action.menu() for action in about.actions() if action.text() == "Tag")
    choose(tag, "New tag on the whole sample…")
    answer(mapped, "for the paper")
    tagged = [row for row in range(32) if tags.tags_of(session.atlas, row)]
    assert tagged == list(range(8)), "files in order: the first eight show this sample"
    choose(about, "Note…")
    answer(mapped, "ask Anna")
    assert tags.note_of(session.atlas, 6) == "ask Anna"
    assert session.map is not None, "no map is lost for that"
    again = mapped.menus.about([6])
    choose(next(action.menu() for action in again.actions() if action.text() == "Tag"), "for the paper")
    assert not tags.tags_of(session.atlas, 6)


def test_a_selection_is_named_and_found_again(mapped: MicromapDock, tmp_path: Path) -> None:
    session = mapped.session
    session.selection.replace([1, 2, 3])
    names = mapped.selected.names.menu()
    names.fill()
    choose(names, "Keep these 3 images as…")
    answer(mapped, "coarse")
    session.selection.replace([3, 4])
    names.fill()
    coarse = next(action.menu() for action in names.actions() if action.text().startswith("coarse"))
    choose(coarse, "Select what is in both")
    assert session.selection.rows.tolist() == [3]
    choose(coarse, "Color the map by it")
    assert session.color_by == "in coarse" == mapped.color.box.value
    session.selection.clear()
    assert mapped.selected.names.isVisibleTo(mapped.selected), "they can be chosen without a selection"
    wait(mapped)


def test_roles_are_shown_and_changed(mapped: MicromapDock) -> None:
    mapped.windows.roles()
    (window,) = mapped.findChildren(RolesWindow)
    assert window.boxes[LONG].currentText() == "property"
    line = list(window.boxes).index(LONG)
    mapped.session.sample_column = "piece 2"
    assert "varies" in window.table.item(line, 2).text()
    window.boxes[LONG].textActivated.emit("processing")
    assert mapped.session.atlas.roles[LONG] == "processing"


def test_x_and_a_right_click_act_on_the_tile_under_the_pointer(mapped: MicromapDock) -> None:
    session, gallery, viewer = mapped.session, mapped.gallery, mapped.viewer
    session.selection.replace([1, 2, 3])
    wait(mapped)
    middle = _middle_of_tile(gallery, 1)
    viewer.cursor.position = middle
    QTest.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_X)  # napari's own X of images does not hear it
    choose(open_menu(mapped), "duplicate")
    assert session.scope.excluded(session.atlas).nonzero()[0].tolist() == [int(gallery.arrangement.rows[1])]
    assert gallery.clicks._on_right_click(middle)
    open_menu(mapped).close()
    held = viewer.layers.selection.active
    gallery.close()
    assert not [key for one in (viewer, held) for key in one.keymap if str(key) == "X"], "the key is given back"


def _middle_of_tile(gallery: Any, tile: int) -> tuple[float, float]:
    arrangement = gallery.arrangement
    for y in np.arange(1, arrangement.height, 8):
        for x in np.arange(1, arrangement.width, 8):
            if arrangement.tile_at(y, x) == tile:
                return float(y + 4), float(x + 4)
    raise AssertionError("no such tile")


# ---------------------------------------------------------------------- nothing jumps, nothing is cut


def test_nothing_moves_under_a_lasso_until_the_button_is_pressed(dock: MicromapDock) -> None:
    session, canvas = dock.session, dock.map.canvas
    preview = np.random.default_rng(3).normal(size=(32, 2)).astype(np.float32)
    session.show(Map(preview, "Preview (PCA)", preview=True))
    settle()
    lasso_all(dock)
    selected = session.selection.rows.tolist()
    assert len(selected) == 32
    session.selection.replace(selected[:9])
    wait(dock)
    places = {row: place_of(dock, row) for row in range(32)}
    session.lay_out(Umap())
    wait(dock)
    assert session.waiting_map is not None and session.waiting_map.title == "UMAP"
    assert session.selection.rows.tolist() == selected[:9]
    assert {row: place_of(dock, row) for row in range(32)} == places
    assert dock.map.chip.isVisibleTo(dock.map)
    click(dock.map.chip)
    assert session.selection.rows.tolist() == selected[:9]
    assert session.map.title == "UMAP" and not dock.map.chip.isVisibleTo(dock.map)
    canvas._gliding.finish()
    assert {row: place_of(dock, row) for row in range(32)} != places


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("height", [600, 900])
def test_a_narrow_dock_with_filters_exclusions_and_long_names_cuts_nothing(
    mapped: MicromapDock, theme: str, height: int
) -> None:
    session, viewer = mapped.session, mapped.viewer
    viewer.theme = theme
    long = session.atlas.columns.rename(columns={"um_per_px": "um_per_px"}).assign(
        **{f"substrate temperature during the {k}th deposition (°C)": "low" for k in range(2)}
    )
    session.take_atlas(session.atlas.with_columns(long))
    session.color_by = LONG
    for column in list(long.columns)[-2:]:
        session.use_only(Filter(column, ("low",)))
    session.use_only(Filter(LONG, low=0.5))
    session.exclude([1, 2], "charging")
    session.selection.replace([4, 5, 6])
    wait(mapped)
    dock_area = mapped.parent()
    dock_area.setFloating(True)
    try:
        for folded in (True, False):
            mapped.header.show_folded(folded)
            dock_area.resize(350, height + 30)
            settle(12)
            assert mapped.minimumSizeHint().width() <= 350
            assert mapped.width() <= 350
            assert mapped.map.height() >= 0.45 * mapped.height(), (folded, mapped.map.height(), mapped.height())
            for area in (child for child in mapped.findChildren(QScrollArea) if child.isVisibleTo(mapped)):
                assert area.horizontalScrollBar().maximum() == 0
            for child in mapped.findChildren(QWidget):
                if child.isVisibleTo(mapped) and not child.window().inherits("QDialog") and not child.isWindow():
                    left, right = (
                        child.mapTo(mapped, corner) for corner in (child.rect().topLeft(), child.rect().topRight())
                    )
                    assert left.x() >= 0 and right.x() < mapped.width(), child
            for button in (*mapped.scope.chips, mapped.selected.exclude, mapped.selected.names, mapped.color.use_only):
                assert button.width() >= button.minimumSizeHint().width(), button
    finally:
        mapped.header.show_folded(True)
        dock_area.setFloating(False)
        settle()


def test_the_dock_may_float_and_be_tabbed_without_losing_anything(mapped: MicromapDock) -> None:
    session, window = mapped.session, mapped.viewer.window._qt_window
    session.selection.replace([4, 5])
    session.exclude([1], "crack")
    wait(mapped)
    area = mapped.parent()
    area.setFloating(True)
    settle()
    area.setFloating(False)
    other = mapped.viewer.window.add_dock_widget(QWidget(), name="other", area="right")
    window.tabifyDockWidget(other, area)
    settle()
    assert session.selection.rows.tolist() == [4, 5] and mapped.gallery.mode == "gallery"
    assert not mapped._retired
    session.selection.replace([6])
    wait(mapped)
    assert mapped.selected.counts.text().startswith("1 image")
    mapped.viewer.window.remove_dock_widget(other)
    settle()


def test_a_click_on_the_name_ticks_it_as_one_on_its_box_does(mapped: MicromapDock) -> None:
    mapped.windows.use_only("piece 2")
    (window,) = mapped.findChildren(UseOnly)
    window.show()
    first = window.values.visualItemRect(window.values.item(0))
    for ticked in (1, 0):
        QTest.mouseClick(window.values.viewport(), Qt.MouseButton.LeftButton, pos=first.center())
        assert len(window.wanted.values) == ticked
    QTest.mouseClick(window.values.viewport(), Qt.MouseButton.LeftButton, pos=first.topLeft() + QPoint(8, 8))
    assert len(window.wanted.values) == 1
    window.close()

"""The dock in a real window."""

from __future__ import annotations

import gc
import os
import re
import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QFileDialog,
    QLabel,
    QMessageBox,
    QScrollArea,
    QTreeWidget,
    QWidget,
)

from napari_micromap.session import Map
from napari_micromap.sources.folder import Folder
from napari_micromap.store.recent import recent
from napari_micromap.views.controls import Choice, ChoiceBox, Paragraph
from napari_micromap.views.dock import MicromapDock
from napari_micromap.views.sessions import lanes_of, session_of

LONG = "Jc(77 K, self-field) (MA/cm²)"


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    return getattr(viewer, "__wrapped__", viewer)


@pytest.fixture
def dock(viewer) -> MicromapDock:
    made = MicromapDock(viewer)
    viewer.window.add_dock_widget(made, name="Microstructure map")
    return made


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of 12 pictures of 4 films, one file that is none, and a table of one film too many."""
    folder = tmp_path / "films"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for film in range(4):
        for image in range(3):
            texture = rng.normal(120, 10 + 12 * film, (48, 64)).clip(0, 255).astype(np.uint8)
            Image.fromarray(texture).save(folder / f"F{film:03d}_{image}.png")
    (folder / "broken.tif").write_bytes(b"II*\0not a picture")
    table = pd.DataFrame({"film": [f"F{k:03d}" for k in range(5)], LONG: [1.0, 2.5, np.nan, 4.0, 5.0]})
    table.to_csv(folder / "films.csv", index=False)
    return folder


@pytest.fixture
def opened(dock, films) -> MicromapDock:
    dock.session.open(Folder(films))
    dock.session.tables.add(films / "films.csv")
    wait(dock)
    return dock


@pytest.fixture
def mapped(opened) -> MicromapDock:
    """A dock with a map that needed no network."""
    n = len(opened.session.atlas)
    positions = np.random.default_rng(1).normal(size=(n, 2)).astype(np.float32)
    opened.session.show(Map(positions, "UMAP"))
    return opened


def wait(dock: MicromapDock, seconds: float = 120) -> None:
    lanes_of(dock.session).wait_idle(seconds)


def drop(dock: MicromapDock, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    dock.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def shown(widget: QWidget, kind: type[QWidget]) -> list[QWidget]:
    """Return the children that a user would see if the window were on a screen."""
    return [child for child in widget.findChildren(kind) if child.isVisibleTo(widget)]


def click(button: QAbstractButton, qtbot) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_first_screen_says_what_to_do_in_plain_words(dock, films, qtbot):
    def said() -> str:
        parts = [*shown(dock, QLabel), *shown(dock, QAbstractButton)]
        return " ".join(f"{part.text()} {part.toolTip()}" for part in parts)

    first = said()
    for words in ("Drop a folder or table here", "Open folder…", "Use open images", "Try example"):
        assert words in first
    dock.session.open(Folder(films))
    wait(dock)
    for text in (first, said()):
        assert not re.search(
            r"embed|lay.?out|backbone|atlas|\bjoin|GroupKFold|UMAP|PCA", text.replace("Layers", ""), re.I
        ) or ("Feature extractor, layout" in text)


def test_a_dropped_folder_is_counted_and_its_sample_and_color_are_guessed(dock, films, qtbot):
    drop(dock, films)
    qtbot.waitUntil(lambda: len(dock.session.atlas) > 0)
    wait(dock)
    assert dock.header.counts.text() == "12 images of 4 samples"
    assert "1 file could not be read" in dock.check.unreadable.text()
    assert dock.session.sample_column == dock.session.color_by == dock.check.sample.value == dock.color.box.value
    assert not dock.start.isVisibleTo(dock)
    assert recent()[0] == films


def test_a_folder_and_its_table_can_be_dropped_together(dock, films, qtbot):
    drop(dock, films / "films.csv", films)
    qtbot.waitUntil(lambda: dock.session.tables.joined is not None)
    assert dock.session.color_by == dock.color.box.value == LONG
    assert dock.check.matched.text().startswith("12 of 12 matched")


def test_a_table_alone_asks_for_the_folder_of_its_images(dock, films, qtbot):
    drop(dock, films / "films.csv")
    qtbot.waitUntil(lambda: dock.findChild(QFileDialog) is not None)
    dialog = dock.findChild(QFileDialog)
    dialog.fileSelected.emit(str(films))
    dialog.close()
    wait(dock)
    assert dock.session.tables.joined is not None


@pytest.mark.parametrize("several", [("a.png", "b.png"), ("one/", "two/")])
def test_what_cannot_be_opened_at_once_is_said_with_what_to_do(dock, tmp_path, qtbot, several):
    paths = [tmp_path / name for name in several]
    for path, name in zip(paths, several):
        path.mkdir() if name.endswith("/") else path.write_bytes(b"")
    drop(dock, *paths)
    qtbot.waitUntil(lambda: dock.notice.isVisibleTo(dock))
    assert "folder" in dock.notice.text.text()


def test_the_unreadable_and_the_unmatched_are_listed_with_reasons(opened, qtbot):
    click(opened.check.unreadable, qtbot)
    click(opened.check.matched, qtbot)
    unreadable, unmatched = (
        window.findChildren(QTreeWidget)[0]
        for window in opened.findChildren(QWidget, "")
        if window.isWindow() and window.findChildren(QTreeWidget)
    )
    assert "broken.tif" in unreadable.topLevelItem(0).text(0) and unreadable.topLevelItem(0).text(1)
    assert unmatched.topLevelItem(0).text(0) == "F004"


def test_the_whole_way_from_folder_to_gallery_by_mouse(opened, viewer, qtbot):
    click(opened.check.make_map, qtbot)
    assert opened.progress.isVisibleTo(opened)
    assert not opened.check.make_map.isEnabled()
    wait(opened)
    session = opened.session
    assert session.atlas.positions is not None and session.map is not None and not session.map.preview
    assert opened.map.isVisibleTo(opened) and not opened.check_area.isVisibleTo(opened)
    assert not opened.progress.isVisibleTo(opened)
    session.selection.replace([0, 1, 5])
    wait(opened)
    assert opened.selected.counts.text() == "3 images of 2 films"
    assert len(viewer.layers) > 0
    session.open_micrograph(1)
    wait(opened)
    click(opened.selected.back, qtbot)
    assert opened.gallery.mode == "gallery"
    click(opened.selected.close_gallery, qtbot)
    assert opened.gallery.mode == "closed" and len(viewer.layers) == 0
    click(opened.selected.see, qtbot)
    qtbot.waitUntil(lambda: opened.gallery.mode == "gallery")
    assert not opened.selected.see.isVisibleTo(opened)
    click(opened.selected.close_gallery, qtbot)
    assert opened.selected.counts.text() == "3 images of 2 films"
    click(opened.selected.clear, qtbot)
    assert len(session.selection) == 0


def test_a_failure_is_one_sentence_and_the_next_try_is_free(opened, tmp_path, qtbot):
    opened.session.tables.add(tmp_path / "nowhere.csv")
    wait(opened)
    assert "nowhere.csv" in opened.notice.text.text() and "Traceback" not in opened.notice.text.text()
    assert not opened.progress.isVisibleTo(opened) and opened.check.make_map.isEnabled()
    assert not opened.notice.more.isVisibleTo(opened.notice)
    opened.session.open(Folder(tmp_path / "films"))
    assert not opened.notice.isVisibleTo(opened)
    wait(opened)


def test_cancel_stops_and_all_can_be_asked_again(opened, qtbot):
    click(opened.check.make_map, qtbot)
    qtbot.wait(100)
    click(opened.progress.cancel, qtbot)
    assert not opened.progress.isVisibleTo(opened)
    assert opened.check.make_map.isEnabled()
    wait(opened)
    assert opened.session.atlas.positions is None


def test_combo_boxes_follow_the_session_and_speak_only_of_a_user_s_choice(qtbot):
    box = ChoiceBox(lambda: [Choice("a", 1), Choice(""), Choice("b", 2)])
    qtbot.addWidget(box)
    told: list[int] = []
    box.picked.connect(told.append)
    box.show_choice(Choice("b", 2))
    assert (box.value, told) == (2, [])
    box.showPopup()
    assert box.value == 2 and box.count() == 3
    box.hidePopup()
    box.activated.emit(0)
    assert told == [1]


def test_picking_a_piece_of_the_name_makes_it_the_sample(dock, films, qtbot):
    dock.session.open(Folder(films))
    wait(dock)
    box = dock.check.sample
    box.showPopup()
    box.hidePopup()
    pieces = [k for k in range(box.count()) if str(box.itemData(k)).startswith("piece")]
    assert any("F000, F001" in box.itemText(k) for k in pieces)
    box.setCurrentIndex(pieces[-1])
    box.activated.emit(pieces[-1])
    assert dock.session.sample_column == box.value
    dock.session.sample_column = None
    assert box.currentText() == "none"


def test_the_color_combo_lists_properties_first_and_says_what_is_missing(opened, qtbot):
    box = opened.color.box
    box.showPopup()
    box.hidePopup()
    texts = [box.itemText(k) for k in range(box.count())]
    assert texts[0] == "nothing" and LONG in texts[1:3]
    assert "missing for 3 of 12 images" in box.itemData(texts.index(LONG), Qt.ItemDataRole.ToolTipRole)
    opened.session.color_by = "width" if "width" in texts else None
    assert box.value == opened.session.color_by


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("height", [640, 900])
def test_at_350_pixels_nothing_is_cut_and_the_map_has_its_share(mapped, viewer, qtbot, theme, height):
    viewer.theme = theme
    mapped.setParent(None)
    mapped._retired = True  # only taken out of the window to be measured, not closed
    mapped.setStyleSheet(viewer.window._qt_window.styleSheet() + mapped.styleSheet())
    mapped.resize(350, height)
    mapped.show()
    qtbot.addWidget(mapped)
    mapped.session.selection.replace(range(7))
    mapped.selected.show_gallery("gallery", 0, 24, False)
    if height > 700:  # a low dock has no room for a message and the card at once
        mapped.notice.tell_failure("The table “a very long name of it.csv” cannot be read: save it as CSV.", print)
    for folded in (True, False):
        mapped.header.show_folded(folded)
        for more in (False, True):
            mapped.check.more.setChecked(more)
            qtbot.wait(30)
            assert mapped.minimumSizeHint().width() <= 350
            qtbot.waitUntil(lambda: mapped.map.height() >= 0.45 * height)
            for area in shown(mapped, QScrollArea):
                assert area.horizontalScrollBar().maximum() == 0
            for child in shown(mapped, QWidget):
                if not child.isWindow():
                    left, right = (
                        child.mapTo(mapped, child.rect().topLeft()),
                        child.mapTo(mapped, child.rect().topRight()),
                    )
                    assert left.x() >= 0 and right.x() < 350, child
            for button in shown(mapped, QAbstractButton):
                assert button.width() >= button.minimumSizeHint().width(), button.text()
    mapped.retire()


def test_the_check_card_goes_before_the_map_comes_so_that_the_window_need_not_grow(opened):
    gone: list[bool] = []
    opened.body.rearranged.connect(lambda: gone.append(opened.check_area.isHidden()))
    opened.session.show(Map(np.zeros((len(opened.session.atlas), 2), np.float32), "UMAP"))
    assert gone == [True]


def test_a_message_asks_for_the_height_of_its_text_and_no_more(qtbot):
    text = Paragraph("All of this is said in one line after another. " * 4)
    qtbot.addWidget(text)
    text.resize(300, 20)
    text.show()
    assert text.sizeHint().height() == text.heightForWidth(300)


def test_a_long_name_is_shortened_in_its_middle_and_whole_in_its_tooltip(mapped, qtbot):
    assert mapped.color.box.toolTip().startswith(LONG)
    assert mapped.color.box.minimumSizeHint().width() < 200


def test_the_dock_follows_the_theme(dock, viewer):
    viewer.theme = "dark"
    dark = dock.styleSheet()
    viewer.theme = "light"
    assert dock.styleSheet() != dark


def test_closing_the_dock_keeps_the_session_and_a_new_dock_shows_it(mapped, viewer, qtbot):
    session = mapped.session
    session.selection.replace([3, 4])
    wait(mapped)
    mapped.parent().destroyOnClose()
    qtbot.waitUntil(lambda: len(viewer.layers) == 0)  # what the gallery borrowed is given back
    again = MicromapDock(viewer)
    viewer.window.add_dock_widget(again, name="Microstructure map")
    assert again.session is session
    assert again.header.counts.text() == "12 images of 4 films"
    assert again.selected.counts.text() == "2 images of 1 film"
    assert again.map.isVisibleTo(again)


def test_a_closed_dock_leaves_nothing_behind(viewer, films, qtbot):
    dock = MicromapDock(viewer)
    wrapper = viewer.window.add_dock_widget(dock, name="Microstructure map")
    dock.session.open(Folder(films))
    wait(dock)
    session = dock.session
    listening = {name: len(getattr(session, name)) for name in ("atlas_changed", "map_changed", "color_changed")}
    gone = weakref.ref(dock)
    wrapper.destroyOnClose()
    del dock, wrapper
    qtbot.wait(50)

    def is_gone() -> bool:
        gc.collect()
        return gone() is None

    qtbot.waitUntil(is_gone)
    left = {name: len(getattr(session, name)) for name in listening}
    assert all(left[name] < listening[name] for name in listening)
    session.color_by = None  # nobody is there to be surprised


def test_two_viewers_have_two_sessions(make_napari_viewer_proxy):
    one, two = make_napari_viewer_proxy(), make_napari_viewer_proxy()
    assert session_of(one) is session_of(one.__wrapped__)
    assert session_of(one) is not session_of(two)


def test_closing_the_viewer_in_mid_work_ends_all_of_it(dock, viewer, films, qtbot):
    dock.session.open(Folder(films))
    wait(dock)
    dock.session.workshop.warm()
    pids = dock.session.workshop.layout_process.pids
    pids = pids() if callable(pids) else pids
    assert pids and all(map(lives, pids))
    dock.make_map()
    lanes = lanes_of(dock.session)
    qtbot.wait(200)
    begun = time.monotonic()
    viewer.close()
    assert time.monotonic() - begun < 10  # loose: it hangs, or it does not
    assert not lanes.busy("build")
    qtbot.waitUntil(lambda: not any(map(lives, pids)))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_weights_are_only_downloaded_after_consent_and_its_size_is_told(opened, qtbot):
    opened.check.more.setChecked(True)
    opened.more._build() if opened.more._extractor is None else None
    box = opened.more._extractor.box
    box.setCurrentIndex(box.findData("resnet50"))
    click(opened.check.make_map, qtbot)
    (question,) = opened.findChildren(QMessageBox)
    assert re.search(r"\d+ MB", question.text())
    assert "EfficientNet-Lite0" in question.informativeText()
    assert not lanes_of(opened.session).busy("build")
    question.reject()
    qtbot.wait(10)
    assert not lanes_of(opened.session).busy("build")


def test_open_images_are_mapped_and_the_gallery_s_own_layers_are_not(dock, viewer, qtbot):
    pictures = np.random.default_rng(0).integers(0, 255, (3, 40, 50), np.uint8)
    viewer.add_image(pictures, name="stack")
    viewer.add_labels(np.zeros((40, 50), int), name="not a micrograph")
    click(dock.start.use_layers, qtbot)
    wait(dock)
    assert len(dock.session.atlas) == 3
    dock.session.show(Map(np.zeros((3, 2), np.float32), "PCA"))
    dock.session.selection.replace([0, 1])
    wait(dock)
    assert [layer.name for layer in dock.wishes._images()] == ["stack"]


def test_without_images_that_is_said(dock, qtbot):
    click(dock.start.use_layers, qtbot)
    assert "No image is open" in dock.notice.text.text()


def test_save_asks_once_and_then_saves_there(opened, tmp_path, qtbot):
    click(opened.header.save, qtbot)
    (dialog,) = opened.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "mine"))
    dialog.close()
    wait(opened)
    assert opened.session.saving.folder == tmp_path / "mine.micromap"
    assert opened.header.title.text() == "mine"
    qtbot.wait(10)
    click(opened.header.save, qtbot)
    assert not [d for d in opened.findChildren(QFileDialog) if d.isVisible()]
    wait(opened)
    assert recent()[0] == tmp_path / "mine.micromap"


def test_a_saved_map_dropped_on_the_dock_opens(opened, viewer, tmp_path, films, qtbot):
    opened.session.save(tmp_path / "mine.micromap")
    wait(opened)
    opened.session.open(Folder(films))
    wait(opened)
    assert opened.session.saving.folder is None
    drop(opened, tmp_path / "mine.micromap" / "open.micromap")
    qtbot.waitUntil(lambda: opened.session.saving.folder is not None)
    assert opened.session.color_by == LONG

"""Work that is not saved: noticed, and asked for before it would go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_micromap.session import Session
from napari_micromap.sources.films import Films
from napari_micromap.sources.folder import Folder
from napari_micromap.views.contributions import open_dock
from napari_micromap.views.sessions import lanes_of, session_of
from napari_micromap.views.whereto import beside, outside

# ---------------------------------------------------------------------- the session knows


def test_a_map_of_ones_own_images_is_work_and_looking_around_is_not(linked_atlas, tmp_path):
    session = Session()
    assert not session.saving.unsaved
    session.open_atlas(linked_atlas)
    assert session.saving.unsaved
    session.save(tmp_path / "a")
    assert not session.saving.unsaved
    session.selection.replace([1, 2])
    session.current, session.color_by = 3, "film"
    assert not session.saving.unsaved, "selecting and coloring is done in passing"
    session.exclude([3], "charging")
    assert session.saving.unsaved
    session.save()
    assert not session.saving.unsaved


@pytest.mark.parametrize(
    "work",
    [
        lambda s: s.name_selection("dense"),
        lambda s: s.tag([1], "odd"),
        lambda s: s.set_role("um_per_px", "other"),
    ],
    ids=["a named selection", "a tag", "a role"],
)
def test_what_users_say_is_work(linked_atlas, tmp_path, work):
    session = Session()
    session.open_atlas(linked_atlas)
    session.selection.replace([1, 2])
    session.save(tmp_path / "a")
    work(session)
    assert session.saving.unsaved


def test_the_place_offered_for_a_map_is_the_folder_that_holds_all_its_images(tmp_path):
    for name in ("F1/a.png", "F2/b.png"):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32)).save(tmp_path / name)
    session = Session()
    session.open(Folder(tmp_path))
    assert beside(session) == tmp_path
    session.save(tmp_path / "a")
    assert outside(session) == tmp_path.parent, "a figure among the images would be read as one of them"


def test_a_map_that_was_opened_from_disk_is_saved(linked_atlas, tmp_path):
    first = Session()
    first.open_atlas(linked_atlas)
    first.save(tmp_path / "a")
    other = Session()
    other.restore(tmp_path / "a.micromap")
    assert len(other.atlas) and not other.saving.unsaved


def test_made_up_images_are_no_loss(linked_atlas, tmp_path):
    session = Session()
    session.open(Films(films=2, images=1, folder=tmp_path))
    assert not session.saving.unsaved
    session.open_atlas(replace(linked_atlas, synthetic=("film",)))
    assert not session.saving.unsaved


def test_what_was_done_while_a_save_ran_is_not_taken_for_saved(linked_atlas, tmp_path):
    session = Session()
    session.open_atlas(linked_atlas)
    session.saving.save(tmp_path / "a", then=lambda: None)
    waiting = []
    session.run = lambda start, lane, done, progress=None: waiting.append((start(), done))
    session.exclude([3], "charging")
    session.save()
    session.exclude([4], "charging")
    ((work, done),) = waiting
    for _ in work:
        pass
    done(tmp_path / "a.micromap")
    assert session.saving.unsaved


# ---------------------------------------------------------------------- the window asks


class Closed(QObject):
    """Notes that a window would close now, and keeps it open for the fixture that closes it properly."""

    times = 0

    def eventFilter(self, watched, event) -> bool:
        if event.type() != QEvent.Type.Close:
            return False
        self.times += 1
        event.ignore()
        return True


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    made = make_napari_viewer_proxy(show=True)
    return getattr(made, "__wrapped__", made)


@pytest.fixture
def closed(viewer):
    closed = Closed()
    # before there is a session, so that it hears what the session lets through
    viewer.window._qt_window.installEventFilter(closed)
    yield closed
    viewer.window._qt_window.removeEventFilter(closed)


def question(parent) -> QMessageBox | None:
    return next((box for box in parent.findChildren(QMessageBox) if box.isVisible()), None)


def press(qtbot, box: QMessageBox, words: str) -> None:
    (button,) = [button for button in box.buttons() if words in button.text().replace("&", "")]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_user_who_closes_napari_is_asked(viewer, closed, linked_atlas, qtbot, tmp_path):
    session_of(viewer).open_atlas(linked_atlas)
    window = viewer.window._qt_window
    window.close()  # as napari's menu and the window's own button do
    box = question(window)
    assert not closed.times and "60 images" in box.informativeText()
    press(qtbot, box, "Cancel")
    assert not closed.times

    window.close()
    press(qtbot, question(window), "Save")
    (dialog,) = window.findChildren(QFileDialog)
    dialog.reject()
    assert not closed.times, "whoever names no place stays"

    window.close()
    press(qtbot, question(window), "Save")
    (dialog,) = [dialog for dialog in window.findChildren(QFileDialog) if dialog.isVisible()]
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("kept.micromap")
    dialog.accept()
    qtbot.waitUntil(lambda: closed.times == 1)
    assert (tmp_path / "kept.micromap" / "open.micromap").exists()


def test_dont_save_closes(viewer, closed, linked_atlas, qtbot):
    session_of(viewer).open_atlas(linked_atlas)
    window = viewer.window._qt_window
    window.close()
    press(qtbot, question(window), "Don’t save")
    assert closed.times == 1


def test_a_script_that_closes_the_viewer_is_not_asked(viewer, linked_atlas):
    session_of(viewer).open_atlas(linked_atlas)
    window = viewer.window._qt_window
    viewer.close()
    assert not window.isVisible()


def test_opening_another_folder_asks_first_and_cancel_keeps_the_map(viewer, linked_atlas, qtbot, tmp_path):
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "a.png")
    dock = open_dock(viewer)
    dock.session.open_atlas(linked_atlas)
    dock.wishes.open_path(Path(tmp_path))
    press(qtbot, question(dock), "Cancel")
    assert len(dock.session.atlas) == 60
    dock.wishes.open_path(Path(tmp_path))
    press(qtbot, question(dock), "Don’t save")
    lanes_of(dock.session).wait_idle(10)
    qtbot.waitUntil(lambda: len(dock.session.atlas) == 1)
    dock.wishes.open_path(Path(tmp_path))
    assert question(dock) is None, "there is nothing to lose"
    assert Folder(tmp_path) == dock.session.source

"""Where things stand in the dock: in its width, at its foot, around what the Tab key reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from napari_micromap.atlas import empty_atlas
from napari_micromap.session import Session
from napari_micromap.tables.beside import tables_in
from napari_micromap.views.body import Body
from napari_micromap.views.ring import Ring
from napari_micromap.wording import title_of
from napari_micromap.work import finish


class Tall(QWidget):
    """A map with a legend below it."""

    def __init__(self) -> None:
        super().__init__()
        self.legend = QPushButton("legend")
        layout = QVBoxLayout(self)
        layout.addWidget(QPushButton("dots"), 1)
        layout.addWidget(self.legend)


@pytest.fixture
def body(qtbot: Any) -> Iterator[Body]:
    map_ = Tall()
    made = Body((QPushButton("colors"),), map_, map_.legend, (QPushButton("tabs"),))
    made.show_map(True)
    qtbot.addWidget(made)
    made.show()
    yield made


def place(body: Body, words: str) -> QPoint:
    button = next(one for one in body.findChildren(QPushButton) if one.text() == words)
    return button.mapTo(body, QPoint(0, 0))


def test_a_wide_dock_has_the_tabs_beside_the_map_and_a_narrow_one_below(body: Body, qtbot: Any) -> None:
    for width, wide in ((350, False), (900, True), (350, False)):
        body.resize(width, 700)
        qtbot.waitUntil(lambda wide=wide: body.is_wide == wide)
        QApplication.processEvents()
        beside = [place(body, words).x() > place(body, "dots").x() for words in ("colors", "legend", "tabs")]
        assert beside == [wide] * 3
        assert place(body, "legend").y() < place(body, "tabs").y()


def test_the_ring_follows_the_tab_key_and_not_the_mouse(qtbot: Any) -> None:
    class Panel(QWidget):
        def focusNextPrevChild(self, forward: bool) -> bool:
            left = QApplication.focusWidget()
            moved = bool(super().focusNextPrevChild(forward))
            ring.follow(left)
            return moved

    panel = Panel()
    first, second = QPushButton("first", panel), QPushButton("second", panel)
    second.move(0, 60)
    ring = Ring(panel)
    qtbot.addWidget(panel)
    panel.show()
    panel.activateWindow()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert ring.isVisible() and ring.geometry().contains(second.geometry())
    QTest.mouseClick(second, Qt.MouseButton.LeftButton)
    assert not ring.isVisible()
    QTest.keyClick(second, Qt.Key.Key_Tab)
    assert ring.isVisible()
    first.setEnabled(False)  # Qt moves the focus itself
    assert not ring.isVisible()


def test_tables_in_the_folder_are_offered_but_not_those_of_images_or_known_ones(tmp_path: Path) -> None:
    for name in ("jc.csv", "more.xlsx", "image.txt", "~$more.xlsx", "a.tif"):
        (tmp_path / name).touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "other.csv").touch()
    assert [path.name for path in finish(tables_in(tmp_path))] == ["jc.csv", "more.xlsx"]
    assert [path.name for path in finish(tables_in(tmp_path, {str(tmp_path / "jc.csv")}))] == ["more.xlsx"]
    assert finish(tables_in(tmp_path / "gone")) == []
    for k in range(9):
        (tmp_path / f"{k}.csv").touch()
    assert finish(tables_in(tmp_path)) == [], "so many are one for each image"


def test_only_a_session_of_a_folder_looks_beside() -> None:
    told: list[list[Path]] = []
    session = Session()
    session.open_atlas(empty_atlas())
    session.tables.look_beside(told.append)
    assert told == [[]]


def test_own_columns_are_named_as_people_do_and_a_user_s_as_the_user_does() -> None:
    assert [title_of(name) for name in ("um_per_px", "kv", "magnification", "Jc (MA/cm²)", "my_column")] == [
        "Pixel size (µm)", "Voltage (kV)", "Magnification", "Jc (MA/cm²)", "my_column",
    ]  # fmt: skip

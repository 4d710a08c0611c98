"""The map view, driven by mouse and keys."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QImage, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QToolButton

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.pipeline import Preview
from napari_micromap.session import Session
from napari_micromap.session.running import Lane
from napari_micromap.views.map.canvas import Canvas
from napari_micromap.views.map.view import MapView
from napari_micromap.work import Progress, Work, finish

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NO_KEY, SHIFT, ALT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def atlas_of(positions: NDArray[np.floating], folder: Path | None = None) -> Atlas:
    """An atlas with a map; even rows are "etched", odd ones "polished", and the last has no Jc."""
    n = len(positions)
    columns = pd.DataFrame({name: [None] * n for name in OWN_COLUMNS})
    columns["file"] = [f"film{row:02d}.png" for row in range(n)]
    columns["treatment"] = ["etched", "polished"] * (n // 2) + ["etched"] * (n % 2)
    columns["Jc (MA/cm²)"] = [*np.linspace(1, 3, n - 1), np.nan] if n else []
    columns[["width", "height", "bar_rows", "um_per_px", "magnification"]] = 64, 48, 0, 0.5, 10_000
    columns["detector"] = "SE"
    return Atlas(
        columns=columns,
        ids=np.array([f"id{row}" for row in range(n)], np.str_),
        paths=np.array(["" if folder is None else str(folder / name) for name in columns["file"]], np.str_),
        pages=np.zeros(n, np.int32),
        roles={"treatment": "sample"},
    ).with_positions(np.asarray(positions, np.float32), "")


# Two groups of dots, five at the left and four at the right, and one without a place.
POSITIONS = np.array(
    [[0, 0], [0, 1], [0, 2], [1, 0], [1, 2], [9, 0], [9, 1], [9, 2], [8, 1], [np.nan, np.nan]], np.float32
)
LEFT_GROUP, RIGHT_GROUP = [0, 1, 2, 3, 4], [5, 6, 7, 8]


class ByHand:
    """Runs the work of the build lane step by step, as a test wants it."""

    def __call__(
        self,
        start: Callable[[], Work[Any]],
        *,
        lane: Lane,
        done: Callable[[Any], None],
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        if lane == "build":
            self._work, self._done, self._progress = start(), done, progress
        else:
            done(finish(start(), progress))

    def cancel(self, lane: Lane) -> None: ...

    def step(self) -> None:
        """Go on to the next progress, or to the end."""
        try:
            told = next(self._work)
        except StopIteration as end:
            self._done(end.value)
        else:
            assert self._progress is not None
            self._progress(told)


@dataclass(frozen=True, eq=False)
class Given:
    """A layout that shows given previews, and then gives given positions."""

    positions: NDArray[np.float32]
    previews: tuple[NDArray[np.float32], ...] = ()
    title: str = "UMAP"
    holds_gil: bool = False
    neighbors_needed: int = 0

    def __call__(self, features: Any, neighbors: Any, start: Any = None) -> Work[NDArray[np.float32]]:
        for preview in self.previews:
            yield Progress("Laying out", partial=Preview(preview))
        return self.positions

    def place(self, new: Any, features: Any, positions: Any) -> NDArray[np.float32]:
        raise NotImplementedError


@pytest.fixture
def session() -> Session:
    return Session(run=ByHand())


def step(session: Session) -> None:
    assert isinstance(session.run, ByHand)
    session.run.step()


@pytest.fixture
def view(session: Session, qtbot: QtBot) -> MapView:
    session.open_atlas(atlas_of(POSITIONS), "UMAP")
    view = MapView(session)
    qtbot.addWidget(view)
    view.resize(420, 400)
    view.show()
    qtbot.waitExposed(view)
    return view


def place(view: MapView, row: int) -> QPoint:
    where = view.canvas.scene.place_of(row)
    assert where is not None
    return QPointF(*where).toPoint()


def drag(
    view: MapView, points: list[QPoint], keys: Qt.KeyboardModifier = NO_KEY, button: Qt.MouseButton = LEFT
) -> None:
    QTest.mousePress(view.canvas, button, keys, points[0])
    for start, end in itertools.pairwise(points):
        for part in np.linspace(0.25, 1, 4):
            QTest.mouseMove(view.canvas, (QPointF(start) + (QPointF(end) - QPointF(start)) * float(part)).toPoint())
    QTest.mouseRelease(view.canvas, button, keys, points[-1])


def around(view: MapView, rows: list[int], by: int = 25) -> list[QPoint]:
    """Corners of a lasso around the dots of these rows."""
    places = [place(view, row) for row in rows]
    left, right = min(p.x() for p in places) - by, max(p.x() for p in places) + by
    top, bottom = min(p.y() for p in places) - by, max(p.y() for p in places) + by
    return [QPoint(left, top), QPoint(right, top), QPoint(right, bottom), QPoint(left, bottom)]


def turn_wheel(canvas: Canvas, at: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(canvas.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        NO_KEY, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def picture_of(canvas: Canvas) -> NDArray[np.uint8]:
    """What is on the screen, (h, w, 3)."""
    QApplication.processEvents()
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    flat = np.frombuffer(bits.asarray(image.sizeInBytes()) if hasattr(bits, "asarray") else bits, np.uint8)
    return flat.reshape(image.height(), -1)[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


# ------------------------------------------------------------------ selecting


def test_a_lasso_selects_the_dots_inside(view: MapView, session: Session) -> None:
    drag(view, around(view, LEFT_GROUP))
    assert session.selection.rows.tolist() == LEFT_GROUP


def test_shift_adds_and_alt_or_ctrl_removes(view: MapView, session: Session) -> None:
    drag(view, around(view, LEFT_GROUP))
    drag(view, around(view, RIGHT_GROUP), SHIFT)
    assert session.selection.rows.tolist() == LEFT_GROUP + RIGHT_GROUP
    drag(view, around(view, [0, 1, 2]), ALT)
    assert session.selection.rows.tolist() == [3, 4, *RIGHT_GROUP]
    drag(view, around(view, RIGHT_GROUP), CTRL)
    assert session.selection.rows.tolist() == [3, 4]


def test_a_rectangle_selects_too(view: MapView, session: Session) -> None:
    view.toolbar.findChildren(QToolButton)[1].click()
    corners = around(view, RIGHT_GROUP)
    drag(view, [corners[0], corners[2]])
    assert session.selection.rows.tolist() == RIGHT_GROUP


def test_a_lasso_goes_on_outside_of_the_map(view: MapView, session: Session) -> None:
    width, height = view.canvas.width(), view.canvas.height()
    drag(
        view,
        [
            QPoint(width // 2, -40),
            QPoint(width + 60, -40),
            QPoint(width + 60, height + 60),
            QPoint(width // 2, height + 60),
        ],
    )
    assert session.selection.rows.tolist() == RIGHT_GROUP


def test_selecting_never_moves_the_map(view: MapView) -> None:
    before = view.canvas.scene.camera
    drag(view, around(view, LEFT_GROUP))
    assert view.canvas.scene.camera == before


def test_selected_dots_are_seen(view: MapView) -> None:
    before = picture_of(view.canvas)
    drag(view, around(view, LEFT_GROUP))
    after = picture_of(view.canvas)
    selected, other = place(view, 0), place(view, 5)
    assert (after[selected.y(), selected.x()] == before[selected.y(), selected.x()]).all()
    assert (after[other.y(), other.x()] != before[other.y(), other.x()]).any()


def test_a_click_picks_a_dot_and_selects_nothing(view: MapView, session: Session) -> None:
    QTest.mouseClick(view.canvas, LEFT, NO_KEY, place(view, 6))
    assert session.current == 6
    assert len(session.selection) == 0


def test_shift_click_adds_a_dot_and_ctrl_click_removes_it(view: MapView, session: Session) -> None:
    QTest.mouseClick(view.canvas, LEFT, SHIFT, place(view, 6))
    QTest.mouseClick(view.canvas, LEFT, SHIFT, place(view, 2))
    assert session.selection.rows.tolist() == [2, 6]
    QTest.mouseClick(view.canvas, LEFT, CTRL, place(view, 6))
    QTest.mouseClick(view.canvas, LEFT, ALT, place(view, 5))
    assert session.selection.rows.tolist() == [2]
    assert session.current is None


def test_a_click_on_empty_ground_does_nothing(view: MapView, session: Session) -> None:
    session.current = 3
    session.selection.replace([1])
    middle = (place(view, 1) + place(view, 6)) / 2
    QTest.mouseClick(view.canvas, LEFT, NO_KEY, middle)
    assert session.current == 3
    assert session.selection.rows.tolist() == [1]


def test_a_trembling_click_is_a_click(view: MapView, session: Session) -> None:
    spot = place(view, 6)
    QTest.mousePress(view.canvas, LEFT, NO_KEY, spot)
    QTest.mouseMove(view.canvas, spot + QPoint(2, 1))
    QTest.mouseRelease(view.canvas, LEFT, NO_KEY, spot + QPoint(2, 1))
    assert session.current == 6


def test_a_double_click_opens_a_dot(view: MapView, session: Session) -> None:
    opened: list[int] = []
    session.opened.connect(opened.append)
    QTest.mouseClick(view.canvas, LEFT, NO_KEY, place(view, 7))
    QTest.mouseDClick(view.canvas, LEFT, NO_KEY, place(view, 7))
    assert opened == [7]
    QTest.mouseDClick(view.canvas, LEFT, NO_KEY, (place(view, 1) + place(view, 6)) / 2)
    assert opened == [7]


def test_escape_forgets_a_lasso_under_way_and_then_the_selection(view: MapView, session: Session, qtbot: QtBot) -> None:
    drag(view, around(view, LEFT_GROUP))
    view.activateWindow()
    view.canvas.setFocus()
    qtbot.waitUntil(view.canvas.hasFocus)
    corners = around(view, RIGHT_GROUP)
    QTest.mousePress(view.canvas, LEFT, NO_KEY, corners[0])
    for corner in corners[1:]:
        QTest.mouseMove(view.canvas, corner)
    QTest.keyClick(view.canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.canvas, LEFT, NO_KEY, corners[-1])
    assert session.selection.rows.tolist() == LEFT_GROUP
    QTest.keyClick(view.canvas, Qt.Key.Key_Escape)
    assert len(session.selection) == 0
    QTest.keyClick(view.canvas, Qt.Key.Key_Z, CTRL)
    assert session.selection.rows.tolist() == LEFT_GROUP
    QTest.keyClick(view.canvas, Qt.Key.Key_Z, CTRL | SHIFT)
    assert len(session.selection) == 0


def test_undo_and_redo_have_buttons_that_say_when_they_can(view: MapView, session: Session) -> None:
    buttons = {button.accessibleName().split()[0]: button for button in view.toolbar.findChildren(QToolButton)}
    undo, redo = buttons["Undo"], buttons["Redo"]
    assert not undo.isEnabled() and not redo.isEnabled()
    drag(view, around(view, LEFT_GROUP))
    assert undo.isEnabled()
    undo.click()
    assert len(session.selection) == 0
    assert redo.isEnabled() and not undo.isEnabled()


# ------------------------------------------------------------------ looking around


def test_the_wheel_zooms_about_the_pointer(view: MapView, session: Session) -> None:
    spot = place(view, 7)
    scale = view.canvas.scene.camera.scale
    turn_wheel(view.canvas, spot, 3)
    assert view.canvas.scene.camera.scale > 1.5 * scale
    assert (place(view, 7) - spot).manhattanLength() <= 2
    turn_wheel(view.canvas, spot, -3)
    assert view.canvas.scene.camera.scale == pytest.approx(scale)


def test_zooming_out_ends_somewhere(view: MapView) -> None:
    for _ in range(60):
        turn_wheel(view.canvas, QPoint(100, 100), -5)
    assert view.canvas.scene.camera.scale >= view.canvas.scene.home.scale / 8.01


@pytest.mark.parametrize("way", ["middle button", "space", "hand tool"])
def test_the_map_can_be_dragged(view: MapView, session: Session, qtbot: QtBot, way: str) -> None:
    spot = place(view, 1)
    button = MIDDLE if way == "middle button" else LEFT
    if way == "hand tool":
        view.toolbar.findChildren(QToolButton)[2].click()
    if way == "space":
        QTest.keyPress(view.canvas, Qt.Key.Key_Space)
    drag(view, [QPoint(200, 150), QPoint(240, 170)], button=button)
    assert (place(view, 1) - spot - QPoint(40, 20)).manhattanLength() <= 1
    assert len(session.selection) == 0
    if way == "space":
        QTest.keyRelease(view.canvas, Qt.Key.Key_Space)
        drag(view, around(view, LEFT_GROUP))
        assert session.selection.rows.tolist() == LEFT_GROUP


def test_home_shows_all_again(view: MapView, qtbot: QtBot) -> None:
    home = view.canvas.scene.camera
    turn_wheel(view.canvas, QPoint(50, 60), 5)
    view.activateWindow()
    view.canvas.setFocus()
    qtbot.waitUntil(view.canvas.hasFocus)
    QTest.keyClick(view.canvas, Qt.Key.Key_Home)
    assert view.canvas.scene.camera == home


def test_a_resized_map_still_shows_all_unless_one_looked_around(view: MapView, qtbot: QtBot) -> None:
    view.resize(640, 300)
    qtbot.waitUntil(lambda: view.canvas.scene.size[0] == view.canvas.width() > 600)
    assert view.canvas.scene.all_in_sight()
    turn_wheel(view.canvas, QPoint(50, 60), 5)
    scale = view.canvas.scene.camera.scale
    view.resize(500, 500)
    qtbot.waitUntil(lambda: view.canvas.scene.size[0] == view.canvas.width() < 510)
    assert view.canvas.scene.camera.scale == scale


# ------------------------------------------------------------------ maps that come


def other(positions: NDArray[np.float32] = POSITIONS) -> NDArray[np.float32]:
    return positions[:, ::-1] * np.float32(3) + np.float32(50)


def lay_out(session: Session, *previews: NDArray[np.float32]) -> NDArray[np.float32]:
    """Begin a layout that shows these previews, one a step, and then a map that is quite different."""
    n = len(session.atlas)
    bare = replace(
        session.atlas,
        positions=None,
        layout="",
        embeddings=np.ones((n, 2), np.float32),
        features=np.ones((n, 2), np.float32),
    )
    session.open_atlas(bare)
    final = other()
    session.lay_out(Given(final, previews))
    return final


def places(view: MapView) -> list[QPoint]:
    return [place(view, row) for row in range(9)]


def farthest(view: MapView, before: list[QPoint]) -> int:
    return max((now - then).manhattanLength() for now, then in zip(places(view), before))


def test_the_final_map_morphs_in_where_nothing_was_touched(view: MapView, session: Session, qtbot: QtBot) -> None:
    final = lay_out(session, POSITIONS)
    step(session)
    before = places(view)
    step(session)
    assert view.canvas.gliding
    assert farthest(view, before) < 40, "it sets off gently"
    qtbot.waitUntil(lambda: not view.canvas.gliding)
    dots = view.canvas.scene.dots
    assert dots is not None
    assert np.array_equal(np.stack([dots.x, dots.y], axis=1), final[dots.rows])
    assert view.canvas.scene.all_in_sight()
    assert farthest(view, before) > 40
    assert not view.chip.isVisible()


@pytest.mark.parametrize("touch", ["zoom", "lasso", "lasso of nothing"])
def test_the_final_map_waits_where_a_hand_is_at_work(view: MapView, session: Session, qtbot: QtBot, touch: str) -> None:
    lay_out(session, POSITIONS)
    step(session)
    if touch == "zoom":
        turn_wheel(view.canvas, QPoint(50, 60), 1)
    else:
        drag(view, around(view, LEFT_GROUP) if touch == "lasso" else [QPoint(3, 3), QPoint(20, 3), QPoint(20, 20)])
    before, rows = places(view), session.selection.rows
    step(session)
    assert not view.canvas.gliding
    assert places(view) == before
    assert view.chip.isVisible()
    QTest.mouseClick(view.chip, LEFT)
    qtbot.waitUntil(lambda: not view.canvas.gliding)
    assert not view.chip.isVisible()
    assert session.map is not None and session.map.title == "UMAP"
    assert view.canvas.scene.all_in_sight()
    assert np.array_equal(session.selection.rows, rows)


def test_a_hand_on_the_map_ends_the_morph_at_once(view: MapView, session: Session) -> None:
    lay_out(session, POSITIONS)
    step(session)
    step(session)
    QTest.mousePress(view.canvas, LEFT, NO_KEY, QPoint(5, 5))
    assert not view.canvas.gliding
    QTest.mouseRelease(view.canvas, LEFT, NO_KEY, QPoint(5, 5))


def test_new_dots_of_the_preview_move_nothing_unless_they_fall_out_of_sight(
    view: MapView, session: Session, qtbot: QtBot
) -> None:
    few, more = POSITIONS.copy(), POSITIONS.copy()
    few[4:] = more[5:] = np.nan
    lay_out(session, few, more, POSITIONS)
    step(session)
    camera = view.canvas.scene.camera
    step(session)
    assert view.canvas.scene.camera == camera
    assert not view.canvas.gliding
    before = place(view, 0)
    step(session)
    assert view.canvas.gliding
    assert (place(view, 0) - before).manhattanLength() < 15
    qtbot.waitUntil(lambda: not view.canvas.gliding)
    assert view.canvas.scene.all_in_sight()


def test_the_preview_does_not_move_what_a_user_looks_at(view: MapView, session: Session) -> None:
    few = POSITIONS.copy()
    few[4:] = np.nan
    lay_out(session, few, POSITIONS)
    step(session)
    turn_wheel(view.canvas, place(view, 1), 4)
    camera = view.canvas.scene.camera
    step(session)
    assert view.canvas.scene.camera == camera
    assert not view.canvas.gliding
    assert view.canvas.scene.dots is not None and len(view.canvas.scene.dots) == 9


def test_dots_stay_where_they_are_when_rows_are_renumbered(view: MapView, session: Session) -> None:
    before = places(view)
    atlas = session.atlas
    grown = atlas_of(np.concatenate([np.full((1, 2), np.nan, np.float32), POSITIONS]))
    ids = np.array(["new", *atlas.ids])
    session.take_atlas(replace(grown, ids=ids, positions=None))
    assert not view.canvas.gliding
    assert [place(view, row + 1) for row in range(9)] == before


def test_a_new_set_starts_with_an_empty_map(view: MapView, session: Session) -> None:
    session.open_atlas(replace(atlas_of(POSITIONS), positions=None, layout=""))
    assert view.canvas.scene.empty
    drag(view, [QPoint(10, 10), QPoint(200, 10), QPoint(200, 200)])
    QTest.mouseClick(view.canvas, LEFT, NO_KEY, QPoint(50, 50))
    turn_wheel(view.canvas, QPoint(50, 60), 1)
    view.grab()
    assert len(session.selection) == 0
    session.open_atlas(atlas_of(POSITIONS[:4]), "PCA")
    assert view.canvas.scene.all_in_sight()


# ------------------------------------------------------------------ colors and legend


def color_at(view: MapView, row: int) -> list[int]:
    picture = picture_of(view.canvas)
    spot = place(view, row)
    ratio = view.canvas.devicePixelRatioF()
    pixel: list[int] = picture[int(spot.y() * ratio), int(spot.x() * ratio), :3].tolist()
    return pixel


def test_dots_take_the_colors_of_the_chosen_column(view: MapView, session: Session) -> None:
    session.color_by = "Jc (MA/cm²)"
    low, high = color_at(view, 0), color_at(view, 8)
    assert low != high
    session.color_by = "treatment"
    assert color_at(view, 0) == color_at(view, 2) != color_at(view, 1)
    session.color_by = None
    assert color_at(view, 0) == color_at(view, 1)


def test_the_legend_selects_a_category(view: MapView, session: Session) -> None:
    session.color_by = "treatment"
    etched, polished = view.legend.findChild(type(view.legend._entries)).findChildren(QToolButton)[-2:]
    assert "etched" in etched.text() and "5" in etched.text()
    QTest.mouseClick(etched, LEFT)
    assert session.selection.rows.tolist() == [0, 2, 4, 6, 8]
    QTest.mouseClick(polished, LEFT)
    assert session.selection.rows.tolist() == [1, 3, 5, 7, 9]


def test_the_legend_counts_missing_values_and_tells_made_up_ones(view: MapView, session: Session) -> None:
    session.color_by = "Jc (MA/cm²)"
    texts = [button.text() for button in view.legend.findChildren(QToolButton) if button.isVisible()]
    assert "no Jc: 1" in texts
    labels = [label.text() for label in view.legend.findChildren(QLabel)]
    assert "Jc (MA/cm²)" in labels and not any("synthetic" in label for label in labels)
    session.open_atlas(replace(session.atlas, synthetic=("Jc (MA/cm²)",)), "UMAP")
    session.color_by = "Jc (MA/cm²)"
    assert any("synthetic" in label.text() for label in view.legend.findChildren(QLabel))


def test_a_new_table_recolors_the_map(view: MapView, session: Session) -> None:
    session.color_by = "treatment"
    before = color_at(view, 0)
    columns = session.atlas.columns.assign(treatment=["b"] * 5 + ["a"] * 5)
    session.take_atlas(session.atlas.with_columns(columns))
    assert color_at(view, 0) != before


def test_light_and_dark_differ_in_ground_but_not_in_colors(view: MapView, session: Session) -> None:
    session.color_by = "Jc (MA/cm²)"
    view.set_theme(True)
    dark, color = picture_of(view.canvas)[0, 0, :3].mean(), color_at(view, 3)
    view.set_theme(False)
    assert picture_of(view.canvas)[0, 0, :3].mean() > dark + 100
    assert color_at(view, 3) == color
    view.set_theme(False, ground=(255, 255, 255))
    assert picture_of(view.canvas)[0, 0, :3].tolist() == [255, 255, 255]


# ------------------------------------------------------------------ hover


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    from PIL import Image

    rng = np.random.default_rng(0)
    for row in range(len(POSITIONS)):
        Image.fromarray(rng.integers(0, 255, (48, 64), dtype=np.uint8)).save(tmp_path / f"film{row:02d}.png")
    return tmp_path


def test_a_card_shows_what_lies_under_the_pointer(
    view: MapView, session: Session, pictures: Path, qtbot: QtBot
) -> None:
    session.open_atlas(atlas_of(POSITIONS, pictures), "UMAP")
    session.color_by = "Jc (MA/cm²)"
    view.grab()
    QTest.mouseMove(view.canvas, place(view, 2))
    assert not view.card.isVisible(), "only after a moment"
    qtbot.waitUntil(view.card.isVisible)
    text = "\n".join(label.text() for label in view.card.findChildren(QLabel))
    for word in ("film02.png", "etched", "Jc 1.5 MA/cm²", "10 kx", "SE"):
        assert word in text
    assert not view.card.geometry().contains(view.canvas.mapToGlobal(place(view, 2)))
    assert view.card._picture._pixmap is not None
    QTest.mouseMove(view.canvas, (place(view, 1) + place(view, 6)) / 2)
    qtbot.waitUntil(lambda: not view.card.isVisible())


def test_the_card_goes_when_a_drag_begins(view: MapView, qtbot: QtBot) -> None:
    QTest.mouseMove(view.canvas, place(view, 2))
    qtbot.waitUntil(view.card.isVisible)
    assert any("cannot be read" in label.text() for label in view.card.findChildren(QLabel))
    QTest.mousePress(view.canvas, LEFT, NO_KEY, place(view, 2))
    assert not view.card.isVisible()
    QTest.mouseRelease(view.canvas, LEFT, NO_KEY, place(view, 2))


# ------------------------------------------------------------------ life


def test_a_session_outlives_its_map(session: Session, qtbot: QtBot) -> None:
    session.open_atlas(atlas_of(POSITIONS), "UMAP")
    view = MapView(session)
    view.show()
    gone: list[bool] = []
    view.destroyed.connect(lambda: gone.append(True))
    view.deleteLater()
    qtbot.waitUntil(lambda: bool(gone))
    session.selection.replace([1])
    session.color_by = "treatment"
    session.current = 3
    second = MapView(session)
    qtbot.addWidget(second)
    second.show()
    assert second.canvas.scene.dots is not None


def test_two_maps_of_one_session_agree(view: MapView, session: Session, qtbot: QtBot) -> None:
    second = MapView(session)
    qtbot.addWidget(second)
    second.resize(300, 300)
    second.show()
    drag(view, around(view, LEFT_GROUP))
    assert second.canvas.scene.dots is not None
    assert second.canvas.scene.dots.selected_from == len(second.canvas.scene.dots) - len(LEFT_GROUP)


def test_a_narrow_map_cuts_nothing(view: MapView, session: Session, qtbot: QtBot) -> None:
    columns = session.atlas.columns.rename(columns={"Jc (MA/cm²)": "Jc(77 K, self-field) (MA/cm²)"})
    columns["treatment"] = [f"oil_quenched_860c_{row}h_and_more" for row in range(len(columns))]
    for column in ("Jc(77 K, self-field) (MA/cm²)", "treatment"):
        session.open_atlas(session.atlas.with_columns(columns), "UMAP")
        session.color_by = column
        assert view.minimumSizeHint().width() <= 350
        view.resize(350, 400)
        QApplication.processEvents()
        for button in view.findChildren(QToolButton):
            right = button.mapTo(view, QPoint(button.width(), 0)).x()
            assert not button.isVisible() or right <= 350
        assert view.canvas.height() >= 0.6 * view.height()


@pytest.mark.parametrize("wish", ["_on_undo", "_on_redo", "_on_escape"])
def test_wishes_without_an_answer_do_no_harm(view: MapView, wish: str) -> None:
    act: Callable[[], None] = getattr(view, wish)
    before = view.canvas.scene.camera
    act()
    assert view.canvas.scene.camera == before and view.canvas.scene.all_in_sight()

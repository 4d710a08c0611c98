"""Dots that become pictures as one zooms in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication, QToolButton

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.neighbors import exact_neighbors
from napari_micromap.session import Session
from napari_micromap.views.map.dots import arrange
from napari_micromap.views.map.levels import NEVER, find_levels, typical_order
from napari_micromap.views.map.newcomers import BLUE
from napari_micromap.views.map.pictures import Pictures
from napari_micromap.views.map.scene import Scene
from napari_micromap.views.map.view import MapView
from napari_micromap.work import finish


def crowd(n: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 4, (5, 2))[rng.integers(0, 5, n)] + rng.normal(0, 1, (n, 2))).astype(np.float32)


@given(st.integers(1, 300), st.integers(0, 99), st.sampled_from([0.5, 0.75, 1.25]))
@settings(max_examples=20)
def test_what_is_shown_at_a_level_overlaps_nowhere_and_leaves_no_room(n: int, seed: int, aspect: float) -> None:
    positions, order = crowd(n, seed), typical_order(n, None)
    levels = finish(find_levels(positions, order, aspect))
    square = positions.astype(np.float64) / (1, aspect)
    apart = np.abs(square[:, None] - square[None]).max(axis=-1)
    np.fill_diagonal(apart, np.inf)
    for level in range(0, levels.of_rows.max(initial=0, where=levels.of_rows != NEVER) + 1, 3):
        side = levels.widest / 2 ** (level / 2)
        shown = levels.of_rows <= level
        assert apart[np.ix_(shown, shown)].min(initial=np.inf) >= side * (1 - 1e-9)
        assert (apart[np.ix_(~shown, shown)].min(axis=1, initial=np.inf) < side).all()


def test_the_most_typical_are_the_first_and_rows_without_a_place_are_never_pictures() -> None:
    features = np.random.default_rng(1).normal(size=(60, 5)).astype(np.float32)
    neighbors = finish(exact_neighbors(features, 8))
    order = typical_order(60, neighbors)
    counts = np.bincount(neighbors.rows.ravel(), minlength=60)
    assert (np.diff(counts[order]) <= 0).all()
    positions = crowd(60)
    positions[7] = np.nan
    levels = finish(find_levels(positions, order, 0.75))
    assert levels.of_rows[7] == NEVER
    assert levels.of_rows[order[0] if order[0] != 7 else order[1]] == 0


def test_dots_at_the_very_same_place_share_one_picture() -> None:
    levels = finish(find_levels(np.zeros((5, 2), np.float32), np.arange(5), 1.0))
    assert levels.of_rows.tolist() == [0, NEVER, NEVER, NEVER, NEVER]
    assert len(finish(find_levels(np.empty((0, 2), np.float32), np.arange(0), 1.0)).of_rows) == 0


def scene_of(positions: NDArray[np.float32], selected: NDArray[np.bool_] | None = None) -> Scene:
    scene = Scene()
    scene.resize((400.0, 300.0), 1.0)
    n = len(positions)
    scene.show(arrange(positions, np.full((n, 3), 200, np.uint8), selected=selected))
    scene.fit()
    scene.pictures = Pictures(finish(find_levels(positions, np.arange(n), 0.75)))
    return scene


def test_pictures_come_when_one_zooms_in_and_are_what_lies_under_the_pointer() -> None:
    scene = scene_of(crowd(30))
    assert scene.frame is not None and scene.pictures is not None and not scene.pictures.lacking
    scene.zoom(2.0, (200, 150))
    assert not scene.frame.boxes
    wanted = scene.pictures.lacking
    assert wanted
    assert scene.pictures.put({row: np.full((30, 40), row, np.uint8) for row in wanted})
    scene.redraw()
    boxes = scene.frame.boxes
    assert set(boxes) == set(wanted)
    for row, (left, top, width, height) in boxes.items():
        inside = left + width - 4, top + height - 4
        if 0 < inside[0] < 400 and 0 < inside[1] < 300:
            assert scene.row_at(*inside) == row
            assert tuple(scene.frame.image[int(inside[1]), int(inside[0])]) == (row, row, row, 255)


def test_selected_dots_stay_in_front_of_pictures() -> None:
    positions = np.array([[0, 0], [0.02, 0], [10, 10], [-10, -10]], np.float32)  # the second one hides behind the first
    scene = scene_of(positions, selected=np.array([False, True, False, False]))
    scene.zoom(2.0, (200, 150))
    assert scene.frame is not None and scene.pictures is not None
    scene.pictures.put({0: np.zeros((30, 40), np.uint8)})
    scene.redraw()
    assert 0 in scene.frame.boxes
    place = scene.place_of(1)
    assert place is not None and scene.row_at(*place) == 1
    assert scene.row_at(place[0] - 12, place[1]) == 0


def test_memory_of_pictures_is_bounded() -> None:
    pictures = Pictures(finish(find_levels(crowd(5), np.arange(5), 1.0)))
    for row in range(200):
        pictures.put({row: np.zeros((1024, 1024), np.uint8)})
    assert sum(picture.nbytes for picture in pictures._kept.values()) <= 96 << 20


@pytest.fixture
def view(qtbot: QtBot, tmp_path: Path) -> MapView:
    """A map of twelve pictures on disk."""
    n = 12
    columns = pd.DataFrame({name: [None] * n for name in OWN_COLUMNS})
    columns["file"] = [f"film{row}.png" for row in range(n)]
    columns[["width", "height", "bar_rows"]] = 64, 48, 0
    for row, name in enumerate(columns["file"]):
        Image.fromarray(np.full((48, 64), 10 * row + 40, np.uint8)).save(tmp_path / name)
    paths = np.array([str(tmp_path / name) for name in columns["file"]], np.str_)
    atlas = Atlas(columns, np.array([f"id{row}" for row in range(n)], np.str_), paths, np.zeros(n, np.int32))
    session = Session(cache=tmp_path / "cache")
    view = MapView(session)
    qtbot.addWidget(view)
    view.resize(420, 380)
    view.show()
    session.open_atlas(atlas.with_positions(crowd(n), ""), "UMAP")
    QApplication.processEvents()
    return view


def test_zooming_in_shows_pictures_and_the_tool_turns_them_off(view: MapView, qtbot: QtBot) -> None:
    scene = view.canvas.scene
    row = 0
    scene.zoom(3.0, scene.place_of(row))
    view.canvas.update()
    qtbot.waitUntil(lambda: scene.frame is not None and row in scene.frame.boxes)
    tool = next(b for b in view.toolbar.findChildren(QToolButton) if b.accessibleName() == "Pictures")
    tool.click()
    assert scene.frame is not None and not scene.frame.boxes
    tool.click()
    qtbot.waitUntil(lambda: scene.frame is not None and row in scene.frame.boxes)


def blue_pixels(view: MapView, row: int) -> int:
    """Count pixels in the color of newcomers around a row's dot."""
    scene = view.canvas.scene
    place = scene.place_of(row)
    assert scene.frame is not None and place is not None
    ratio = view.devicePixelRatioF()
    x, y = (int(part * ratio) for part in place)
    around = scene.frame.image[max(0, y - 12) : y + 12, max(0, x - 12) : x + 12, :3]
    return int((around == BLUE).all(axis=-1).sum())


def test_images_that_joined_are_ringed_until_the_map_is_made_again(view: MapView) -> None:
    session = view._session
    assert blue_pixels(view, 3) == 0
    session.growing.set_fresh(["id3"])
    assert blue_pixels(view, 3) > 20
    assert "1 new image ringed" in view.canvas._overlay.caption
    session.growing.set_fresh(())
    assert blue_pixels(view, 3) == 0
    assert "ringed" not in view.canvas._overlay.caption


def test_while_a_hand_moves_a_slow_map_it_has_larger_pixels_and_dots_stay_where_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("napari_micromap.views.map.scene._SLOW", 0.0)
    scene = Scene()
    scene.resize((1000.0, 800.0), 1.0)
    apart = np.stack(np.divmod(np.arange(50), 10), axis=1).astype(np.float32)
    scene.show(arrange(apart, np.full((50, 3), 200, np.uint8)))
    assert scene.frame is not None and scene.frame.ids.shape == (800, 1000)
    scene.move()
    scene.zoom(1.5, (500, 400))
    places = {row: scene.place_of(row) for row in range(50)}
    found = {row: scene.row_at(*place) for row, place in places.items() if place is not None}
    assert scene.frame is not None and scene.frame.ids.shape == (400, 500)
    assert scene.rest() and not scene.rest()
    assert {row: scene.row_at(*place) for row, place in places.items() if place is not None} == found
    assert scene.frame is not None and scene.frame.ids.shape == (800, 1000)

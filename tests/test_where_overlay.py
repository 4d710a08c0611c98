"""The overlay lies on the opened micrograph, and says no more than it may."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_micromap.atlas import Micrograph
from napari_micromap.colors import colors_of_signed
from napari_micromap.montage.arrangement import arrange
from napari_micromap.problems import Problem
from napari_micromap.questions.locating import over, painted
from napari_micromap.session.running import AtOnce
from napari_micromap.session.where import TITLE, Where
from napari_micromap.statistics.where import Split
from napari_micromap.views.where import WhereOverlay, over_page


def made(certain: float = 1.0) -> Split:
    share = np.linspace(-1, 1, 64).reshape(8, 8)
    return Split(share, np.full((8, 8), certain), base=2.0, prediction=2.0)


def test_raising_and_lowering_places_have_colors_of_their_own_and_none_is_neutral() -> None:
    low, zero, high = colors_of_signed(np.array([-1.0, 0.0, 1.0]), 1.0).astype(int)
    assert low[2] > low[0] + 80  # blue
    assert high[0] > high[2] + 80  # red
    assert np.ptp(zero) < 12  # gray


def test_uncertain_places_and_borders_are_faint() -> None:
    sure, unsure = painted(made(1.0), 1.0), painted(made(0.7), 1.0)
    assert sure[4, 4, 3] > 3 * unsure[4, 4, 3]
    assert sure[0, 4, 3] < 0.5 * sure[4, 4, 3]


def test_a_property_that_was_not_tested_is_not_located() -> None:
    session: Any = SimpleNamespace(run=AtOnce(), questions=SimpleNamespace(answers={}), atlas=None)
    with pytest.raises(Problem, match="Test Jc first"):
        Where(session).show([0], "Jc")


def test_where_it_shows_says_that_it_can_differ_from_the_column_of_predictions() -> None:
    where = Where(SimpleNamespace(run=AtOnce(), questions=SimpleNamespace(answers={}), atlas=[]))  # type: ignore[arg-type]
    words = SimpleNamespace(quantity="Jc", samples="films")
    answer = SimpleNamespace(words=words, units=SimpleNamespace(categories=()))
    where._wish = SimpleNamespace(name="Jc", answer=answer, groups=None)  # type: ignore[assignment]
    assert not where.note, "nothing is shown yet"
    where.splits = {0: made()}
    assert "all films" in where.note and "can differ from “Jc predicted”" in where.note


def test_the_overlay_covers_the_opened_picture_and_goes_with_it(make_napari_viewer_proxy: Any, qtbot: Any) -> None:
    from qtpy.QtWidgets import QWidget

    viewer = make_napari_viewer_proxy()
    owner = QWidget()
    qtbot.addWidget(owner)
    under = viewer.add_image(np.zeros((40, 80), np.uint8), scale=(0.5, 0.5))
    where = Where(SimpleNamespace(run=AtOnce(), questions=SimpleNamespace(answers={}), atlas=[]))  # type: ignore[arg-type]
    overlay = WhereOverlay(owner, viewer.__wrapped__, where)
    overlay.lie_over(under.__wrapped__ if hasattr(under, "__wrapped__") else under, 0)
    where.splits = {0: made()}
    where.changed.emit()
    layer = viewer.layers[TITLE]
    assert layer.data.shape == (8, 8, 4)
    cell = np.array(layer.scale[-2:])
    np.testing.assert_allclose(cell, (40 * 0.5 / 8, 80 * 0.5 / 8))
    first = np.array(layer.translate[-2:]) - cell / 2  # the outer corner of the first cell …
    np.testing.assert_allclose(first, -np.array(under.scale[-2:]) / 2)  # … is that of the first pixel
    # with a data bar above: over the specimen alone, whether our own layer says so or the micrograph of a user's one
    where._session.atlas = [Micrograph("a", "a.tif", "", 0, bar_rows=8, bar_side="top")]  # type: ignore[misc]
    where.changed.emit()
    layer = viewer.layers[TITLE]
    np.testing.assert_allclose(layer.scale[-2:], (32 * 0.5 / 8, 80 * 0.5 / 8))
    first = np.array(layer.translate[-2:]) - np.array(layer.scale[-2:]) / 2
    np.testing.assert_allclose(first, (8 * 0.5 - 0.25, -0.25))
    overlay.lie_over(None)
    assert TITLE not in viewer.layers


def test_over_a_gallery_each_tile_has_its_own_colors_and_nothing_lies_between_them() -> None:
    page = arrange(np.array([4, 7, 9]), np.array([[480, 640]] * 3), aspect=3.0)
    red = np.full((8, 8, 4), (200, 0, 0, 150), np.uint8)
    canvas = over_page(page, {0: red, 2: red // 2})
    top, left, height, width = (page.boxes[0] / 4).astype(int)
    assert (canvas[top + 2 : top + height - 2, left + 2 : left + width - 2] == red[0, 0]).all()
    assert not canvas[:, int(page.boxes[1, 1] / 4) : int((page.boxes[1, 1] + page.boxes[1, 3]) / 4)].any()
    assert canvas[top + 4, int(page.boxes[2, 1] / 4) + 4, 0] == 100


def test_a_small_picture_is_colored_as_the_overlay_is() -> None:
    gray = np.full((32, 32), 100, np.uint8)
    colored = over(gray, made(), 1.0)
    assert colored.shape == (32, 32, 3)
    assert colored[10, 16, 2] > colored[10, 16, 0] and colored[22, 16, 0] > colored[22, 16, 2]

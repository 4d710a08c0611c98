"""The pure parts of the map: dots in a picture, the lasso, the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_micromap.colors import CATEGORY_COLORS, WHITE, colors_of, contrast
from napari_micromap.views.map.camera import Camera, fit
from napari_micromap.views.map.dots import (
    DARK,
    FADED,
    LIGHT,
    arrange,
    diameter,
    ground_of,
    lines_around,
    moved,
    shuffled,
)
from napari_micromap.views.map.glide import glide
from napari_micromap.views.map.lasso import rows_inside
from napari_micromap.views.map.packed import mixed, packed
from napari_micromap.views.map.raster import draw

SIZE = (200, 160)
PIXELS = Camera(100, -80, 1.0)  # map coordinates are pixels of a picture of SIZE, y upside down
GROUNDS = {"dark": DARK, "light": LIGHT, "white": ground_of(WHITE)}


def at(*pixels: tuple[float, float]) -> NDArray[np.float32]:
    """Positions whose dots stand at these pixels."""
    return np.array([(x, -y) for x, y in pixels], np.float32)


def red(n: int) -> NDArray[np.uint8]:
    return np.tile(np.array([[200, 30, 40]], np.uint8), (n, 1))


def crowd(n: int = 60_000, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 20, (n, 2)).astype(np.float32) + np.float32([100, -80])


# ------------------------------------------------------------------ dots


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_dot_has_its_color_its_size_and_its_row(ratio: float) -> None:
    size = (round(200 * ratio), round(160 * ratio))
    frame = draw(arrange(at((50.5, 40.5)), red(1)), PIXELS.scaled(ratio), size, ratio)
    middle = round(40.5 * ratio), round(50.5 * ratio)
    assert frame.image[middle].tolist() == [200, 30, 40, 255]
    assert frame.rows[middle] == 0
    filled = (np.abs(frame.image[..., :3].astype(int) - [200, 30, 40]).sum(axis=-1) < 30).sum()
    assert filled == pytest.approx(np.pi / 4 * (9 * ratio) ** 2, rel=0.25)
    assert frame.image.shape == (*reversed(size), 4)
    assert (frame.image[..., 3] == 255).all()


def test_the_edges_of_few_dots_are_soft() -> None:
    image = draw(arrange(at((50, 40)), red(1)), PIXELS, SIZE).image
    assert len(np.unique(image.reshape(-1, 4), axis=0)) > 6


def test_a_dot_moves_by_fractions_of_a_pixel() -> None:
    light = [
        draw(arrange(at((50 + shift, 40)), red(1)), PIXELS, SIZE).image[..., 0].astype(float) - DARK.rgb[0]
        for shift in (0.0, 0.25, 0.5)
    ]
    columns = np.arange(SIZE[0])
    middles = [float((picture.sum(axis=0) * columns).sum() / picture.sum()) for picture in light]
    assert middles[1] - middles[0] == pytest.approx(0.25, abs=0.06)
    assert middles[2] - middles[0] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("n", [300, 60_000])
@given(dx=st.integers(-30, 30), dy=st.integers(-30, 30))
@settings(max_examples=8)
def test_panning_by_whole_pixels_moves_the_picture(n: int, dx: int, dy: int) -> None:
    dots = arrange(crowd(n), red(n))
    one, other = draw(dots, PIXELS, SIZE).image, draw(dots, PIXELS.panned(dx, dy), SIZE).image
    rolled = np.roll(one, (dy, dx), axis=(0, 1))
    inner = (slice(30, -30), slice(30, -30))
    assert (rolled[inner] == other[inner]).mean() > 0.999


def test_rows_without_a_position_are_drawn_nowhere() -> None:
    positions = at((50, 40), (90, 90))
    positions[1] = np.nan
    frame = draw(arrange(positions, red(2)), PIXELS, SIZE)
    assert set(np.unique(frame.rows)) == {-1, 0}


def test_a_map_without_dots_is_ground() -> None:
    frame = draw(arrange(np.empty((0, 2), np.float32), red(0), ground=LIGHT), PIXELS, SIZE)
    assert (frame.image[..., :3] == LIGHT.rgb).all()
    assert frame.row_at(10, 10, 5) is None


def test_dots_beyond_the_border_do_not_come_in_on_the_other_side() -> None:
    positions = at((203, 40), (-3, 90), (60, 163), (90, -3))
    for many in (1, 20_000):
        frame = draw(arrange(np.repeat(positions, many, axis=0), red(4 * many)), PIXELS, SIZE, dot=9.0)
        seen = np.argwhere(frame.ids > 0)
        assert len(seen)
        assert (np.minimum(seen, np.array(SIZE)[::-1] - 1 - seen).min(axis=1) < 6).all()


def test_a_missing_value_is_a_hollow_ring_below_the_others() -> None:
    positions = at((50.5, 40.5), (90.5, 90.5), (90.5, 90.5))
    dots = arrange(positions, red(3), missing=np.array([True, True, False]))
    frame = draw(dots, PIXELS, SIZE)
    assert frame.image[40, 50, :3].tolist() == list(DARK.rgb)
    assert frame.rows[40, 50] == 0, "inside the ring is still the micrograph"
    ring = frame.image[40, 46, :3].astype(int)
    assert np.ptp(ring) < 12 and ring.mean() > 90, "gray"
    assert frame.rows[90, 90] == 2


def test_missing_values_are_hollow_in_a_crowd_too() -> None:
    n = 30_000
    positions = np.concatenate([crowd(n - 1) * np.float32([0.1, 1]), at((150, 40))])
    missing = np.arange(n) == n - 1
    frame = draw(arrange(positions, red(n), missing=missing), PIXELS, SIZE, dot=3.0)
    assert frame.image[40, 150, :3].tolist() == list(DARK.rgb)
    assert frame.rows[40, 150] == n - 1
    assert frame.image[40, 149, :3].tolist() == list(DARK.missing)


def test_an_excluded_dot_is_a_small_cross() -> None:
    frame = draw(arrange(at((50.5, 40.5)), red(1), excluded=np.array([True])), PIXELS, SIZE)
    assert np.ptp(frame.image[40, 50, :3]) < 12, "gray in the middle"
    assert frame.image[40, 54, :3].tolist() == list(DARK.rgb), "nothing beside it"
    assert frame.image[42, 52, :3].tolist() != list(DARK.rgb), "an arm of it"


@pytest.mark.parametrize("n", [2, 60_000])
def test_selected_dots_keep_their_color_and_the_rest_fades(n: int) -> None:
    positions = np.concatenate([at((50.5, 40.5), (90.5, 90.5)), np.full((n - 2, 2), -500, np.float32)])
    selected = np.zeros(n, bool)
    selected[0] = True
    image = draw(arrange(positions, red(n), selected=selected), PIXELS, SIZE, dot=9.0).image
    assert image[40, 50, :3].tolist() == [200, 30, 40]
    faded = np.array([200, 30, 40]) * FADED + np.array(DARK.rgb) * (1 - FADED)
    assert np.abs(image[90, 90, :3] - faded).max() <= 1.5
    assert (image[36:45, 40:60, :3] == 255).all(axis=-1).any(), "a strong line"


def test_selected_dots_lie_on_top() -> None:
    positions = np.zeros((500, 2), np.float32) + np.float32([50.5, -40.5])
    for row in (0, 250, 499):
        selected = np.arange(500) == row
        assert draw(arrange(positions, red(500), selected=selected), PIXELS, SIZE).rows[40, 50] == row


def test_no_category_always_lies_on_top() -> None:
    rng = np.random.default_rng(1)
    positions = at(*rng.uniform(20, 140, (6_000, 2)))
    first = np.arange(6_000) < 3_000
    rows = draw(arrange(positions, red(6_000)), PIXELS, SIZE).rows
    assert first[rows[rows >= 0]].mean() == pytest.approx(0.5, abs=0.05)


def test_the_order_of_drawing_stays_when_the_collection_grows() -> None:
    before, after = shuffled(1_000), shuffled(1_500)
    assert np.array_equal(before, after[after < 1_000])


def test_a_crowd_and_soft_dots_lie_at_the_same_places() -> None:
    positions = crowd(15_000)
    soft = draw(arrange(positions, red(15_000)), PIXELS, SIZE, dot=3.0)
    twice = draw(arrange(np.repeat(positions, 2, axis=0), red(30_000)), PIXELS, SIZE, dot=3.0)
    seen, hard = soft.ids > 0, twice.ids > 0
    assert (hard & ~seen).sum() == 0
    assert hard.sum() / seen.sum() > 0.6  # soft dots have their line beside them


def test_dots_get_smaller_by_their_number_and_grow_as_one_zooms_in() -> None:
    assert [diameter(n) for n in (43, 1_360, 15_000, 10**5, 10**6)] == [9, 6, 4, 3, 2]
    sizes = [diameter(10**6, zoom) for zoom in (0.5, 1, 4, 30, 1e4)]
    assert sizes == sorted(sizes) and sizes[0] == 2 and sizes[-1] == 9


def test_what_lies_near_the_pointer_is_found() -> None:
    frame = draw(arrange(at((50.5, 40.5), (70.5, 40.5)), red(2)), PIXELS, SIZE, dot=2.0)
    assert frame.row_at(50, 40) == 0
    assert frame.row_at(54, 40) is None
    assert frame.row_at(54, 40, reach=5) == 0
    assert frame.row_at(67, 41, reach=5) == 1
    assert frame.row_at(60, 80, reach=5) is None
    assert frame.row_at(-3, 40, reach=5) is None


@pytest.mark.parametrize("name", GROUNDS)
def test_every_color_stands_out_from_ground_or_outline(name: str) -> None:
    import pandas as pd

    ground = GROUNDS[name]
    ramp = colors_of(pd.Series(np.linspace(0, 1, 50))).rgb
    for color in [*ramp, *CATEGORY_COLORS]:
        line = lines_around(np.array([packed(tuple(color.tolist()))]), ground).view(np.uint8)[:3]
        assert max(contrast(color, ground.rgb), contrast(color, line)) >= 3 - 0.02, color
    assert contrast(ground.missing, ground.rgb) >= 3 - 0.02


@given(part=st.floats(0, 1))
def test_mixed_colors_lie_between_both(part: float) -> None:
    got = np.atleast_1d(mixed(packed((10, 200, 90)), packed((250, 20, 90)), part)).view(np.uint8)
    assert np.abs(got - (np.array([10, 200, 90, 255]) * (1 - part) + np.array([250, 20, 90, 255]) * part)).max() <= 1.5


# ------------------------------------------------------------------ lasso


def test_a_lasso_holds_what_is_inside() -> None:
    positions = np.array([[0, 0], [0.9, 0.9], [1.1, 0], [np.nan, 0], [-0.5, 0.2]], np.float32)
    assert rows_inside([[-1, -1], [1, -1], [1, 1], [-1, 1]], positions).tolist() == [0, 1, 4]


@given(st.integers(3, 40), st.integers(0, 10**6))
@settings(max_examples=40)
def test_a_lasso_around_a_star_holds_what_its_rays_reach(corners: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    # Few corners may leave out the middle: close the gaps.
    angles = np.sort(np.concatenate([angles, np.linspace(0, 2 * np.pi, 8, endpoint=False)]))
    radii = rng.uniform(0.5, 2, len(angles))
    polygon = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    positions = rng.uniform(-2, 2, (200, 2)).astype(np.float32)
    ahead = np.searchsorted(angles, np.arctan2(positions[:, 1], positions[:, 0]) % (2 * np.pi)) % len(angles)
    a, b = polygon[ahead - 1], polygon[ahead]
    beyond = (b[:, 0] - a[:, 0]) * (positions[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (positions[:, 0] - a[:, 0])
    assert np.array_equal(rows_inside(polygon, positions), np.flatnonzero(beyond > 0))


def test_a_lasso_that_crosses_itself_holds_all_that_it_winds_around() -> None:
    eight = [[0, 0], [2, 2], [2, 0], [0, 2]]
    positions = np.array([[0.2, 1.0], [1.8, 1.0], [1.0, 0.2], [1.0, 1.8]], np.float32)
    assert rows_inside(eight, positions).tolist() == [0, 1]
    angle = np.linspace(0, 3.5 * np.pi, 80)  # once around, and three quarters more, drawn over the first
    radius = np.where(angle < 2 * np.pi, 1.0, 0.8)
    twice = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    assert rows_inside(twice, np.array([[0, 0], [0.3, -0.3], [0.5, 0.5], [2, 2]], np.float32)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("polygon", [np.empty((0, 2)), [[0, 0]], [[0, 0], [1, 1]], [[0, 0], [1, 1], [2, 2]]])
def test_a_lasso_without_area_holds_nothing(polygon: NDArray[np.float64]) -> None:
    assert rows_inside(polygon, np.zeros((4, 2), np.float32)).tolist() == []


# ------------------------------------------------------------------ camera


cameras = st.builds(Camera, st.floats(-50, 50), st.floats(-50, 50), st.floats(0.01, 500))


@given(cameras, st.floats(0, 640), st.floats(0, 480), st.floats(0.1, 20))
def test_zooming_keeps_what_lies_under_the_pointer(camera: Camera, x: float, y: float, factor: float) -> None:
    size = (640.0, 480.0)
    before = camera.to_map(np.array([(x, y)]), size)
    after = camera.zoomed(factor, (x, y), size).to_map(np.array([(x, y)]), size)
    assert np.allclose(before, after, atol=1e-6 * (1 + np.abs(before).max() + 640 / camera.scale))


@given(cameras, st.floats(-100, 100), st.floats(-100, 100))
def test_panning_takes_the_map_along(camera: Camera, dx: float, dy: float) -> None:
    point = np.array([[3.0, -7.0]])
    moved_by = camera.panned(dx, dy).to_screen(point, (640, 480)) - camera.to_screen(point, (640, 480))
    assert np.allclose(moved_by, [[dx, dy]], atol=1e-6)


def home(positions: NDArray[np.float32], size: tuple[float, float]) -> Camera:
    return fit(*arrange(positions, red(len(positions))).corners, size)


@pytest.mark.parametrize(
    "positions",
    [np.zeros((1, 2)), np.zeros((5, 2)), np.array([[0, 0], [9, 0]]), np.array([[np.nan, 0], [1, 2]]), crowd(500)],
)
def test_a_fitted_camera_shows_all_dots(positions: NDArray[np.float64]) -> None:
    size = (350.0, 220.0)
    camera = home(positions.astype(np.float32), size)
    assert np.isfinite(camera.scale) and camera.scale > 0
    pixels = camera.to_screen(positions[np.isfinite(positions).all(axis=1)], size)
    assert (pixels >= 10).all() and (pixels <= np.array(size) - 10).all()


def test_dots_set_off_from_the_pixels_where_they_are() -> None:
    old_positions, new_positions = crowd(100, 1), crowd(100, 2) * np.float32(0.1)
    old_positions[7] = np.nan
    size = (300.0, 200.0)
    before, after = home(old_positions, size), home(new_positions, size)
    way = glide(arrange(old_positions, red(100)), before, arrange(new_positions, red(100)), after, size)
    dots = way.at(0.0)
    seen = after.to_screen(np.stack([dots.x, dots.y], axis=1), size)
    expected = before.to_screen(old_positions, size)[dots.rows]
    expected[dots.rows == 7] = after.to_screen(new_positions[7:8], size)
    assert np.abs(seen - expected).max() < 0.01
    dots = way.at(1.0)
    assert np.array_equal(np.stack([dots.x, dots.y], axis=1), new_positions[dots.rows])
    assert glide(dots, after, dots, after, size).longest < 0.01


def test_moved_dots_keep_their_looks() -> None:
    dots = arrange(crowd(50), red(50))
    other = moved(dots, crowd(50, 3))
    assert other.colors is dots.colors
    assert np.array_equal(np.stack([other.x, other.y], axis=1), crowd(50, 3)[other.rows])

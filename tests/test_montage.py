"""The montage, without a screen: where tiles stand, what their pixels are, what is written below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.montage import (
    FRAME,
    GUTTER,
    LABEL,
    PER_PAGE,
    TILE,
    Filled,
    Montage,
    arrange,
    arrange_page,
    captions,
    fill,
    grid_for,
    typical_first,
    whole_page,
)
from napari_micromap.montage.tiles import gray_if_pale, gray_window, read_tile, tile_of, to_8bit
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

Pixels = NDArray[np.generic]


def striped(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A picture that is like no other, also when it is shrunk."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 9)).astype(np.uint8)
    return np.kron(coarse, np.ones((height // 9 + 1, width // 9 + 1), np.uint8))[:height, :width]


def atlas_of(folder: Path, pictures: dict[str, Pixels]) -> Atlas:
    for name, pixels in pictures.items():
        rgb = pixels.ndim == 3
        tifffile.imwrite(folder / f"{name}.tif", pixels, photometric="rgb" if rgb else "minisblack")
    return finish(Folder(folder)())


def page_of(atlas: Atlas, rows: NDArray[np.intp]) -> Filled:
    """Read the first page of some rows from their files."""
    page = finish(arrange_page(atlas, rows, 0, 1.5)).arrangement
    return finish(fill(atlas, page, whole_page(page)))


def montage_of(atlas: Atlas, zoom: float | None = None, **looks: object) -> Montage:
    """Make a page that is seen at a zoom; at that of its finest picture if left out."""
    filled = page_of(atlas, np.arange(len(atlas)))
    grid = grid_for(filled.arrangement, zoom or float(filled.arrangement.own.max()))
    return Montage(filled.arrangement, grid, filled.tiles, **looks)  # type: ignore[arg-type]


def seen(montage: Montage, tile: int, level: int | None = None) -> tuple[Pixels, tuple[float, float, float, float]]:
    """Cut the pixels of a level that lie within a tile, and say which part of the tile they cover, from 0 to 1."""
    level = montage.grid.exact if level is None else level
    first, start, down, across = montage.grid.places(level)
    top, left, height, width = montage.arrangement.boxes[tile]
    y0, y1 = int(np.ceil((top - first) / down - 1e-6)), int((top + height - first) / down + 1e-6)
    x0, x1 = int(np.ceil((left - start) / across - 1e-6)), int((left + width - start) / across + 1e-6)
    part = np.array(
        [first + y0 * down - top, first + y1 * down - top, start + x0 * across - left, start + x1 * across - left]
    )
    return np.asarray(montage.levels[level][y0:y1, x0:x1]), tuple(part / [height, height, width, width])


def area_means(picture: Pixels, part: tuple[float, float, float, float], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the exact mean of the area that each pixel covers of a part (0 to 1) of a picture."""
    sums = np.zeros((picture.shape[0] + 1, picture.shape[1] + 1))
    sums[1:, 1:] = picture.astype(float).cumsum(0).cumsum(1)
    ys = np.clip(np.linspace(part[0], part[1], shape[0] + 1), 0, 1) * picture.shape[0]
    xs = np.clip(np.linspace(part[2], part[3], shape[1] + 1), 0, 1) * picture.shape[1]
    y, x = (np.minimum(places.astype(int), side - 1) for places, side in zip((ys, xs), picture.shape))
    fy, fx = (ys - y)[:, None], (xs - x)[None]
    at = sums[y][:, x] * (1 - fy) * (1 - fx) + sums[y + 1][:, x] * fy * (1 - fx)
    at += sums[y][:, x + 1] * (1 - fy) * fx + sums[y + 1][:, x + 1] * fy * fx
    return at[1:, 1:] - at[:-1, 1:] - at[1:, :-1] + at[:-1, :-1]


def alike(one: Pixels, other: Pixels) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


# ---------------------------------------------------------------------------- where tiles stand


@given(
    sizes=st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), min_size=1, max_size=PER_PAGE),
    aspect=st.floats(0.3, 4),
)
@settings(max_examples=60)
def test_tiles_keep_their_aspect_ratio_and_never_touch(sizes: list[tuple[int, int]], aspect: float) -> None:
    page = arrange(np.arange(len(sizes)), np.array(sizes), aspect)
    top, left, height, width = page.boxes.T
    own = np.array(sizes, float)
    assert np.allclose(height / width, own[:, 0] / own[:, 1])
    assert np.all(width <= TILE + 1e-9)
    room = np.stack([top - FRAME, left - FRAME, top + height + FRAME + LABEL, left + width + FRAME], axis=1)
    for one in range(len(room)):
        apart = (
            (room[:, 0] >= room[one, 2] + GUTTER - 1e-6) | (room[:, 2] + GUTTER - 1e-6 <= room[one, 0])
            | (room[:, 1] >= room[one, 3] + GUTTER - 1e-6) | (room[:, 3] + GUTTER - 1e-6 <= room[one, 1])
        )  # fmt: skip
        assert np.all(np.delete(apart, one))
    assert room[:, 0].min() >= 0
    assert room[:, 2].max() <= page.height
    assert room[:, 3].max() <= page.width + 1e-6


def test_usual_tiles_are_192_wide() -> None:
    page = arrange(np.arange(3), np.array([[484, 645], [1024, 1280], [300, 1000]]))
    assert np.allclose(page.boxes[:, 3], 192)


def test_a_wide_view_gets_more_tiles_a_line() -> None:
    sizes = np.full((20, 2), 100)
    columns = [len(np.unique(arrange(np.arange(20), sizes, aspect).boxes[:, 1])) for aspect in (0.25, 1.0, 4.0)]
    assert columns[0] < columns[1] < columns[2]


def test_what_lies_under_a_point_is_the_tile_there() -> None:
    page = arrange(np.array([7, 3, 9]), np.array([[100, 100], [50, 100], [200, 100]]))
    for tile, (top, left, height, width) in enumerate(page.boxes):
        assert page.tile_at(top + height / 2, left + width / 2) == tile
        assert page.tile_at(top + height + FRAME + LABEL / 2, left) == tile, "the label belongs to it"
        assert page.tile_of(int(page.rows[tile])) == tile
    assert page.tile_at(-5, -5) is None
    assert page.tile_of(4) is None


def test_sizes_that_nobody_wrote_down_do_not_break_the_page() -> None:
    page = arrange(np.arange(3), np.array([[np.nan, np.nan], [0, 10], [480, 640]]))
    assert np.isfinite(page.boxes).all()


def test_one_level_has_the_pixels_of_the_screen_and_others_double_up_to_the_finest_picture() -> None:
    page = arrange(np.arange(12), np.full((12, 2), [1500, 2000]))
    zoom, corner = 1.37, (-33.1, 20.7)
    grid = grid_for(page, zoom, corner)
    resolutions = [grid.resolution(level) for level in range(len(grid.shapes))]
    assert resolutions[grid.exact] == pytest.approx(zoom)
    assert resolutions[: grid.exact + 1] == pytest.approx([zoom * 2**k for k in range(grid.exact, -1, -1)])
    assert resolutions[0] >= 2000 / 192 > resolutions[1]
    top, left, height, width = grid.places(grid.exact)
    off = (corner[0] - top) / height, (corner[1] - left) / width
    assert off == pytest.approx([round(part) for part in off], abs=1e-6), "edges lie on edges of screen pixels"
    assert grid.fits(zoom, corner)
    assert grid.fits(zoom, (corner[0] + 7 / zoom, corner[1])), "panned by whole pixels"
    assert not grid.fits(zoom, (corner[0] + 0.4 / zoom, corner[1]))
    assert not grid.fits(1.1 * zoom, corner)


@pytest.mark.parametrize("zoom", [0.05, 0.7, 3.0, 90.0])
def test_the_coarsest_level_stays_small_at_any_zoom(zoom: float) -> None:
    page = arrange(np.arange(100), np.full((100, 2), [3000, 4000]))
    assert max(grid_for(page, zoom).shapes[-1]) < 4000


def test_a_page_is_kept_as_finely_as_one_picture_of_8192_allows() -> None:
    page = arrange(np.arange(100), np.full((100, 2), [3000, 4000]))
    assert max(page.height, page.width) * page.kept == pytest.approx(8192)


def test_the_most_typical_come_first() -> None:
    features = np.array([[0, 9], [0, 1], [5, 5], [0, 0], [0, 2]], np.float32)
    rows = np.array([0, 1, 3, 4])
    assert typical_first(rows, features).tolist() == [4, 1, 3, 0]


def test_without_features_rows_stay_in_their_order() -> None:
    assert typical_first(np.array([2, 5, 9]), None).tolist() == [2, 5, 9]


# ---------------------------------------------------------------------------- pixels


def test_at_its_own_resolution_a_tile_is_its_picture_pixel_by_pixel(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 384)).astype(np.uint8)  # two pixels a scene unit
    montage = montage_of(atlas_of(tmp_path, {"a": picture}))
    shown, part = seen(montage, 0)
    assert part == pytest.approx((0, 1, 0, 1), abs=1e-9)
    assert np.array_equal(shown, to_8bit(picture, *gray_window(picture)))


@pytest.mark.parametrize("zoom", [0.4, 0.655, 1.18, 1.61, 3.0])
def test_at_any_zoom_a_tile_is_the_mean_of_the_area_that_each_screen_pixel_covers(real_data: Path, zoom: float) -> None:
    atlas = finish(Folder(real_data / "uhcs")())
    filled = page_of(atlas, np.arange(0, 43, 5))
    montage = Montage(filled.arrangement, grid_for(filled.arrangement, zoom, (3.3, -7.7)), filled.tiles)
    for tile, row in enumerate(filled.arrangement.rows.tolist()):
        specimen = atlas[row].specimen()
        shown, part = seen(montage, tile)
        means = area_means(to_8bit(specimen, *gray_window(specimen)), part, shown.shape)
        assert alike(shown, means) > 0.975, atlas[row].name


def test_every_level_shows_every_picture_where_it_belongs(tmp_path: Path) -> None:
    pictures = {f"m{i}": striped(200 + 40 * i, 300, seed=i) for i in range(6)}
    atlas = atlas_of(tmp_path, pictures)
    montage = montage_of(atlas, zoom=1.13)
    for level in range(len(montage.levels)):
        for tile, row in enumerate(montage.arrangement.rows.tolist()):
            shown, part = seen(montage, tile, level)
            name = atlas.columns["file"].iat[row].removesuffix(".tif")
            assert alike(shown, area_means(pictures[name], part, shown.shape)) > 0.98


@given(data=st.data())
@settings(max_examples=40)
def test_any_part_of_a_level_is_the_same_as_that_part_of_the_whole(data: st.DataObject) -> None:
    sizes = np.array([[90, 100], [30, 100], [150, 100], [90, 300], [77, 33]])
    page = arrange(np.arange(5), sizes)
    tiles = {t: tile_of(striped(*sizes[t], seed=t), *sizes[t]) for t in (0, 1, 3, 4)}
    montage = Montage(page, grid_for(page, data.draw(st.floats(0.2, 5)), (0.3, 0.7)), tiles)
    level = data.draw(st.integers(0, len(montage.levels) - 1))
    height, width = montage.grid.shapes[level]
    top, bottom = sorted(data.draw(st.lists(st.integers(0, height), min_size=2, max_size=2, unique=True)))
    left, right = sorted(data.draw(st.lists(st.integers(0, width), min_size=2, max_size=2, unique=True)))
    whole = montage.region(level, 0, height, 0, width).astype(int)
    part = montage.levels[level][top:bottom, left:right]
    assert np.abs(part - whole[top:bottom, left:right]).max() <= 1


def test_a_region_outside_is_never_empty() -> None:
    page = arrange(np.arange(2), np.full((2, 2), [900, 1200]))
    montage = Montage(page, grid_for(page, 1.0))
    assert np.asarray(montage.levels[0][99_000:99_900, 5:5]).size > 0, "viewers ask for where a larger page was"


@pytest.mark.parametrize(
    "convert",
    [
        lambda p: p.astype(np.uint16) * 257,
        lambda p: p.astype(np.uint16) + 30_000,
        lambda p: p.astype(np.float32) / 1e4 - 3,
        lambda p: np.where(np.arange(p.size).reshape(p.shape) < 900, np.nan, p.astype(np.float64)),
        lambda p: p.astype(np.int16) - 128,
    ],
    ids=["16 bits", "narrow 16 bits", "float", "holes", "signed"],
)
def test_any_number_format_uses_the_full_range_of_gray(tmp_path: Path, convert: Callable[[Pixels], Pixels]) -> None:
    picture = striped(200, 260)
    atlas = atlas_of(tmp_path, {"a": convert(picture)})
    shown, part = seen(montage_of(atlas), 0)
    assert shown.min() == 0
    assert shown.max() == 255
    assert alike(shown, area_means(picture, part, shown.shape)) > 0.97


def test_contrast_is_each_pictures_own_unless_it_is_shared(tmp_path: Path) -> None:
    dark = striped(200, 200) // 4
    atlas = atlas_of(tmp_path, {"dark": dark, "light": dark + 190})
    own, shared = montage_of(atlas), montage_of(atlas, shared_contrast=True)

    def mean(montage: Montage, row: int) -> float:
        tile = montage.arrangement.tile_of(row)
        assert tile is not None
        return float(seen(montage, tile)[0].mean())

    assert abs(mean(own, 0) - mean(own, 1)) < 2
    assert mean(shared, 1) - mean(shared, 0) > 150


def test_color_shows_in_a_colored_montage_and_gray_stays_gray_there(tmp_path: Path) -> None:
    red = np.zeros((120, 160, 3), np.uint8)
    red[:, ::2, 0] = 255
    atlas = atlas_of(tmp_path, {"gray": striped(120, 160), "red": red})
    montage = montage_of(atlas, colored=True)
    assert all(level.shape[2] == 3 for level in montage.levels)
    for row, colored in ((0, False), (1, True)):
        shown = seen(montage, row)[0].astype(int)
        assert (np.ptp(shown, axis=-1).max() > 50) == colored


def test_lossy_tints_are_no_color() -> None:
    rng = np.random.default_rng(0)
    gray = striped(100, 100).astype(int)[..., None]
    tinted = np.clip(gray + rng.integers(-6, 7, (100, 100, 3)), 0, 255).astype(np.uint8)
    assert gray_if_pale(tinted).ndim == 2
    colored = tinted.copy()
    colored[:40, :40, 0] = 255
    colored[:40, :40, 1:] = 0
    assert gray_if_pale(colored).ndim == 3


def test_the_ground_is_that_of_the_canvas() -> None:
    page = arrange(np.arange(1), np.array([[100, 100]]))
    for ground in (0, 255):
        assert Montage(page, grid_for(page, 1.0), ground=(ground,) * 3).levels[-1][0, 0] == ground


# ---------------------------------------------------------------------------- reading


def test_the_data_bar_is_not_in_a_tile(real_data: Path) -> None:
    atlas = finish(Folder(real_data / "uhcs")())
    page = arrange(np.array([0]), np.array([[484, 645]]))
    tile = read_tile(atlas[0], page, 0, float(page.own[0]))
    file = tifffile.imread(str(atlas.paths[0]))[:484]
    assert np.array_equal(tile.halved[0], to_8bit(file, *gray_window(file)))


def test_a_micrograph_that_cannot_be_read_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    atlas = atlas_of(tmp_path, {name: striped(60, 80, seed) for seed, name in enumerate("abc")})
    (tmp_path / "b.tif").unlink()
    filled = page_of(atlas, np.arange(3))
    assert [bool(filled.tiles[tile].trouble) for tile in range(3)] == [False, True, False]
    assert "not readable" in captions(atlas, np.array([1]), None, troubles={1: filled.tiles[1].trouble})[0]


def test_thumbnails_come_first_and_the_pictures_replace_them(tmp_path: Path) -> None:
    atlas = atlas_of(tmp_path, {name: striped(240, 320, seed) for seed, name in enumerate("ab")})

    class Kept:
        def key_of(self, micrograph: object) -> str:
            return str(getattr(micrograph, "id", ""))

        def get(self, key: str) -> NDArray[np.uint8] | None:
            return np.full((12, 16), 9, np.uint8) if key == str(atlas.ids[0]) else None

    first = finish(arrange_page(atlas, np.arange(2), 0, 1.5, Kept()))
    assert list(first.tiles) == [0]
    assert first.tiles[0].preview
    page = first.arrangement
    montage = Montage(page, grid_for(page, 1.0), first.tiles)
    assert montage.unread() == [(0, page.own[0]), (1, page.own[1])]
    montage.put(finish(fill(atlas, page, montage.unread())).tiles)
    assert not montage.unread()
    assert not montage.tiles[0].preview


def test_only_tiles_in_sight_that_can_be_finer_are_wanted() -> None:
    sizes = np.array([[3000, 4000], [3000, 4000], [75, 100]])
    page = arrange(np.arange(3), sizes, aspect=9.0)
    montage = Montage(page, grid_for(page, 1.0), {t: tile_of(striped(75, 100, t), 75, 100) for t in range(3)})
    top, left = page.boxes[0, :2]
    assert montage.lacking((top, top + 9, left, left + 9), 5.0) == [(0, 5.0)]
    everything = (0.0, page.height, 0.0, page.width)
    assert [tile for tile, _ in montage.lacking(everything, 5.0)] == [0, 1], "the small one has no more to give"
    assert montage.lacking(everything, 0.5) == []


def test_pixels_for_a_closer_look_are_forgotten_once_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_micromap.montage.composing._MOST_FINE_BYTES", 3_000_000)
    page = arrange(np.arange(60), np.full((60, 2), [1500, 2000]))
    montage = Montage(page, grid_for(page, 1.0), {t: tile_of(striped(1500, 2000, t), 1500, 2000) for t in (0, 1)})
    montage.forget_fine(np.array([1]))
    assert [montage.tiles[tile].width for tile in (0, 1)] == [500, 2000]


def test_pages_of_a_hundred(tmp_path: Path) -> None:
    atlas = atlas_of(tmp_path, {"a": striped(9, 12)})
    many = Atlas(
        columns=pd.concat([atlas.columns] * 230, ignore_index=True),
        ids=np.array([f"{i}" for i in range(230)]),
        paths=np.repeat(atlas.paths, 230),
        pages=np.repeat(atlas.pages, 230),
    )
    pages = [finish(arrange_page(many, np.arange(230), page, 1.5)).arrangement for page in (0, 2, 99)]
    assert [len(page) for page in pages] == [100, 30, 30]
    assert {(page.pages, page.total) for page in pages} == {(3, 230)}
    assert np.concatenate([pages[0].rows, pages[1].rows]).tolist() == [*range(100), *range(200, 230)]


# ---------------------------------------------------------------------------- captions


@pytest.fixture
def named(tmp_path: Path) -> Atlas:
    atlas = atlas_of(tmp_path, {"a": striped(20, 20), "b": striped(20, 20, 1), "c": striped(20, 20, 2)})
    columns = atlas.columns.assign(
        film=["F012", "F013", None], Jc=[2.1, 0.53, np.nan], state=["as grown", "annealed and then oxidized", "x"]
    ).rename(columns={"Jc": "Jc(77 K, self-field) (MA/cm²)"})
    return replace(atlas, columns=columns, roles=MappingProxyType({"film": "sample"}))


def test_a_caption_says_sample_and_value_with_its_unit(named: Atlas) -> None:
    rows = np.arange(3)
    assert captions(named, rows, "Jc(77 K, self-field) (MA/cm²)") == ["F012 · 2.1 MA/cm²", "F013 · 0.53 MA/cm²", "c"]
    assert captions(named, rows, None) == ["F012", "F013", "c"]
    assert captions(named, rows, "film") == ["a · F012", "b · F013", "c"]


def test_a_made_up_value_says_so(named: Atlas) -> None:
    made_up = replace(named, synthetic=("Jc(77 K, self-field) (MA/cm²)",))
    text = captions(made_up, np.array([0]), "Jc(77 K, self-field) (MA/cm²)")[0]
    assert text == "F012 · 2.1 MA/cm² · synthetic"


def test_long_names_and_values_are_cut_in_the_middle(named: Atlas) -> None:
    columns = named.columns.assign(film="oil_quenched_860c_2h_and_tempered_twice")
    long = replace(named, columns=columns)
    text = captions(long, np.array([1]), "state")[0]
    assert len(text) <= 29
    assert text.count("…") == 2


def test_an_edited_layer_says_changed_since(named: Atlas) -> None:
    assert captions(named, np.array([0]), None, stale={str(named.ids[0])}) == ["F012 · changed since"]

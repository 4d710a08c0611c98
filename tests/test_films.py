"""The sample data: made-up films, their pictures and their Jc."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.microscopy.files import open_picture
from napari_micromap.problems import Problem
from napari_micromap.sources import SOURCES
from napari_micromap.sources.films import PROPERTY, Films, render
from napari_micromap.sources.films.files import BAR_ROWS, HEIGHT, UM_PER_PX, WIDTH
from napari_micromap.sources.films.recipes import MISSING_SHARE, critical_current, make_films
from napari_micromap.sources.films.surface import Film
from napari_micromap.work import finish

USUAL = Film(porosity=0.05, needles=0.08, grain_um=0.36, pore_um=0.25, outgrowths_per_um2=0.08, angle=10)


@pytest.fixture
def few(tmp_path: Path) -> Films:
    return Films(films=3, images=2, folder=tmp_path / "films")


@pytest.fixture
def atlas(few: Films) -> Atlas:
    return finish(few())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_collection_has_all_columns_roles_and_says_what_is_made_up(atlas: Atlas, few: Films) -> None:
    assert len(atlas) == 6
    assert list(atlas.columns)[: len(OWN_COLUMNS)] == list(OWN_COLUMNS)
    assert atlas.sample_column == "film"
    assert atlas.samples.nunique() == 3
    assert atlas.roles[PROPERTY] == "property"
    assert PROPERTY in atlas.synthetic
    assert (few.folder / "films.csv").read_text("utf-8-sig").splitlines()[0].startswith(f"film,{PROPERTY},")
    assert "made up" in (few.folder / "README.txt").read_text()
    assert SOURCES.name_of(few) == "films"


def test_pictures_are_what_the_columns_say(atlas: Atlas) -> None:
    for micrograph, path in zip(atlas, atlas.paths):
        with open_picture(Path(path)) as file:
            pixels = file.pixels(0)
        assert pixels.dtype == np.uint16
        assert pixels.shape == (HEIGHT + BAR_ROWS, WIDTH)
        assert micrograph.bar_rows == BAR_ROWS
        assert (pixels[HEIGHT:] == 0).mean() > 0.7
        assert (pixels[:HEIGHT] == 0).mean() < 0.05
        with tifffile.TiffFile(path) as tiff:
            assert f'PhysicalSizeX="{UM_PER_PX}"' in tiff.ome_metadata
            assert "Synthetic" in tiff.ome_metadata


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others(few: Films, tmp_path: Path) -> None:
    finish(few())
    finish(replace(few, folder=tmp_path / "again")())
    finish(replace(few, folder=tmp_path / "other", seed=1)())
    first, again, other = (contents(tmp_path / name) for name in ("films", "again", "other"))
    assert first == again
    pictures = [name for name in first if name.endswith(".tif")]
    assert all(first[name] != other[name] for name in pictures)


def test_what_is_there_is_used_again_and_what_is_damaged_is_drawn_anew(few: Films, atlas: Atlas) -> None:
    before = contents(few.folder)
    times = {path.name: path.stat().st_mtime_ns for path in few.folder.iterdir()}
    damaged, gone = few.folder / "F002_10kx_SE_01.tif", few.folder / "F003_10kx_SE_02.tif"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    gone.unlink()
    again = finish(few())
    assert contents(few.folder) == before
    assert again.ids.tolist() == atlas.ids.tolist()
    drawn = {path.name for path in few.folder.iterdir() if path.stat().st_mtime_ns != times[path.name]}
    assert drawn == {damaged.name, gone.name}


def test_work_that_was_stopped_goes_on(few: Films) -> None:
    work = few()
    next(work)
    work.close()
    assert not list(few.folder.glob("*.part"))
    assert len(finish(few())) == 6


def test_progress_counts_the_pictures(few: Films) -> None:
    steps = list(few())
    assert [(step.done, step.total) for step in steps] == [(index + 1, 6) for index in range(6)]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "F001_10kx_SE_01.tif"
    mine.write_bytes(b"my own picture")
    with pytest.raises(Problem, match="choose an empty folder"):
        finish(Films(films=1, images=1, folder=tmp_path)())
    assert mine.read_bytes() == b"my own picture"


def test_a_folder_with_other_films_is_left_alone(few: Films, atlas: Atlas) -> None:
    before = contents(few.folder)
    with pytest.raises(Problem, match="other films"):
        finish(replace(few, seed=5)())
    assert contents(few.folder) == before


@pytest.mark.parametrize("wrong", [{"films": 0}, {"images": 0}, {"seed": -1}, {"films": 1000}])
def test_numbers_that_make_no_set_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(Problem, match="Choose"):
        finish(Films(**wrong)())


def test_without_a_folder_the_films_lie_in_the_cache(own_cache: Path) -> None:
    atlas = finish(Films(films=1, images=1)())
    assert Path(atlas.paths[0]).is_relative_to(own_cache)


def test_the_masks_cover_what_the_film_says_and_do_not_overlap() -> None:
    for porosity, needles in ((0.0, 0.0), (0.02, 0.20), (0.18, 0.03)):
        film = replace(USUAL, porosity=porosity, needles=needles)
        _, surface = render(film, np.random.default_rng(1))
        assert surface.pores.mean() == pytest.approx(porosity, abs=1e-4)
        # Outgrowths stand on some of the needles; the last needle may reach beyond.
        assert surface.needles.mean() == pytest.approx(needles, abs=0.02)
        assert not (surface.pores & surface.needles).any()
        assert not (surface.outgrowths & (surface.needles | surface.pores)).any()


def test_pores_are_dark_and_needles_and_outgrowths_bright() -> None:
    for seed in range(4):
        picture, surface = render(USUAL, np.random.default_rng(seed))
        matrix = ~(surface.pores | surface.needles | surface.outgrowths)
        gray = {name: np.median(picture[mask]) for name, mask in (("matrix", matrix), ("pores", surface.pores))}
        spread = picture[matrix].std()
        assert gray["pores"] < gray["matrix"] - spread
        assert np.median(picture[surface.needles]) > gray["matrix"] + 0.5 * spread
        assert np.median(picture[surface.outgrowths]) > gray["matrix"] + spread


def test_coarser_grains_give_coarser_pictures() -> None:
    def fineness(grain_um: float) -> float:
        bare = replace(USUAL, porosity=0, needles=0, outgrowths_per_um2=0, grain_um=grain_um)
        _, surface = render(bare, np.random.default_rng(2))
        smooth = surface.height - surface.height.mean()
        return float(np.abs(np.diff(smooth, axis=1)).mean() / smooth.std())

    assert fineness(0.25) > fineness(0.4) > fineness(0.7)


def test_jc_falls_with_pores_and_with_needles() -> None:
    measured = [made for made in make_films(300, seed=0) if made.jc == made.jc]
    jc = np.array([made.jc for made in measured])
    blocked = np.array([made.film.porosity / 0.11 + made.film.needles / 0.16 for made in measured])
    assert np.corrcoef(np.log(jc), -blocked)[0, 1] > 0.95
    at_chance = np.random.default_rng
    assert critical_current(replace(USUAL, porosity=0.15), at_chance(0)) < critical_current(USUAL, at_chance(0))
    assert critical_current(replace(USUAL, needles=0.25), at_chance(0)) < critical_current(USUAL, at_chance(0))


def test_cold_anneals_give_needles_and_hot_ones_pores() -> None:
    made = make_films(400, seed=3)
    temperature = np.array([film.temperature for film in made])
    for share, sign in (([film.film.needles for film in made], -1), ([film.film.porosity for film in made], 1)):
        assert sign * np.corrcoef(temperature, np.log(share))[0, 1] > 0.3


@pytest.mark.parametrize("seed", range(3))
def test_about_a_tenth_of_the_films_has_no_jc(seed: int) -> None:
    missing = sum(np.isnan(made.jc) for made in make_films(36, seed))
    assert missing == round(MISSING_SHARE * 36)


def test_the_first_films_are_the_same_however_many_there_are() -> None:
    assert [made.film for made in make_films(5, 0)] == [made.film for made in make_films(50, 0)][:5]

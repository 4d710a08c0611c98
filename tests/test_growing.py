"""New micrographs join; the old ones stay where they are, to the last bit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.growing import Growth, grow, joined, made_by, taken
from napari_micromap.layouts.aligning import turned_like
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

ONE_VIEW = Recipe(views=1)


def write(folder: Path, names: str, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for name in names:
        grain = 2 ** (1 + ord(name) % 4)
        picture = np.kron(rng.integers(0, 255, (64 // grain, 64 // grain)), np.ones((grain, grain))).astype(np.uint8)
        tifffile.imwrite(folder / f"{name}.tif", picture)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Atlas, pipeline.Workshop]:
    folder = tmp_path_factory.mktemp("films")
    write(folder, "bdfhj")
    workshop = pipeline.Workshop(tmp_path_factory.mktemp("cache"))
    atlas = finish(pipeline.gather(Folder(folder)))
    atlas = finish(pipeline.embed(atlas, None, ONE_VIEW, workshop, "cpu"))
    atlas, _ = finish(pipeline.lay_out(atlas, Pca(), workshop))
    return folder, atlas, workshop


def grown(mapped: tuple[Path, Atlas, pipeline.Workshop], folder: Path) -> Growth:
    return finish(grow(mapped[1], Folder(folder), mapped[2], "cpu"))


def test_only_new_pictures_are_embedded_and_nothing_old_moves(
    mapped: tuple[Path, Atlas, pipeline.Workshop], tmp_path: Path
) -> None:
    shutil.copytree(mapped[0], tmp_path / "films")
    write(tmp_path / "films", "ace", seed=1)
    steps = []
    growth = finish(grow(mapped[1], Folder(tmp_path / "films"), mapped[2], "cpu"), steps.append)
    old, both = mapped[1], growth.atlas
    assert len(both) == 8 and growth.new.tolist() == [5, 6, 7]
    assert max(step.total for step in steps if step.stage == "Embedding") == 3
    for name in ("ids", "embeddings", "features", "positions"):
        assert getattr(both, name)[:5].tobytes() == getattr(old, name).tobytes()
    assert np.isfinite(both.positions).all()
    assert both.space is old.space


def test_a_look_that_finds_nothing_new_changes_nothing(mapped: tuple[Path, Atlas, pipeline.Workshop]) -> None:
    growth = grown(mapped, mapped[0])
    assert not len(growth.new) and not growth.moved and not len(growth.gone)
    assert growth.atlas.positions is mapped[1].positions


def test_moved_and_renamed_files_are_the_same_micrographs(
    mapped: tuple[Path, Atlas, pipeline.Workshop], tmp_path: Path
) -> None:
    elsewhere = shutil.copytree(mapped[0], tmp_path / "elsewhere")
    (elsewhere / "b.tif").rename(elsewhere / "renamed.tif")
    growth = grown(mapped, elsewhere)
    assert not len(growth.new) and growth.moved == 5
    assert "renamed.tif" in growth.atlas.columns["file"].tolist()
    assert all(str(path).startswith(str(elsewhere)) for path in growth.atlas.paths)
    assert growth.atlas.positions is mapped[1].positions


def test_files_that_are_gone_are_told_and_stay_on_the_map(
    mapped: tuple[Path, Atlas, pipeline.Workshop], tmp_path: Path
) -> None:
    fewer = shutil.copytree(mapped[0], tmp_path / "fewer")
    first = grown(mapped, fewer).atlas
    (fewer / "d.tif").unlink()
    growth = finish(grow(first, Folder(fewer), mapped[2], "cpu"))
    assert [str(first.paths[row]).endswith("d.tif") for row in growth.gone] == [True]
    assert len(growth.atlas) == 5


def test_a_duplicate_lands_on_its_original(mapped: tuple[Path, Atlas, pipeline.Workshop], tmp_path: Path) -> None:
    folder = shutil.copytree(mapped[0], tmp_path / "films")
    shutil.copy(folder / "f.tif", folder / "z.tif")
    growth = grown(mapped, folder)
    original = mapped[1].columns["file"].tolist().index("f.tif")
    np.testing.assert_allclose(growth.atlas.positions[growth.new[0]], mapped[1].positions[original], atol=1e-4)


def test_taking_apart_and_joining_gives_the_same_collection(mapped: tuple[Path, Atlas, pipeline.Workshop]) -> None:
    atlas = mapped[1]
    again = joined(taken(atlas, np.arange(3)), taken(atlas, np.arange(3, 5)))
    assert again.ids.tolist() == atlas.ids.tolist()
    np.testing.assert_array_equal(again.embeddings, atlas.embeddings)
    for name in atlas.columns:
        assert again.columns[name].isna().tolist() == atlas.columns[name].isna().tolist()
        assert again.columns[name].dropna().tolist() == atlas.columns[name].dropna().tolist()


def test_how_a_map_was_made_is_read_back_without_executing_anything(
    mapped: tuple[Path, Atlas, pipeline.Workshop],
) -> None:
    backbone, recipe = made_by(mapped[1])
    assert type(backbone).__name__ == "EfficientNetLite0"
    assert recipe == ONE_VIEW
    evil = {**mapped[1].made_by, "recipe": "Recipe(views=__import__('os').getpid())"}
    with pytest.raises(Problem, match="anew"):
        made_by(replace(mapped[1], made_by=evil))


def test_a_new_map_is_turned_like_the_old_one() -> None:
    rng = np.random.default_rng(0)
    old = rng.standard_normal((30, 2)).astype(np.float32)
    angle = 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, -1])
    new = np.vstack([old @ turn + 7, [[1, 2]]]).astype(np.float32)
    padded = np.vstack([old, [[np.nan, np.nan]]]).astype(np.float32)
    turned = turned_like(new, padded)
    np.testing.assert_allclose(turned[:30], old, atol=1e-4)
    assert np.linalg.norm(turned[30] - turned[0]) == pytest.approx(np.linalg.norm(new[30] - new[0]), rel=1e-4)

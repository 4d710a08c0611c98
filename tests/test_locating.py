"""Where a property shows: the drawn map adds up, and follows what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.problems import Problem
from napari_micromap.questions.locating import Located, locate, mean_maps, why_not
from napari_micromap.questions.telling_apart import tell_apart
from napari_micromap.recipe import Recipe, batch_of, turned_back, views_of
from napari_micromap.sources.films import Films
from napari_micromap.statistics import StructureTest, units_of
from napari_micromap.work import finish


def test_maps_of_each_view_lie_as_the_picture_does_once_turned_back() -> None:
    picture = np.random.default_rng(0).random((8, 8)).astype(np.float32)
    batch = batch_of([picture])
    for view, seen in enumerate(views_of(batch, 8)):
        np.testing.assert_array_equal(turned_back(view, [seen])[0], batch)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Fourteen films, one picture each, embedded by the whole recipe."""
    folder = tmp_path_factory.mktemp("films")
    atlas = finish(pipeline.gather(Films(14, 1, seed=3, folder=folder)))
    workshop = pipeline.Workshop(tmp_path_factory.mktemp("cache"))
    return finish(pipeline.embed(atlas, None, Recipe(), workshop, "cpu"))


@pytest.fixture(scope="module")
def located(films: Atlas) -> tuple[Located, np.ndarray]:
    values = np.linspace(0.0, 3.0, len(films))
    units = units_of(values, films.columns["film"].to_numpy(object))
    found = finish(locate(films, range(4), units, refits=5, device="cpu"))
    assert films.embeddings is not None
    return found, found.readout.predict(films.embeddings[:, : found.readout.mean.size])


def test_the_drawn_map_averages_to_the_prediction(located: tuple[Located, np.ndarray]) -> None:
    found, predicted = located
    spread = predicted.std()
    for row, one in found.splits.items():
        assert one.share.mean() == pytest.approx(predicted[row] - one.base, abs=1e-3 * spread)
        assert one.prediction == pytest.approx(predicted[row], abs=1e-3 * spread)
        assert one.share.shape == (28, 28)


def test_the_scale_is_common_to_all_pictures(located: tuple[Located, np.ndarray]) -> None:
    shares = [np.abs(one.share).max() for one in located[0].splits.values()]
    assert 0 < located[0].strongest <= max(shares)


def test_it_is_said_why_no_place_can_be_shown(films: Atlas) -> None:
    assert "several layers" in str(why_not(films.with_embeddings(films.embeddings, {"recipe": "depths='last'"}), None))
    noise = units_of(np.random.default_rng(0).standard_normal(len(films)), films.columns["film"].to_numpy(object))
    evidence = StructureTest(499, influence=False)(np.asarray(films.embeddings)[noise.rows], noise)
    assert "chance" in str(why_not(films, evidence))


def test_two_groups_can_be_told_apart_in_places_three_cannot(films: Atlas) -> None:
    names = films.columns["film"].to_numpy(object)
    for kinds, several in ((["a", "b"] * 7, False), (["a", "b", "c"] * 5, True)):
        units = units_of(np.array(kinds[: len(films)], object), names)
        evidence = StructureTest(99, influence=False)(np.asarray(films.embeddings)[units.rows], units)
        assert ("several categories" in str(why_not(films, evidence))) is several
    pooled = films.with_embeddings(films.embeddings, {"recipe": "Recipe(depths='several', windows='pooled')"})
    assert "windows of each image" in str(why_not(pooled, None))


def test_two_groups_are_told_apart_by_film_and_places_are_shown_or_it_is_said_why_not(films: Atlas) -> None:
    far = np.asarray(films.embeddings) - np.asarray(films.embeddings).mean(axis=0)
    order = np.argsort(np.linalg.svd(far, full_matrices=False)[0][:, 0])  # as a lasso on the map would
    poor, good = ("poor", order[:7]), ("good", order[7:])
    apart = finish(tell_apart(films, poor, good))
    assert "of 7 in poor and " in apart.sentence and "tests nothing" in apart.sentence and apart.reason is None
    splits = finish(locate(films, [int(order[0]), int(order[-1])], apart.answer.units, refits=5, device="cpu")).splits
    assert splits[int(order[0])].share.mean() > 0 > splits[int(order[-1])].share.mean()  # red as in the first
    mixed = finish(tell_apart(films, ("one", order[::2]), ("other", order[1::2])))
    assert "no better than chance" in str(mixed.reason) and "tests nothing" not in mixed.sentence
    few = finish(tell_apart(films, ("poor", order[:3]), ("good", order[-3:])))
    assert "too few samples to say what tells them apart" in str(few.reason)
    with pytest.raises(Problem, match="All images in poor are in the other group too"):
        finish(tell_apart(films, poor, ("all", order)))
    imaged = films.columns.assign(kv=np.where(np.isin(np.arange(len(films)), order[:7]), 5.0, 20.0))
    doubted = finish(tell_apart(films.with_columns(imaged, {"kv": "imaging"}), poor, good))
    assert "How the images were taken (acceleration voltage)" in str(doubted.reason)


def test_darkening_one_quarter_changes_the_maps_of_that_quarter_most(films: Atlas, tmp_path: Path) -> None:
    network = EfficientNetLite0().load("cpu")
    specimen = films[0].specimen()
    changed = specimen.copy()
    h, w = specimen.shape
    changed[: h // 2, : w // 2] = np.median(specimen)
    before, after = (mean_maps(network, one, Recipe())[0] for one in (specimen, changed))
    moved = np.abs(after - before).mean(axis=0)
    side = moved.shape[0] // 2
    assert moved[: side - 1, : side - 1].mean() > 5 * moved[side + 2 :, side + 2 :].mean()

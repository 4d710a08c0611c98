"""The fine print of tests by sample: ties of columns, few samples, dates, what may be called certain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_micromap.atlas import Atlas
from napari_micromap.questions.inquiry import ask
from napari_micromap.session import Session
from napari_micromap.statistics import NuisanceColumn, StructureTest, nuisance_of, units_of
from napari_micromap.statistics.confounders import Suspect
from napari_micromap.statistics.regions import RegionScan
from napari_micromap.statistics.where import Readout, readout_of, split
from napari_micromap.work import finish

JC = "Jc (MA/cm²)"
NAMES = np.array([f"F{i:03d}" for i in range(24)])


def test_what_is_no_number_or_not_finite_was_not_measured() -> None:
    units = units_of([1.0, pd.NA, float("inf"), 2.0], ["a", "b", "c", "d"])
    assert units.samples == ("a", "d") and units.categories == ()


@pytest.mark.parametrize("settings", [2, 3])
def test_a_number_of_few_settings_takes_as_many_degrees_of_freedom_as_the_same_settings_by_name(settings: int) -> None:
    rng = np.random.default_rng(settings)
    units = units_of(rng.standard_normal(24), NAMES)
    size = np.array([0.0213, 0.0427, 0.117])[np.arange(24) % settings]
    by_number = nuisance_of(units, [NuisanceColumn("um_per_px", size, logarithmic=True)])
    by_name = nuisance_of(units, [NuisanceColumn("um_per_px", size.astype(str).astype(object))])
    assert by_number.rank == by_name.rank == settings
    np.testing.assert_allclose(by_number.residual_maker, by_name.residual_maker, atol=1e-9)
    embeddings = rng.standard_normal((24, 10))
    removed = [one.remove_from_embeddings(embeddings, units.weights) for one in (by_number, by_name)]
    np.testing.assert_allclose(removed[0], removed[1], atol=1e-9)


def test_eight_samples_with_a_strong_link_do_not_rest_on_one_because_seven_are_too_few() -> None:
    rng = np.random.default_rng(3)
    value = np.linspace(-1, 1, 8)
    embeddings = value[:, None] * rng.standard_normal(30) + 0.02 * rng.standard_normal((8, 30))
    evidence = StructureTest(permutations=999)(embeddings, units_of(value, NAMES[:8]))
    assert evidence.p is not None and evidence.p <= 0.01
    assert evidence.rests_on == ()


def test_a_scan_of_values_that_can_be_dealt_out_in_few_ways_gives_no_p() -> None:
    rng = np.random.default_rng(0)
    value = np.r_[np.ones(2), np.zeros(22)]  # 276 ways
    scan = RegionScan(permutations=99)(rng.standard_normal((24, 2)), units_of(value, NAMES))
    chosen = np.arange(24) < 8
    assert scan.best is None and scan.lasso(chosen).p is None


def test_a_pixel_size_that_goes_along_and_could_not_be_asked_about_is_told(linked_atlas: Atlas) -> None:
    jc = linked_atlas.columns[JC].astype(float)
    few = np.flatnonzero(linked_atlas.samples.isin(sorted(set(linked_atlas.samples))[:11])).astype(np.intp)
    sizes = np.where(jc < jc.iloc[few].median(), 0.05, 0.01)
    atlas = linked_atlas.with_columns(linked_atlas.columns.assign(um_per_px=sizes), {"um_per_px": "imaging"})
    verdict = finish(ask(atlas, JC, scope=few, batch="")).verdict
    assert verdict.kind == "real" and "pixel size goes along with Jc, too" in verdict.sentence


def test_a_column_that_the_map_could_not_be_asked_about_is_not_called_innocent() -> None:
    assert not Suspect("detector", map_p=None, property_p=0.01).cleared
    assert Suspect("detector", map_p=None, property_p=0.5).cleared
    assert Suspect("detector", map_p=0.5, property_p=0.01).cleared
    assert not Suspect("detector", map_p=0.01, property_p=0.01).cleared


def test_a_sign_that_most_refits_contradict_is_not_certain() -> None:
    maps = np.ones((1, 2, 2), np.float32)
    against = Readout(np.array([[1.0], *[[-1.0]] * 9]), np.zeros(1), 0.0)
    assert (split([maps], against).certain == 0).all()


def test_days_of_imaging_and_a_cropped_bar_are_asked_about(linked_atlas: Atlas) -> None:
    rows = np.arange(len(linked_atlas))
    sample = pd.factorize(linked_atlas.columns[linked_atlas.sample_column])[0]
    dates = [f"2026-03-{1 + s % 9:02d}T10:{r % 60:02d}:00" for r, s in zip(rows, sample)]
    columns = linked_atlas.columns.assign(date=dates, bar_rows=np.where(sample % 2 == 0, 64, 0))
    atlas = linked_atlas.with_columns(columns, {"date": "imaging"})
    asked = {s.name: s for s in finish(ask(atlas, JC, batch="", permutations=499)).suspects}
    assert {"date", "bar_rows"} <= set(asked)
    assert asked["date"].settings == () and asked["bar_rows"].settings == ()
    assert 0 < asked["date"].property_p < 1  # by the day, not each moment a kind of its own


def test_a_channel_that_was_all_but_silent_does_not_shout_in_another_picture() -> None:
    rng = np.random.default_rng(1)
    embeddings = rng.standard_normal((24, 12))
    embeddings[:, 0] = 0.0
    embeddings[5, 0] = 1e-9
    readout = readout_of(embeddings, units_of(rng.standard_normal(24), NAMES), refits=0)
    heard = np.r_[1e-4, embeddings[7, 1:]]
    assert abs(readout.predict(heard[None])[0] - readout.predict(embeddings[[7]])[0]) < 0.1


def test_lists_of_all_reshuffles_of_two_properties_are_not_taken_for_one(linked_atlas: Atlas) -> None:
    film = linked_atlas.columns["film"]
    few = {f"rated {i}": film.isin([f"F{i + 4 * j:03d}" for j in range(4)]).astype(float) for i in range(2)}
    session = Session()
    session.open_atlas(
        linked_atlas.with_columns(linked_atlas.columns.assign(**few), dict.fromkeys(few, "property")), "PCA"
    )
    for name in few:
        session.questions.test(name, batch="")
    answers = [session.questions.answers[name] for name in few]
    assert answers[0].evidence.arrangements == answers[1].evidence.arrangements == 4845
    assert [a.family_p for a in answers] == [None, None] and answers[1].tests_so_far == 2

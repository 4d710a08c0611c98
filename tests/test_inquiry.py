"""Questions about a property, from the session: what takes part, what is kept, what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_micromap.atlas import Atlas
from napari_micromap.layouts.tsne import Tsne
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import ask, askable_columns, words_for
from napari_micromap.questions.reliability import RELIABLE
from napari_micromap.session import Session
from napari_micromap.session.scope import Filter
from napari_micromap.work import finish

JC = "Jc (MA/cm²)"


@pytest.fixture
def session(linked_atlas: Atlas) -> Session:
    opened = Session()
    opened.open_atlas(linked_atlas, "PCA")
    return opened


def test_a_test_is_kept_told_and_makes_columns_to_color_by(session: Session) -> None:
    told = []
    session.questions.answered.connect(told.append)
    session.questions.test(JC)
    assert session.questions.answers[JC] is told[0] and told[0].verdict.kind == "real"
    columns = session.atlas.columns
    predicted, left = columns["Jc predicted (MA/cm²)"], columns["Jc not accounted for (MA/cm²)"]
    assert np.allclose(predicted + left, columns[JC])
    assert np.corrcoef(predicted, columns[JC])[0, 1] > 0.7
    assert session.atlas.roles["Jc predicted (MA/cm²)"] == "other"
    assert "Jc predicted (MA/cm²)" not in askable_columns(session.atlas)[:1]
    assert "file" not in askable_columns(session.atlas), "the name of a file is no property of the specimen"


def test_what_is_hidden_or_excluded_takes_no_part(session: Session) -> None:
    session.use_only(Filter("um_per_px", low=0.09, high=0.11))
    session.exclude([1], "charging")
    session.questions.test(JC)
    units = session.questions.answers[JC].units
    assert set(units.rows.tolist()) == set(session.used.tolist())
    assert 1 not in units.rows and len(units) == 19


def test_the_map_is_scanned_after_tests_that_were_taken_back_before_they_began(linked_atlas: Atlas, qtbot: Any) -> None:
    from napari_micromap.views.threads import Lanes

    lanes = Lanes()
    session = Session(run=lanes)
    session.open_atlas(linked_atlas, "PCA")
    told: list[object] = []
    session.questions.scanned.connect(told.append)
    for _ in range(3):
        session.questions.test(JC)
    session.questions.cancel()
    session.questions.scan_map(JC)
    lanes.wait_idle()
    assert told and told[-1] is session.questions.scan_of(JC) is not None
    lanes.shutdown()


def test_a_test_that_takes_the_place_of_another_says_so(linked_atlas: Atlas, qtbot: Any) -> None:
    from napari_micromap.views.threads import Lanes

    lanes = Lanes()
    session = Session(run=lanes)
    session.open_atlas(linked_atlas, "PCA")
    told: list[str] = []
    session.warned.connect(told.append)
    session.questions.test(JC)
    assert session.questions.testing == JC
    session.questions.test("um_per_px")
    lanes.wait_idle()
    assert told == [f"The test of {JC} was stopped; um_per_px is tested now."]
    assert session.questions.testing is None and list(session.questions.answers) == ["um_per_px"]
    lanes.shutdown()


def test_tests_of_the_same_samples_are_counted_and_a_repeated_one_once(session: Session) -> None:
    session.questions.test(JC)
    session.questions.test(JC)
    assert session.questions.answers[JC].tests_so_far == 1
    session.use_only(Filter("um_per_px", low=0.09, high=0.11))
    session.questions.test(JC)
    answer = session.questions.answers[JC]
    assert answer.tests_so_far == 2 and "Bonferroni" in answer.verdict.details


def test_the_batch_column_is_tested_within_unless_none_is_wished(session: Session) -> None:
    session.questions.test(JC)
    assert session.questions.answers[JC].within_batches is not None and session.questions.answers[JC].batch == "made"
    session.questions.test(JC, batch="")
    assert session.questions.answers[JC].within_batches is None and session.questions.answers[JC].new_batch is None


def test_a_scan_is_made_once_for_a_map_and_property_and_lassos_use_it(session: Session) -> None:
    session.color_by = JC
    told = []
    session.questions.scanned.connect(told.append)
    session.questions.scan_map()
    session.questions.scan_map()
    assert told[0] is told[1]
    low = np.argsort(session.atlas.columns[JC].to_numpy())[:18]
    assert "of reshuffles some region as large differs" in told[0].sentence(_mask(session, low))
    assert "needs 3 films" in told[0].sentence(_mask(session, [0, 1, 2]))


def test_the_map_is_colored_by_where_it_is_reliable(session: Session) -> None:
    session.questions.show_reliability()
    assert session.color_by == RELIABLE
    assert session.atlas.columns[RELIABLE].between(0, 1).all()


def test_questions_that_cannot_be_asked_say_what_to_do(session: Session) -> None:
    with pytest.raises(Problem, match="no column “Tc”"):
        session.questions.test("Tc")
    with pytest.raises(Problem, match="Make the map first"):
        finish(ask(session.atlas.with_embeddings(None, {}), JC))
    session.sample_column = None
    with pytest.raises(Problem, match="names the sample"):
        session.questions.test(JC)


def test_names_of_columns_are_said_as_people_say_them(session: Session) -> None:
    words = words_for("anneal_temperature_C", session.atlas)
    assert (words.quantity, words.unit, words.samples) == ("anneal temperature", "°C", "films")


def test_a_test_that_cannot_be_done_leaves_nothing_behind(session: Session) -> None:
    with pytest.raises(Problem):
        session.questions.test("Tc")
    told = []
    session.questions.scanned.connect(told.append)
    session.color_by = JC
    session.questions.scan_map()
    assert len(told) == 1 and not session.questions.answers


@pytest.mark.slow
def test_the_verdicts_of_real_sets_are_those_of_the_first_trials(real_data: Path) -> None:
    from napari_micromap.sources.folder import Folder

    kinds = {}
    for name, table, asked in (
        ("nanocomp", "samples.csv", "filler_wt_percent"),
        ("uhcs", "micrographs.csv", "anneal_temperature_C"),
        ("steel_hv", "micrographs.csv", "hardness_HV"),
        ("nasa_ebc", "micrographs.csv", "oxide_area_fraction"),
    ):
        opened = Session()
        opened.open(Folder(real_data / name))
        opened.tables.add(real_data / name / table)
        opened.embed()
        opened.questions.test(asked)
        answer = opened.questions.answers[asked]
        kinds[name] = answer.verdict.kind
        if name == "uhcs":
            assert "No evidence" in answer.verdict.sentence and answer.evidence.samples == 19
        opened.workshop.close()
    assert kinds["nanocomp"] == "too_few" and kinds["nasa_ebc"] == "per_image"
    assert kinds["uhcs"] in ("none", "nuisance") and kinds["steel_hv"] in ("one_sample", "none")


def _mask(session: Session, rows: object) -> np.ndarray:
    mask = np.zeros(len(session.atlas), bool)
    mask[np.asarray(rows)] = True
    return mask


def test_a_scan_compares_within_batches_where_the_property_goes_with_them(session: Session) -> None:
    atlas = session.atlas
    value = np.where(atlas.columns["made"] == atlas.columns["made"].iloc[0], 0.0, 9.0)
    value = value + atlas.columns[JC].to_numpy() * 1e-3
    session.open_atlas(atlas.with_columns(atlas.columns.assign(**{JC: value}), {}), "PCA")
    told = []
    session.questions.scanned.connect(told.append)
    session.questions.scan_map(JC)
    assert told[0].batch == "made"
    inside = _mask(session, np.flatnonzero(value > 5))
    answer = told[0].result.lasso(inside[told[0].units.rows])
    assert abs(answer.difference) < 1  # what batches differ by is no finding


def test_several_properties_of_the_same_samples_share_one_null(session: Session) -> None:
    atlas = session.atlas
    rng = np.random.default_rng(5)
    other = atlas.columns["film"].map({film: rng.standard_normal() for film in atlas.columns["film"].unique()})
    session.open_atlas(atlas.with_columns(atlas.columns.assign(other=other), {"other": "property"}), "PCA")
    session.questions.test(JC)
    assert session.questions.answers[JC].family_p is None
    session.questions.test("other")
    first, second = session.questions.answers[JC], session.questions.answers["other"]
    assert first.family_p is not None and second.family_p is not None
    assert first.family_p >= first.evidence.p and second.family_p >= second.evidence.p
    both = np.maximum(first.evidence.null, second.evidence.null)[1:]
    by_hand = (1 + np.sum(both >= second.evidence.null[0] - 1e-9)) / (len(both) + 1)
    assert second.family_p == pytest.approx(by_hand)


def test_the_count_of_tests_outlives_the_window(session: Session, tmp_path: Path) -> None:
    session.questions.test(JC)
    session.use_only(Filter("um_per_px", low=0.09, high=0.11))
    session.questions.test(JC)
    session.save(tmp_path / "s.micromap")
    again = Session()
    again.restore(tmp_path / "s.micromap")
    again.questions.test(JC)
    assert again.questions.answers[JC].tests_so_far == 2  # the last one once more
    again.questions.test(JC, batch="")
    assert again.questions.answers[JC].tests_so_far == 3


def test_windows_of_micrographs_without_a_sample_count_by_micrograph(session: Session) -> None:
    atlas = session.atlas
    whole = [f"whole {i // 2}" for i in range(len(atlas))]
    columns = atlas.columns.assign(micrograph=whole)
    session.open_atlas(atlas.with_columns(columns, {"micrograph": "other", "film": "other"}), "PCA")
    session.sample_column = None
    session.questions.test(JC, batch="")
    answer = session.questions.answers[JC]
    assert len(answer.units) == len(atlas) // 2 and answer.words.samples == "micrographs"


@pytest.mark.slow
def test_maps_from_other_seeds_say_where_the_map_is_reliable(session: Session) -> None:
    told = []
    session.questions.reliability_told.connect(told.append)
    session.lay_out(Tsne(seed=1), at_once=True)
    session.questions.show_reliability()
    assert "2 other random starts have" in told[0] and session.color_by == RELIABLE
    session.workshop.close()

"""Two groups are compared by sample, and what is said of it can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem
from napari_micromap.questions import counting
from napari_micromap.session import Session, groups
from napari_micromap.sources.films import PROPERTY, Films
from napari_micromap.sources.windows import Cut
from napari_micromap.statistics.groups import contrast_of
from napari_micromap.wording import counts_of
from napari_micromap.work import finish


def sides(n: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.zeros(n, bool)
    a[: n // 2] = True
    return a, ~a


def test_the_interval_is_welch_s_on_sample_means_and_the_effect_hedges_g() -> None:
    rng = np.random.default_rng(0)
    values, samples = rng.normal(size=60), np.repeat(np.arange(12), 5)
    a, b = sides(60)
    found = contrast_of(values, samples, a, b)
    means = values.reshape(12, 5).mean(axis=1)
    test = stats.ttest_ind(means[:6], means[6:], equal_var=False)
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval()))
    pooled = np.sqrt((means[:6].var(ddof=1) + means[6:].var(ddof=1)) / 2)
    assert found.effect == pytest.approx(found.difference / pooled * (1 - 3 / (4 * 10 - 1)))
    assert (found.samples_a, found.samples_b) == (6, 6)


def test_more_images_of_the_same_samples_make_no_difference_surer() -> None:
    rng = np.random.default_rng(1)
    values, samples = rng.normal(size=12), np.repeat(np.arange(6), 2)
    a, b = sides(12)
    once = contrast_of(values, samples, a, b)
    many = contrast_of(np.tile(values, 9), np.tile(samples, 9), np.tile(a, 9), np.tile(b, 9))
    assert (many.low, many.high) == pytest.approx((once.low, once.high))


def test_two_samples_a_side_get_no_interval() -> None:
    a, b = sides(8)
    found = contrast_of(np.arange(8.0), np.repeat(np.arange(4), 2), a, b)
    assert found.few and not found.clear and np.isfinite(found.difference)
    alone = contrast_of(np.arange(8.0), np.array([0, 0, 0, 0, 1, 1, 1, 1]), a, b)
    assert alone.few and np.isnan(alone.effect)


def test_a_sample_in_both_groups_counts_by_its_share_of_images() -> None:
    values = np.array([1.0, 1.0, 1.0, 5.0, 5.0, 5.0])
    samples = np.array([0, 1, 2, 2, 3, 4])
    a = np.array([True, True, True, False, False, False])
    found = contrast_of(values, samples, a, ~a)
    assert found.mean_a == 1.0 and found.mean_b == 5.0
    assert found.few  # two and a half samples a side


def test_directions_are_compared_the_shorter_way_round() -> None:
    values = np.array([178.0, 2.0, 179.0, 1.0, 12.0, 8.0, 9.0, 11.0])
    a, b = sides(8)
    found = contrast_of(values, np.arange(8), a, b, period=180.0)
    assert found.difference == pytest.approx(-10.0)
    assert found.mean_a % 180 == pytest.approx(0.0, abs=1e-6) or found.mean_a == pytest.approx(180.0)
    assert found.clear


def test_welch_s_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    a, b = sides(24)
    samples = np.repeat(np.arange(8), 3)
    covered = 0
    for _ in range(400):
        of_sample = rng.normal(size=8) * np.repeat([1.0, 2.0], 4)
        found = contrast_of(of_sample[samples] + 0.1 * rng.normal(size=24), samples, a, b)
        covered += found.low <= 0 <= found.high
    assert 0.92 <= covered / 400 <= 0.99


# ---------------------------------------------------------------------------- on films


@pytest.fixture(scope="module")
def films(tmp_path_factory: Any) -> Atlas:
    return finish(Films(films=8, images=2, folder=tmp_path_factory.mktemp("films"))())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: Any) -> Path:
    """Where what was counted is kept: pictures are measured once for all tests."""
    return Path(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def session(films: Atlas, kept: Path) -> Session:
    opened = Session(cache=kept)
    opened.open_atlas(films)
    order = np.argsort(films.columns[PROPERTY].to_numpy(), kind="stable")
    opened.name_selection("poor", order[:8])
    opened.name_selection("good", order[8:])
    return opened


def test_poor_films_are_porous_and_that_is_said_in_units_and_by_film(session: Session) -> None:
    session.groups.compare("poor", "good")
    found = session.groups.comparison
    assert found is not None and (found.a.said, found.b.said) == ("8 images of 4 films", "8 images of 4 films")
    pores = found.of("dark area fraction")
    assert pores is not None and pores.contrast.difference > 0 and pores.contrast.samples_a == 4
    assert found.of("dark size (µm)") is not None and found.of("dark size (px)") is None
    assert found.of(PROPERTY) is not None  # every column of the table too
    effects = [one.size for one in found.differences]
    assert effects == sorted(effects, reverse=True)
    assert found.sentence(pores).startswith("dark area fraction is higher in poor: ")
    assert "95 % interval over films" in found.sentence(pores)
    assert any("by chance" in note and "tests nothing" in note for note in found.notes)


def test_a_second_comparison_measures_nothing_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.groups.compare("poor", "good")
    first = session.groups.comparison
    told: list[Any] = []
    session.groups.comparing.connect(told.append)
    session.groups.compare("good")  # against the rest, which is the same images
    assert [one for one in told if one is not None] == []
    assert session.groups.comparison is not None and first is not None
    one, other = (c.of("dark area fraction") for c in (session.groups.comparison, first))
    assert one is not None and other is not None
    assert one.contrast.difference == pytest.approx(-other.contrast.difference)


def test_first_differences_are_shown_early_and_say_of_how_many_images(
    films: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_TOLD_AT", (4,))
    monkeypatch.setattr(groups, "MOST_MEASURED", 4)
    session = Session(cache=tmp_path)
    session.open_atlas(films)
    told: list[Any] = []
    session.groups.compared.connect(told.append)
    session.groups.compare(np.arange(8))
    first, last = (next(note for note in one.notes if note.startswith("Counted in")) for one in told)
    assert first.startswith("Counted in 4 of 16 images") and last.startswith("Counted in 8 of 16 images")
    assert told[0].of("dark area fraction") is not None


def test_lengths_are_in_pixels_where_one_scale_is_missing_and_that_is_said(films: Atlas, kept: Path) -> None:
    session = Session(cache=kept)
    columns = films.columns.copy()
    columns.loc[0, "um_per_px"] = np.nan
    session.open_atlas(films.with_columns(columns))
    session.groups.compare(np.arange(8))
    found = session.groups.comparison
    assert found is not None and found.of("dark size (px)") is not None
    assert any(note == "Lengths are in pixels: no scale is known for 1 image of 16." for note in found.notes)
    columns.loc[0, "um_per_px"] = 3 * columns.loc[1, "um_per_px"]
    session.open_atlas(films.with_columns(columns))
    session.groups.compare(np.arange(8))
    found = session.groups.comparison
    assert found is not None and any("Scales are mixed" in note for note in found.notes)


def test_what_was_predicted_here_is_no_difference_of_its_own(films: Atlas, kept: Path) -> None:
    session = Session(cache=kept)
    jc = films.columns[PROPERTY]
    made = {f"Jc {word} (MA/cm²)": jc * 0.9 for word in ("predicted", "not accounted for")}
    session.open_atlas(films.with_columns(films.columns.assign(**made, **{"Jc expected": jc}), {}))
    session.groups.compare(np.arange(6), np.arange(6, 16))
    found = session.groups.comparison
    assert found is not None and found.of("Jc expected") is not None
    assert not any(found.of(name) for name in made)


def test_columns_of_words_are_shares_and_samples_weigh_equally(films: Atlas, kept: Path) -> None:
    session = Session(cache=kept)
    route = np.where(np.arange(16) < 8, "sol-gel", "sputtered")
    session.open_atlas(films.with_columns(films.columns.assign(route=route), {"route": "processing"}))
    session.groups.compare(np.arange(6), np.arange(6, 16))
    assert session.groups.comparison is not None
    shares = {one.name: one for one in session.groups.comparison.shares}
    assert {value: (a, b) for value, a, b in shares["route"].values} == {"sol-gel": (1, 0.2), "sputtered": (0, 0.8)}


def test_what_is_counted_becomes_a_column_that_colors_and_follows_its_threshold(session: Session) -> None:
    from dataclasses import replace

    session.groups.add_quantity("dark area fraction")
    assert session.color_by == "dark area fraction"
    before = session.atlas.columns["dark area fraction"].to_numpy(float)
    assert np.isfinite(before).all() and session.atlas.roles["dark area fraction"] == "other"
    session.groups.add_quantity("dark area fraction", replace(session.groups.measuring, dark=4.0))
    assert (session.atlas.columns["dark area fraction"].to_numpy(float) < before).all()


def test_the_comparison_is_written_as_a_table(session: Session, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="Compare two groups first"):
        session.groups.export(tmp_path / "none.csv")
    session.groups.compare("poor", "good")
    session.groups.export(tmp_path / "differences.csv")
    table = pd.read_csv(tmp_path / "differences.csv")
    assert {"quantity", "mean A", "mean B", "95 % low", "95 % high", "Hedges g"} <= set(table.columns)
    assert "dark area fraction" in set(table["quantity"])


def test_groups_that_cannot_be_compared_say_what_to_do(session: Session) -> None:
    with pytest.raises(Problem, match="Select some images first"):
        session.groups.compare()
    with pytest.raises(Problem, match="same images"):
        session.groups.compare("poor", "poor")
    with pytest.raises(Problem, match="No selection is called"):
        session.groups.compare("bad")
    with pytest.raises(Problem, match="There is no image in the rest"):
        session.groups.compare(np.arange(16))


def test_a_group_whose_samples_nobody_knows_is_not_compared(films: Atlas, kept: Path) -> None:
    session = Session(cache=kept)
    names = films.columns[films.sample_column].where(np.arange(16) > 3)
    session.open_atlas(films.with_columns(films.columns.assign(**{str(films.sample_column): names})))
    assert counts_of(session.atlas, np.arange(4)) == "4 images without a film"
    with pytest.raises(Problem, match="It is not known of which film"):
        session.groups.compare(np.arange(4))


def test_what_was_counted_is_found_again_as_a_mask_of_the_same_share(session: Session) -> None:
    session.current = 3
    session.outlines.show("dark area fraction")
    found = session.outlines.found
    assert found is not None and session.outlines.row == 3 and "spreads darker" in found.said
    assert found.mask.mean() == pytest.approx(found.value)
    session.outlines.show("correlation length (µm)")  # counted in px, shown in µm
    assert session.outlines.found is not None and session.outlines.found.mask.any()
    session.open_micrograph(5)
    assert session.outlines.row == 5  # they go along
    session.outlines.hide()
    assert session.outlines.found is None


def test_another_collection_forgets_the_comparison(session: Session, films: Atlas) -> None:
    session.groups.compare("poor", "good")
    told: list[Any] = []
    session.groups.compared.connect(told.append)
    session.open_atlas(films)
    assert session.groups.comparison is None and told == [None]


# ---------------------------------------------------------------------------- who looks like whom


@pytest.fixture
def linked(linked_atlas: Atlas) -> Session:
    opened = Session()
    opened.open_atlas(linked_atlas, "PCA")
    return opened


def test_typical_micrographs_are_of_different_samples_and_near_the_middle(linked: Session) -> None:
    rows = linked.groups.typical(np.arange(30), 4)
    assert len(rows) == 4 and len({row // 3 for row in rows.tolist()}) == 4 and (rows < 30).all()


def test_pairs_that_look_alike_and_differ_are_of_different_samples_each_once(linked: Session) -> None:
    pairs = linked.groups.unlike_pairs("Jc (MA/cm²)", 5)
    jc = linked.atlas.columns["Jc (MA/cm²)"].to_numpy()
    used = [row // 3 for pair in pairs for row in (pair.one, pair.other)]
    assert pairs and len(set(used)) == len(used)
    for pair in pairs:
        assert pair.gap == pytest.approx(abs(jc[pair.one] - jc[pair.other]))
    assert linked.color_by == "Jc (MA/cm²)" and linked.groups.unlike_pairs(count=5) == pairs


def test_windows_of_one_image_are_no_samples_of_their_own(films: Atlas, kept: Path) -> None:
    atlas = finish(Cut(window_px=64, drop_blank=False)(films)).with_sample_column(None)
    opened = Session(cache=kept)
    opened.open_atlas(atlas)
    whole = np.array([id_.partition("@")[0] for id_ in atlas.ids.tolist()])
    half = np.isin(whole, np.unique(whole)[:8])
    opened.groups.compare(np.flatnonzero(half), np.flatnonzero(~half))
    found = opened.groups.comparison
    assert found is not None
    assert max(max(one.contrast.samples_a, one.contrast.samples_b) for one in found.differences) == 8
    assert any("images were counted as if each were one" in note for note in found.notes)


def test_near_duplicates_and_outliers_are_listed_and_exclusions_are_not(linked: Session) -> None:
    from napari_micromap.neighbors import exact_neighbors
    from napari_micromap.work import finish

    atlas = linked.atlas
    features = np.random.default_rng(0).normal(0, 0.1, (60, 24)).astype(np.float32)
    features[:, 0] += 1
    features[7] = features[3]
    features[50, 5] = 3
    neighbors = finish(exact_neighbors(features, 20))
    moved = atlas.with_embeddings(atlas.embeddings, atlas.made_by).with_features(atlas.space, features, neighbors)
    linked.open_atlas(moved)
    assert next((pair.one, pair.other) for pair in linked.groups.near_duplicates()) == (3, 7)
    strange = linked.groups.outliers()
    assert strange and strange[0].row == 50 and strange[0].times > 2
    linked.exclude([7, 50], "other")
    assert (3, 7) not in [(pair.one, pair.other) for pair in linked.groups.near_duplicates()]
    assert 50 not in [one.row for one in linked.groups.outliers()]

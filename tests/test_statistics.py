"""Tests by sample: what they count, what they find, and what they must not find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_micromap.problems import Problem
from napari_micromap.statistics import NuisanceColumn, StructureTest, Units, nuisance_of, units_of
from napari_micromap.statistics.confounders import suspect
from napari_micromap.statistics.evidence import design_of, standardized
from napari_micromap.statistics.permutations import arrangements, distinct_arrangements
from napari_micromap.statistics.regions import RegionScan
from napari_micromap.statistics.verdict import Asked, Words, verdict_of

QUICK = StructureTest(permutations=499, influence=False)
FILMS = Words("Jc", "MA/cm²", "film", "films")


def films(
    samples: int = 24, seed: int = 0, link: float = 0.0, images: int = 3, knows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings (n, 32), sample of each row, and one value a sample that goes along with the first latent."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((samples, 3))
    if knows is not None:
        latent[:, 1] = 3 * knows
    sample_of = np.repeat(np.arange(samples), images)
    mixing = rng.standard_normal((3, 32))
    embeddings = (latent[sample_of] + 0.3 * rng.standard_normal((len(sample_of), 3))) @ mixing
    value = np.sqrt(link) * latent[:, 0] + np.sqrt(1 - link) * rng.standard_normal(samples)
    return embeddings + 0.2 * rng.standard_normal(embeddings.shape), sample_of, value


def named(sample_of: np.ndarray) -> list[str]:
    return [f"F{i:03d}" for i in sample_of]


def units_from(value: np.ndarray, sample_of: np.ndarray) -> Units:
    return units_of(value[sample_of], named(sample_of))


# ---------------------------------------------------------------- what counts


def test_micrographs_without_a_property_or_a_sample_are_out() -> None:
    units = units_of([1.0, None, 3.0, float("nan"), 5.0, 6.0], ["a", "a", "", "b", "b", None])
    assert units.rows.tolist() == [0, 4]
    assert units.samples == ("a", "b")
    assert units.values[:, 0].tolist() == [1.0, 5.0]


def test_no_usable_micrograph_is_a_sentence_with_a_remedy() -> None:
    with pytest.raises(Problem, match="sample column"):
        units_of([None, None], ["a", "b"])


def test_a_property_that_varies_within_samples_is_recognized_and_averaged() -> None:
    units = units_of([1.0, 3.0, 5.0], ["a", "a", "b"])
    assert units.varies_within
    assert units.values[:, 0].tolist() == [2.0, 5.0]
    assert not units_of([1.0, 1.0, 5.0], ["a", "a", "b"]).varies_within


def test_categories_become_one_column_each() -> None:
    units = units_of(["S", "Q", "S"], ["a", "b", "c"])
    assert units.categories == ("Q", "S")
    assert units.values.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_distinct_arrangements_respect_batches_and_ties() -> None:
    values = np.array([[1.0], [2.0], [2.0], [3.0], [4.0]])
    assert distinct_arrangements(values, np.zeros(5, int)) == 60
    batch = np.array([0, 0, 0, 1, 1])
    assert distinct_arrangements(values, batch) == 6
    orders = arrangements(values, batch, 99, 0)
    assert orders[0].tolist() == [0, 1, 2, 3, 4]
    assert len({tuple(values[order, 0]) for order in orders}) == len(orders) == 6


# ------------------------------------------------------------------- oracles


def test_the_ridge_predictions_are_those_of_leave_one_out_refits() -> None:
    from sklearn.linear_model import Ridge

    embeddings, sample_of, value = films(samples=12, images=1, link=0.5)
    units = units_from(value, sample_of)
    design = design_of(embeddings, units, nuisance_of(units))
    x = standardized(embeddings, units.weights)
    penalty = np.trace(design.kernel) / len(units)
    for left_out in range(len(units)):
        others = np.delete(np.arange(len(units)), left_out)
        # the collection's mean is part of the pictures' preparation, not of the fit: centered as the design is
        own = _loo_reference(x - x.mean(axis=0), value, left_out, penalty)
        assert design.hat[left_out] @ value == pytest.approx(own, abs=1e-8)
        assert Ridge(penalty).fit(x[others], value[others]).predict(x[[left_out]])[0] == pytest.approx(own, abs=1e-8)


def _loo_reference(x: np.ndarray, y: np.ndarray, left_out: int, penalty: float) -> float:
    """Ridge with a free intercept without one row, by its normal equations."""
    kept = np.delete(np.arange(len(y)), left_out)
    design = np.column_stack([np.ones(len(kept)), x[kept]])
    shrink = penalty * np.eye(design.shape[1])
    shrink[0, 0] = 0.0
    beta = np.linalg.solve(design.T @ design + shrink, design.T @ y[kept])
    return float(np.r_[1.0, x[left_out]] @ beta)


def test_morans_i_is_that_of_esda() -> None:
    esda = pytest.importorskip("esda", reason="the oracle comes with the test dependencies")
    from libpysal.weights import W

    embeddings, sample_of, value = films(samples=20, images=1, link=0.5)
    units = units_from(value, sample_of)
    design = design_of(embeddings, units, nuisance_of(units))
    near = [np.flatnonzero(row) for row in design.adjacency]
    weights = W(
        {i: list(js) for i, js in enumerate(near)},
        {i: list(design.adjacency[i, js]) for i, js in enumerate(near)},
        silence_warnings=True,
    )
    reference = esda.Moran(value, weights, transformation="r", permutations=0).I
    assert QUICK(embeddings, units).moran == pytest.approx(reference, abs=1e-8)


# ---------------------------------------------------------------- invariances


def test_duplicating_all_images_of_a_sample_changes_nothing() -> None:
    embeddings, sample_of, value = films(link=0.5)
    alone = QUICK(embeddings, units_from(value, sample_of))
    twice = QUICK(np.repeat(embeddings, 2, axis=0), units_from(value, np.repeat(sample_of, 2)))
    assert twice.p == alone.p
    assert twice.q2 == pytest.approx(alone.q2, abs=1e-9)


def test_reordering_micrographs_changes_nothing() -> None:
    embeddings, sample_of, value = films(link=0.5)
    order = np.random.default_rng(1).permutation(len(sample_of))
    units = units_of(value[sample_of][order], np.array(named(sample_of), object)[order])
    ordered, mixed = QUICK(embeddings, units_from(value, sample_of)), QUICK(embeddings[order][units.rows], units)
    assert mixed.p == ordered.p
    assert mixed.moran == pytest.approx(ordered.moran, abs=1e-9)


def test_a_constant_prediction_scores_zero() -> None:
    embeddings, sample_of, value = films()
    result = QUICK(np.zeros_like(embeddings), units_from(value, sample_of))
    assert result.q2 == pytest.approx(0.0, abs=1e-9)


def test_the_smallest_effect_named_falls_with_more_samples() -> None:
    named_effects = []
    for samples in (10, 20, 60):
        embeddings, sample_of, value = films(samples)
        effect = QUICK(embeddings, units_from(value, sample_of)).minimum_r2
        named_effects.append(1.0 if effect is None else effect)
    assert named_effects == sorted(named_effects, reverse=True) and named_effects[-1] <= 0.3


def test_the_same_seed_gives_the_same_answer() -> None:
    embeddings, sample_of, value = films(link=0.3)
    units = units_from(value, sample_of)
    assert QUICK(embeddings, units).p == QUICK(embeddings, units).p


# -------------------------------------------------------------- right and wrong


def test_noise_is_seldom_significant_though_permuting_images_mostly_says_so() -> None:
    found, naive = [], []
    for seed in range(60):
        embeddings, sample_of, value = films(samples=15, seed=seed, images=6)
        found.append(_p(QUICK(embeddings, units_from(value, sample_of))) <= 0.05)
        each_its_own = units_of(value[sample_of], [f"image {i}" for i in range(len(sample_of))])
        naive.append(_p(StructureTest(199, influence=False)(embeddings, each_its_own)) <= 0.05)
    assert sum(found) <= 8  # the 99 % point of 60 fair tests at .05
    assert np.mean(naive) > 0.6


def test_a_link_is_found() -> None:
    hits = [_p(QUICK(e, units_from(v, s))) <= 0.05 for e, s, v in (films(30, seed, link=0.5) for seed in range(20))]
    assert np.mean(hits) >= 0.75


def test_a_nonlinear_confounder_is_taken_out_by_adjusting() -> None:
    free, adjusted = [], []
    for seed in range(25):
        rng = np.random.default_rng(100 + seed)
        scale = rng.uniform(-1, 1, 30)
        embeddings, sample_of, _ = films(30, seed, knows=2 * scale**2 - 0.7)
        value = scale**2 + 0.2 * rng.standard_normal(30)
        units = units_from(value, sample_of)
        nuisance = nuisance_of(units, [NuisanceColumn("scale", scale[sample_of][units.rows])])
        free.append(_p(QUICK(embeddings, units)) <= 0.05)
        adjusted.append(_p(QUICK(embeddings, units, nuisance)) <= 0.05)
    assert np.mean(free) > 0.5
    assert np.mean(adjusted) <= 0.2


def test_batches_are_permuted_within() -> None:
    free, blocked = [], []
    for seed in range(25):
        rng = np.random.default_rng(200 + seed)
        batch = np.repeat(np.arange(3), 8)
        embeddings, sample_of, _ = films(24, seed, knows=batch - 1.0)
        value = batch + 0.5 * rng.standard_normal(24)
        units = units_from(value, sample_of)
        nuisance = nuisance_of(units, batch=batch[sample_of][units.rows])
        free.append(_p(QUICK(embeddings, units)) <= 0.05)
        blocked.append(_p(QUICK(embeddings, units, nuisance)) <= 0.05)
    assert np.mean(free) > 0.9
    assert np.mean(blocked) <= 0.2


def test_a_sample_in_two_batches_cannot_be_tested_within_batches() -> None:
    units = units_of([1.0, 1.0, 2.0], ["a", "a", "b"])
    with pytest.raises(Problem, match="two values"):
        nuisance_of(units, batch=np.array(["x", "y", "x"]))


def test_too_many_columns_to_adjust_for_are_refused_by_name() -> None:
    _, sample_of, value = films(samples=9)
    units = units_from(value, sample_of)
    with pytest.raises(Problem, match="acceleration voltage"):
        nuisance_of(units, [NuisanceColumn("kv", np.arange(len(sample_of), dtype=float) ** 1.5)])


def test_the_scan_finds_a_planted_region_and_noise_seldom() -> None:
    rng = np.random.default_rng(0)
    sample_of = np.repeat(np.arange(30), 3)
    centers = rng.uniform(0, 10, (30, 2))
    positions = centers[sample_of] + 0.2 * rng.standard_normal((90, 2))
    planted = units_from((centers[:, 0] > 6) * 3.0 + rng.standard_normal(30), sample_of)
    best = RegionScan(199)(positions, planted).best
    assert best is not None and best.p <= 0.05
    assert positions[best.rows][:, 0].mean() > 5 or best.difference < 0
    false = []
    for seed in range(30):
        noise = units_from(np.random.default_rng(seed).standard_normal(30), sample_of)
        region = RegionScan(199, centers=60)(positions, noise).best
        false.append(region is not None and region.p <= 0.05)
    assert sum(false) <= 5


def test_a_lasso_drawn_on_the_colors_is_judged_against_the_scan() -> None:
    rng = np.random.default_rng(3)
    sample_of = np.repeat(np.arange(30), 2)
    positions = rng.uniform(0, 10, (30, 2))[sample_of]
    false = []
    for seed in range(30):
        value = np.random.default_rng(seed).standard_normal(30)
        units = units_from(value, sample_of)
        # the best lasso a greedy eye would draw: a disc about the lowest film
        distance = np.linalg.norm(positions - positions[np.argmin(value[sample_of])], axis=1)
        selected = distance <= np.sort(distance)[11]
        answer = RegionScan(199, centers=60)(positions, units).lasso(selected)
        false.append(answer.p is not None and answer.p <= 0.05)
    assert sum(false) <= 5


def test_a_lasso_of_two_samples_gets_no_p() -> None:
    sample_of = np.repeat(np.arange(10), 2)
    positions = np.random.default_rng(0).uniform(0, 1, (20, 2))
    scan = RegionScan(99)(positions, units_from(np.arange(10.0), sample_of))
    assert scan.lasso(sample_of < 2).p is None


# ------------------------------------------------------------------- verdicts


def _p(evidence: Any) -> float:
    assert evidence.p is not None
    return float(evidence.p)


def test_verdict_real() -> None:
    embeddings, sample_of, value = films(40, link=0.9)
    verdict = verdict_of(Asked(StructureTest(999)(embeddings, units_from(value, sample_of))), FILMS)
    assert verdict.kind == "real"
    assert "goes along with" in verdict.sentence and "not a cause" in verdict.sentence
    assert "120 images of 40 films" in verdict.details


def test_verdict_confounded_names_the_column() -> None:
    scale = np.repeat([0.02, 0.2], 12)
    embeddings, sample_of, _ = films(24, knows=(scale > 0.1) - 0.5)
    value = (scale > 0.1) * 2.0 + 0.3 * np.random.default_rng(0).standard_normal(24)
    units = units_from(value, sample_of)
    column = NuisanceColumn("um_per_px", scale[sample_of][units.rows], logarithmic=True)
    accused = suspect(embeddings, units, column, permutations=499)
    assert accused.confounds
    adjusted = QUICK(embeddings, units, nuisance_of(units, [column]))
    verdict = verdict_of(Asked(QUICK(embeddings, units), adjusted, [accused]), FILMS)
    assert verdict.kind == "confounded"
    assert verdict.sentence.startswith("Cannot tell.") and "pixel size" in verdict.sentence
    assert "were mostly imaged at 0.02 µm per px, the others at 0.2 µm per px" in verdict.sentence


def test_verdict_nuisance_when_the_property_does_not_follow_the_column() -> None:
    scale = np.tile([0.02, 0.2], 12)
    embeddings, sample_of, value = films(24, seed=5, knows=(scale > 0.1) - 0.5)
    units = units_from(value, sample_of)
    accused = suspect(embeddings, units, NuisanceColumn("um_per_px", scale[sample_of]), permutations=499)
    assert accused.known_to_map and not accused.confounds
    assert verdict_of(Asked(QUICK(embeddings, units), suspects=[accused]), FILMS).kind == "nuisance"


def test_a_map_sorted_by_a_magnification_that_all_samples_have_is_fair_and_says_so() -> None:
    scale = np.tile([0.02, 0.2, 2.0], 16)
    rng = np.random.default_rng(4)
    embeddings, sample_of, value = films(16, seed=4)
    embeddings = embeddings + 3 * np.log(scale)[:, None] * rng.standard_normal(32)
    units = units_from(value, sample_of)
    accused = suspect(embeddings, units, NuisanceColumn("um_per_px", scale, logarithmic=True), permutations=199)
    assert accused.balanced and accused.known_to_map and not accused.confounds
    verdict = verdict_of(Asked(QUICK(embeddings, units), suspects=[accused]), FILMS)
    assert verdict.kind == "nuisance" and "All films have all pixel sizes, so the test is fair" in verdict.sentence


def test_what_holds_between_batches_only_cannot_be_told() -> None:
    batch = np.repeat(np.arange(3), 8)
    embeddings, sample_of, _ = films(24, 3, knows=batch - 1.0)
    value = batch + 0.3 * np.random.default_rng(3).standard_normal(24)
    units = units_from(value, sample_of)
    within = QUICK(embeddings, units, nuisance_of(units, batch=batch[sample_of][units.rows]))
    asked = Asked(within, batch="session", within=True, ignoring=QUICK(embeddings, units))
    verdict = verdict_of(asked, FILMS)
    assert verdict.kind == "confounded" and "only from session to session" in verdict.sentence


def test_limits_of_detection_are_no_values() -> None:
    units = units_of(["1.5", "<0.1", "2.5"], ["a", "b", "c"])
    assert units.samples == ("a", "c") and units.values[:, 0].tolist() == [1.5, 2.5]


def test_predictions_of_micrographs_average_to_those_of_their_samples_left_out() -> None:
    from napari_micromap.statistics.predictions import predicted_by_others

    embeddings, sample_of, value = films(15, link=0.8)
    units = units_from(value, sample_of)
    evidence = QUICK(embeddings, units)
    assert units.means(predicted_by_others(embeddings, units)) == pytest.approx(evidence.predicted[:, 0], abs=1e-8)


def test_verdict_too_few() -> None:
    embeddings, sample_of, value = films(7, link=0.9)
    verdict = verdict_of(Asked(QUICK(embeddings, units_from(value, sample_of))), FILMS)
    assert verdict.kind == "too_few" and "with 7" in verdict.sentence


def test_verdict_none_says_what_would_have_been_missed() -> None:
    embeddings, sample_of, value = films(30, seed=1)
    verdict = verdict_of(Asked(QUICK(embeddings, units_from(value, sample_of))), FILMS)
    assert verdict.kind == "none" and "probably be missed" in verdict.sentence


def test_verdict_one_sample_names_it() -> None:
    rng = np.random.default_rng(2)
    embeddings, sample_of, _ = films(10, images=1, seed=2)
    embeddings[3] += 40  # one film unlike all others, in picture and in value
    value = 0.01 * rng.standard_normal(10)
    value[3] = 9.0
    evidence = StructureTest(1999)(embeddings, units_from(value, sample_of))
    if evidence.p is not None and evidence.p > 0.05:
        pytest.fail(f"the outlier was not found, p = {evidence.p}")
    assert evidence.rests_on
    assert verdict_of(Asked(evidence), FILMS).kind == "one_sample"


def test_verdict_per_image() -> None:
    embeddings, sample_of, value = films(20, link=0.8)
    units = units_of(value[sample_of] + 0.1 * np.arange(len(sample_of)), named(sample_of))
    verdict = verdict_of(Asked(QUICK(embeddings, units), per_image=units.varies_within), FILMS)
    assert verdict.kind == "per_image" and "per image" in verdict.sentence


def test_categories_are_tested_too() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 24)
    embeddings, sample_of, _ = films(24, knows=kind - 0.5)
    units = units_of(np.array(["slow", "quench"], object)[kind][sample_of], named(sample_of))
    assert _p(QUICK(embeddings, units)) <= 0.01


# ----------------------------------------------------------------------- where


def _embedding_of(maps: list[np.ndarray]) -> np.ndarray:
    pooled = [one.mean(axis=(1, 2)) for one in maps]
    return np.concatenate([p / np.linalg.norm(p) for p in pooled])


def test_the_split_over_the_picture_adds_up_to_the_prediction() -> None:
    from napari_micromap.statistics.where import readout_of, split

    rng = np.random.default_rng(0)
    pictures = [[rng.random((6, 8, 8)), rng.random((10, 4, 4))] for _ in range(24)]
    embeddings = np.array([_embedding_of(maps) for maps in pictures])
    units = units_of(rng.standard_normal(24), named(np.arange(24)))
    readout = readout_of(embeddings, units, refits=5)
    predictions = readout.predict(embeddings)
    for maps, predicted in zip(pictures, predictions):
        parts = split(maps, readout)
        assert parts.share.shape == (8, 8)
        assert parts.prediction == pytest.approx(predicted, abs=1e-9)
        assert parts.share.mean() == pytest.approx(predicted - readout.base, abs=1e-9)
        assert parts.certain.min() >= 0.0 and parts.certain.max() <= 1.0


def test_the_split_lies_where_the_pictures_differ() -> None:
    from napari_micromap.statistics.where import readout_of, split

    rng = np.random.default_rng(1)
    pores = rng.integers(1, 30, 30)
    pictures = []
    for count in pores:
        maps = 1 + 0.05 * rng.random((5, 8, 8))
        maps[2].flat[rng.choice(64, count, replace=False)] += 2.0  # a channel that answers to pores
        pictures.append(maps)
    embeddings = np.array([_embedding_of([maps]) for maps in pictures])
    readout = readout_of(embeddings, units_of(-pores.astype(float), named(np.arange(30))), refits=20)
    share = split([pictures[0]], readout).share
    porous = pictures[0][2] > 2
    assert share[porous].max() < share[~porous].min()
    assert split([pictures[0]], readout).certain[porous].min() > 0.9


# ----------------------------------------------------------------- new batches


def test_a_new_batch_is_predicted_as_refits_without_it_predict_it() -> None:
    from sklearn.linear_model import Ridge

    from napari_micromap.statistics.batches import to_new_batch

    embeddings, sample_of, value = films(20, seed=4, link=0.8, images=1)
    units, batch = units_from(value, sample_of), np.arange(20) % 4
    x = standardized(embeddings, units.weights)
    error = guess = 0.0
    for b in range(4):
        out, kept = batch == b, batch != b
        centered = x[kept] - x[kept].mean(axis=0)
        fitted = Ridge(np.trace(centered @ centered.T) / kept.sum()).fit(x[kept], value[kept])
        error += ((value[out] - fitted.predict(x[out])) ** 2).sum()
        guess += ((value[out] - value[kept].mean()) ** 2).sum()
    result = to_new_batch(embeddings, units, batch)
    assert result.q2 == pytest.approx(1 - error / guess, abs=1e-8)
    assert result.p is None  # four batches are too few


def test_a_link_that_holds_everywhere_carries_over_to_new_batches_and_one_between_batches_is_not_claimed() -> None:
    from napari_micromap.statistics.batches import to_new_batch

    embeddings, sample_of, value = films(60, seed=6, link=0.9)
    batch = np.arange(60) % 10
    assert (to_new_batch(embeddings, units_from(value, sample_of), batch).p or 1.0) <= 0.05
    noise = np.random.default_rng(0).standard_normal(60)
    assert (to_new_batch(embeddings, units_from(noise, sample_of), batch).p or 0.0) > 0.05


def test_a_map_of_its_own_features_preserves_all_neighborhoods_and_a_shuffled_one_hardly_any() -> None:
    from napari_micromap.statistics.reliability import preserved

    rng = np.random.default_rng(0)
    positions = rng.standard_normal((200, 2))
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    neighbors = np.argsort(distance, axis=1)[:, 1:16]
    assert preserved(positions, neighbors).min() == 1.0
    assert preserved(positions[rng.permutation(200)], neighbors).mean() < 0.15
    assert preserved(np.zeros((3, 2)), np.array([[1, 2], [0, 2], [0, 1]])).shape == (3,)


def test_groups_are_denser_than_shuffled_copies_and_independent_columns_are_not() -> None:
    from napari_micromap.statistics.reliability import copies_as_dense

    rng = np.random.default_rng(0)
    middles = rng.standard_normal((5, 12))
    assert copies_as_dense(middles[rng.integers(0, 5, 200)] + 0.2 * rng.standard_normal((200, 12))) == 0
    assert copies_as_dense(rng.standard_normal((200, 12))) > 2

"""Measures of how well classes lie together."""

from __future__ import annotations

import numpy as np
import pytest
from retrieval import (
    averaged,
    candidates,
    cluster_accuracy,
    cosines,
    interval,
    likeness_of_sizes,
    macro_mean,
    matched_share,
    plain_mean,
    retrieval,
    trustworthiness,
)

RNG = np.random.default_rng(0)
CLASSES = np.repeat([0, 1, 2], [12, 8, 4])
APART = np.eye(3)[CLASSES] + 0.05 * RNG.standard_normal((24, 3))
NOISE = RNG.standard_normal((24, 6))
MEASURES = ("first", "five", "average_precision", "vote")


def test_classes_far_apart_are_found_in_every_measure() -> None:
    found = retrieval(cosines(APART), CLASSES, candidates(24))
    assert plain_mean(found.first) == plain_mean(found.average_precision) == plain_mean(found.vote) == 1
    # three others of the last class: the best that its five nearest can hold
    assert np.allclose(found.five, np.where(CLASSES == 2, 3 / 5, 1))
    assert cluster_accuracy(APART, CLASSES) == 1


def test_measures_agree_with_their_plain_definition() -> None:
    likeness, allowed = cosines(NOISE), candidates(24)
    found = retrieval(likeness, CLASSES, allowed)
    for query in range(24):
        others = [i for i in np.argsort(-likeness[query]) if i != query]
        right = [CLASSES[i] == CLASSES[query] for i in others]
        ranks = [rank for rank, hit in enumerate(right, start=1) if hit]
        precision = np.mean([sum(right[:rank]) / rank for rank in ranks])
        assert found.first[query] == right[0]
        assert found.five[query] == pytest.approx(sum(right[:5]) / 5)
        assert found.average_precision[query] == pytest.approx(precision)


def test_average_precision_is_sklearns() -> None:
    from sklearn.metrics import average_precision_score

    likeness, allowed = cosines(NOISE), candidates(24)
    found = retrieval(likeness, CLASSES, allowed)
    theirs = [
        average_precision_score((CLASSES[q] == CLASSES)[allowed[q]], likeness[q][allowed[q]]) for q in range(24)
    ]  # fmt: skip
    np.testing.assert_allclose(found.average_precision, theirs)


def test_a_query_without_an_answer_does_not_count() -> None:
    classes = np.append(CLASSES, 9)
    found = retrieval(cosines(np.vstack([APART, [1, 1, 1]])), classes, candidates(25))
    for name in MEASURES:
        values = getattr(found, name)
        assert np.isnan(values[-1]) and np.isfinite(values[:-1]).all()
    assert plain_mean(found.first) == macro_mean(found.first, classes) == 1


def test_pictures_of_the_same_sample_and_near_in_a_series_do_not_answer() -> None:
    samples = np.array([0, 0, 1, 1, -1, -1])
    allowed = candidates(6, samples=samples)
    assert not allowed[0, 1] and not allowed[3, 2] and allowed[0, 2] and allowed[4, 5], "-1 is no sample"
    numbers, series = np.array([1, 6, 7, 1, 2, 40]), np.array([0, 0, 0, 1, 1, 1])
    allowed = candidates(6, series=series, numbers=numbers)
    assert not allowed[0, 1] and allowed[0, 2] and allowed[0, 3] and not allowed[3, 4] and allowed[3, 5]
    assert not candidates(6).diagonal().any()


def test_hits_within_the_sample_alone_are_not_counted_when_it_is_left_out() -> None:
    """Each sample is a point of its own and classes mean nothing: without its sample no query does well."""
    samples = np.repeat(np.arange(12), 4)
    classes = np.repeat(np.arange(2), 24)
    points = RNG.standard_normal((12, 20))[samples] + 0.01 * RNG.standard_normal((48, 20))
    assert plain_mean(retrieval(cosines(points), classes, candidates(48)).first) == 1
    assert plain_mean(retrieval(cosines(points), classes, candidates(48, samples=samples)).first) < 0.9


def test_ties_fall_by_chance() -> None:
    same = np.zeros((24, 24))
    found = averaged([retrieval(same, CLASSES, candidates(24), seed) for seed in range(300)])
    chance = (np.bincount(CLASSES)[CLASSES] - 1) / 23
    assert plain_mean(found.first) == pytest.approx(chance.mean(), abs=0.03)
    sizes = np.array([0.1, 0.1, 0.2, np.nan])
    likeness = likeness_of_sizes(sizes)
    assert likeness[0, 1] == 0 > likeness[0, 2] > likeness[0, 3]


def test_each_class_counts_the_same_in_the_macro_mean() -> None:
    values = np.where(CLASSES == 0, 1.0, 0.0)
    assert plain_mean(values) == 0.5
    assert macro_mean(values, CLASSES) == pytest.approx(1 / 3)


def test_the_interval_grows_where_values_of_a_sample_go_together() -> None:
    samples = np.repeat(np.arange(20), 10)
    values = (RNG.random(20) < 0.5).astype(float)[samples]
    low, high = interval(values, samples)
    narrow = interval(values, np.arange(200))
    assert low <= values.mean() <= high
    assert high - low > 2 * (narrow[1] - narrow[0])


def test_names_of_clusters_do_not_matter() -> None:
    renamed = np.array([7, 3, 5])[CLASSES]
    assert matched_share(renamed, CLASSES) == 1
    assert matched_share(np.zeros(24, int), CLASSES) == 0.5


def test_a_map_of_the_features_themselves_can_be_trusted_and_a_shuffled_one_cannot() -> None:
    angle = np.sort(RNG.random(60)) * 6
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    assert trustworthiness(circle, circle) > 0.99
    assert trustworthiness(circle, RNG.permutation(circle)) < 0.7

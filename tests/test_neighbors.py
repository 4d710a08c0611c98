"""Who is near whom."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from napari_micromap.neighbors import (
    Neighbors,
    exact_neighbors,
    find_neighbors,
    grown_neighbors,
    likely_neighbors,
    nearest_among,
    neighbors_within,
)
from napari_micromap.work import Progress, Work, finish


def neighbors_of(features: np.ndarray, k: int, block: int | None = None) -> Neighbors:
    return finish(exact_neighbors(features.astype(np.float32), k, block))


def plain_neighbors(features: np.ndarray, k: int) -> np.ndarray:
    """The same by the plainest way: all cosines, and a stable sort."""
    wide = features.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    units = wide / np.where(norms > 0, norms, 1)
    distances = 1 - units @ units.T
    nothing = norms[:, 0] == 0
    distances[np.ix_(nothing, nothing)] = 0
    np.fill_diagonal(distances, np.inf)
    return np.argsort(np.round(distances, 7), axis=1, kind="stable")[:, : min(k, len(features) - 1)]


def test_they_are_those_of_the_plainest_way() -> None:
    features = np.random.default_rng(0).normal(size=(203, 12)).astype(np.float32)
    assert np.array_equal(neighbors_of(features, 15).rows, plain_neighbors(features, 15))


@given(
    arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(-1, 1)),
    st.integers(0, 14),
    st.integers(1, 5),
)
def test_ties_duplicates_and_zeros_come_in_the_order_of_rows(features: np.ndarray, k: int, block: int) -> None:
    found = neighbors_of(features, k, block)
    n = len(features)
    assert found.rows.shape == found.distances.shape == (n, min(k, n - 1))
    assert np.array_equal(found.rows, plain_neighbors(features, k))
    assert (found.rows != np.arange(n)[:, None]).all()
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert ((found.distances >= 0) & (found.distances <= 2)).all()


def test_the_block_does_not_change_the_result() -> None:
    features = np.random.default_rng(1).normal(size=(301, 40)).astype(np.float32)
    features[100:200] = features[0:100]
    whole, small = neighbors_of(features, 20), neighbors_of(features, 20, block=7)
    assert np.array_equal(whole.rows, small.rows)
    assert np.array_equal(whole.distances, small.distances)


def test_a_duplicate_is_the_nearest_and_a_row_never_its_own_neighbor() -> None:
    features = np.random.default_rng(2).normal(size=(50, 33)).astype(np.float32)
    found = neighbors_of(np.concatenate([features, features * 3]), 4)
    assert np.array_equal(found.rows[:, 0], np.r_[50:100, 0:50])
    assert (found.distances[:, 0] == 0).all()


def test_distances_are_one_minus_cosine() -> None:
    features = np.array([[1, 0], [0, 2], [-3, 0], [0, 0]], np.float32)
    found = neighbors_of(features, 3)
    assert found.rows[0].tolist() == [1, 3, 2]
    assert found.distances[0].tolist() == [1, 1, 2]
    assert found.distances.dtype == np.float32
    assert found.rows.dtype == np.int32


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_rows_have_few_neighbors(n: int) -> None:
    found = neighbors_of(np.ones((n, 5)), 50)
    assert found.rows.shape == (n, max(0, n - 1))


def test_progress_counts_the_rows() -> None:
    told: list[Progress] = []
    finish(exact_neighbors(np.eye(10, dtype=np.float32), 3, block=4), told.append)
    assert [(p.done, p.total) for p in told] == [(0, 10), (4, 10), (8, 10)]


def test_new_rows_find_their_nearest_among_the_old() -> None:
    features = np.random.default_rng(3).normal(size=(40, 8)).astype(np.float32)
    found = nearest_among(features[[7, 3]], features, 5)
    assert found.rows[:, 0].tolist() == [7, 3]
    assert found.rows.shape == (2, 5)
    assert nearest_among(features[:2], features[:3], 5).rows.shape == (2, 3)


def test_likely_neighbors_are_nearly_all_of_the_true_ones_and_right_in_distance() -> None:
    random = np.random.default_rng(4)
    features = random.normal(size=(30, 12))[random.integers(0, 30, 3000)] + random.normal(size=(3000, 12)) * 0.5
    features = features.astype(np.float32)
    features[100:105] = features[0]
    features[200:260] = features[1]  # more than are asked for
    features[300:303] = 0.0
    exact, likely = neighbors_of(features, 15), likely_neighbors(features, 15)
    found = [len(np.intersect1d(one, other)) for one, other in zip(exact.rows, likely.rows)]
    assert np.mean(np.delete(found, np.arange(200, 260))) / 15 > 0.99
    assert likely.rows.dtype == np.int32 and likely.distances.dtype == np.float32
    assert (likely.rows != np.arange(3000)[:, None]).all()
    assert (np.diff(np.sort(likely.rows, axis=1), axis=1) > 0).all()  # each once
    assert (np.diff(likely.distances, axis=1) >= 0).all()
    same = np.flatnonzero((exact.rows == likely.rows).all(axis=1))
    np.testing.assert_array_equal(likely.distances[same], exact.distances[same])
    assert set(likely.rows[0, :5]) == {100, 101, 102, 103, 104}
    assert not likely.distances[200:260].any()
    np.testing.assert_array_equal(likely.rows[300:303], exact.rows[300:303])
    np.testing.assert_array_equal(likely_neighbors(features, 15).rows, likely.rows)


def test_large_collections_are_searched_elsewhere_where_there_is_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(6).normal(size=(60, 4)).astype(np.float32)
    asked: list[int] = []

    def elsewhere(features: NDArray[np.float32], k: int) -> Work[Neighbors]:
        asked.append(k)
        return (yield from exact_neighbors(features, k))

    finish(find_neighbors(features, 5, elsewhere))
    assert not asked
    monkeypatch.setattr("napari_micromap.neighbors.EXACT_UP_TO", 50)
    assert np.array_equal(finish(find_neighbors(features, 5, elsewhere)).rows, neighbors_of(features, 5).rows)
    assert asked == [5]


def test_rows_that_join_get_the_neighbors_that_a_search_of_all_gives():
    features = np.random.default_rng(3).normal(size=(130, 6)).astype(np.float32)
    features[120] = features[7]
    grown = finish(grown_neighbors(finish(exact_neighbors(features[:118], 12)), features, 12))
    every = finish(exact_neighbors(features, 12))
    np.testing.assert_array_equal(grown.rows, every.rows)
    np.testing.assert_array_equal(grown.distances, every.distances)
    few = finish(grown_neighbors(finish(exact_neighbors(features[:5], 12)), features[:9], 12))
    assert few.rows.shape == (9, 8)


def test_neighbors_within_some_rows_are_those_that_a_search_among_them_finds() -> None:
    features = np.random.default_rng(8).normal(size=(90, 6)).astype(np.float32)
    features[40:44] = features[3]
    every = neighbors_of(features, 30)
    rows = np.setdiff1d(np.arange(90), [0, 17, 41, 60])
    within = neighbors_within(every, rows, 14)
    searched = neighbors_of(features[rows], 14)
    assert within is not None
    np.testing.assert_array_equal(within.rows, searched.rows)
    np.testing.assert_array_equal(within.distances, searched.distances)
    assert neighbors_within(every, np.arange(0, 90, 6), 14) is None  # not enough of the 30 are among these 15

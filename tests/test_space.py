"""Features of a collection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_micromap.space import SPACES, Standardized, StandardizedSpace, principal_axes


def embeddings(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Make vectors that vary in a few directions, far from the origin, as embeddings do."""
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(n, 8)) @ random.normal(size=(8, d)) + 0.3 * random.normal(size=(n, d))
    return (mixed + 20 * random.normal(size=d)).astype(np.float32)


def test_features_are_those_of_the_textbook() -> None:
    vectors = embeddings(300, 60)
    standardized = (vectors - vectors.mean(0)) / vectors.std(0)
    scores = standardized @ np.linalg.svd(standardized, full_matrices=False)[2][:50].T
    scores /= np.linalg.norm(scores, axis=1, keepdims=True)
    features = Standardized().fit(vectors)(vectors)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features @ features.T, scores @ scores.T, atol=1e-4)


@settings(max_examples=40)
@given(n=st.integers(1, 300), d=st.integers(3, 40), seed=st.integers(0, 99))
def test_any_collection_gets_features_of_length_one(n: int, d: int, seed: int) -> None:
    vectors = embeddings(n, d, seed)
    features = Standardized().fit(vectors)(vectors)
    assert features.shape == (n, max(5, min(50, n // 5)))
    assert np.isfinite(features).all()
    lengths = np.linalg.norm(features, axis=1)
    np.testing.assert_allclose(lengths, 0.0 if n == 1 else 1.0, atol=1e-5)


def test_many_or_few_rows_give_the_same_axes() -> None:
    """By the covariance where rows are many, by the Gram matrix where dimensions are."""
    vectors = embeddings(30, 29)
    wide = np.concatenate([vectors, np.zeros((30, 40), np.float32)], axis=1)
    mean, sd = vectors.mean(0, dtype=float), vectors.std(0, dtype=float)
    by_covariance = principal_axes(vectors, mean, sd, 6)
    by_gram = principal_axes(wide, np.pad(mean, (0, 40)), np.pad(sd, (0, 40), constant_values=1), 6)
    np.testing.assert_allclose(by_covariance[0], by_gram[0], rtol=1e-6)
    np.testing.assert_allclose(by_covariance[1], by_gram[1][:, :29], atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_identical_micrographs_lie_on_one_another_and_rounding_is_not_raised_to_structure(n: int) -> None:
    vectors = np.repeat(embeddings(1, 1752), n, axis=0)
    assert np.array_equal(Standardized().fit(vectors)(vectors), np.zeros((n, max(5, n // 5))))


def test_dimensions_that_do_not_vary_say_nothing() -> None:
    vectors = embeddings(60, 20)
    more = np.concatenate([vectors, np.full((60, 3), 7.25, np.float32)], axis=1)
    features = Standardized().fit(vectors)(vectors)
    np.testing.assert_allclose(np.abs(Standardized().fit(more)(more)), np.abs(features), atol=1e-4)


def test_the_same_collection_gives_the_same_features_and_signs_do_not_flip() -> None:
    vectors = embeddings(200, 50)
    first = Standardized().fit(vectors)
    assert np.array_equal(first(vectors), Standardized().fit(vectors)(vectors))
    largest = first.components[np.arange(40), np.abs(first.components).argmax(axis=1)]
    assert (largest > 0).all()


def test_what_is_fitted_stays_while_the_collection_grows() -> None:
    vectors = embeddings(120, 30)
    space = Standardized().fit(vectors[:100])
    assert np.array_equal(space(vectors)[:100], space(vectors[:100]))


def test_whitened_components_weigh_the_same() -> None:
    vectors = embeddings(500, 30)
    space = Standardized(whiten=True, components=8).fit(vectors)
    scores = (vectors - space.mean) / space.sd @ space.components.T
    np.testing.assert_allclose(scores.std(axis=0), 1.0, rtol=1e-3)


def test_a_space_survives_being_saved() -> None:
    vectors = embeddings(80, 30)
    space = Standardized().fit(vectors)
    again = SPACES[type(space).__name__].from_arrays(space.arrays())
    assert np.array_equal(again(vectors), space(vectors))
    with pytest.raises(ValueError, match="do not fit"):
        StandardizedSpace.from_arrays({**space.arrays(), "mean": np.zeros(3)})


def test_the_collection_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    vectors = embeddings(40_000, 64)
    tracemalloc.start()
    Standardized().fit(vectors)(vectors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * vectors.nbytes


def test_a_channel_that_was_silent_but_for_a_trace_does_not_place_a_new_image() -> None:
    vectors = embeddings(120, 900)
    vectors[:, 0] = 0.0
    vectors[7, 0] = 1e-3
    space = Standardized().fit(vectors)
    heard = vectors[[20]].copy()
    heard[0, 0] = 1.0  # 11,000 spreads
    assert int((space(heard) @ space(vectors).T).argmax()) == 20

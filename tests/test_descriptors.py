"""What is counted in a picture agrees with what was drawn into it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_micromap.descriptors import DESCRIPTORS, as_gray
from napari_micromap.descriptors.correlation import CorrelationLength
from napari_micromap.descriptors.features import BrightFeatures, DarkFeatures
from napari_micromap.descriptors.orientation import Orientation


def discs(count: int, radius: float, side: int = 256, seed: int = 0) -> np.ndarray:
    """Black discs, well apart, on gray noise."""
    rng = np.random.default_rng(seed)
    picture = 0.6 + 0.03 * rng.standard_normal((side, side)).astype(np.float32)
    y, x = np.mgrid[:side, :side]
    step = side // int(np.ceil(np.sqrt(count)))
    for i in range(count):
        cy, cx = step * (i // (side // step)) + step / 2, step * (i % (side // step)) + step / 2
        picture[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = 0.1
    return picture


def test_every_descriptor_measures_numbers_and_constant_pictures_do_not_stop_it() -> None:
    for name in DESCRIPTORS:
        for gray in (as_gray(discs(9, 8)), np.full((64, 80), 0.5, np.float32)):
            measured = DESCRIPTORS[name]()(gray, 0.01)
            assert measured.values and all(isinstance(v, float) for v in measured.values.values())
            assert measured.mask is None or measured.mask.shape == gray.shape


def test_pores_are_counted_sized_and_outlined() -> None:
    measured = DarkFeatures()(discs(16, 8), None)
    assert measured.values["dark area fraction"] == pytest.approx(16 * np.pi * 64 / 256**2, rel=0.25)  # blurred rims
    assert measured.values["dark size (px)"] == pytest.approx(16, rel=0.1)
    assert measured.values["dark features per 100 px²"] == pytest.approx(100 * 16 / 256**2, rel=0.01)
    assert measured.values["dark elongation"] == pytest.approx(1.0, abs=0.1)
    assert measured.mask is not None and measured.mask.mean() == measured.values["dark area fraction"]


def test_lengths_are_in_micrometers_where_the_scale_is_known() -> None:
    in_px, in_um = DarkFeatures()(discs(16, 8), None), DarkFeatures()(discs(16, 8), 0.05)
    assert in_um.values["dark size (µm)"] == pytest.approx(0.05 * in_px.values["dark size (px)"])


def test_bright_is_dark_of_the_negative() -> None:
    gray = discs(9, 8)
    dark, bright = DarkFeatures()(gray).values, BrightFeatures()(-gray).values
    assert list(dark.values()) == pytest.approx(list(bright.values()))


def test_orientation_follows_the_lines() -> None:
    y, x = np.mgrid[:128, :128]
    for degrees in (0, 30, 90, 120):
        across = np.radians(degrees + 90)
        lines = 0.5 + 0.5 * np.sin((x * np.cos(across) + y * np.sin(across)) / 3)
        values = Orientation()(lines.astype(np.float32)).values
        away = abs((values["orientation (°)"] - degrees + 90) % 180 - 90)
        assert away < 2
        assert values["orientation coherence"] > 0.9


def test_correlation_length_grows_with_the_grains() -> None:
    from scipy import ndimage

    noise = np.random.default_rng(0).standard_normal((256, 256))
    lengths = [
        CorrelationLength()(as_gray(ndimage.gaussian_filter(noise, s))).values["correlation length (px)"]
        for s in (1, 2, 4)
    ]
    assert lengths[0] < lengths[1] < lengths[2]
    assert lengths[1] == pytest.approx(2 * 2, rel=0.15)  # a Gaussian's correlation falls to 1/e at 2 σ


def test_porosity_and_pore_size_of_films_follow_their_true_masks() -> None:
    from scipy import ndimage
    from scipy.stats import spearmanr

    from napari_micromap.sources.films import render
    from napari_micromap.sources.films.recipes import make_films

    measured, truth = [], []
    for index, made in enumerate(make_films(36, 0)):
        picture, surface = render(made.film, np.random.default_rng(index))
        values = DarkFeatures()(as_gray(picture)).values
        measured.append((values["dark area fraction"], values["dark size (px)"]))
        count = ndimage.label(surface.pores)[1]
        truth.append((surface.pores.mean(), np.sqrt(4 / np.pi * surface.pores.sum() / max(count, 1))))
    for i in range(2):
        assert spearmanr([m[i] for m in measured], [t[i] for t in truth]).statistic >= 0.9

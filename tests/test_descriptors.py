"""What is counted in a picture agrees with what was drawn into it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_micromap.descriptors import as_gray
from napari_micromap.descriptors.correlation import CorrelationLength
from napari_micromap.descriptors.features import BrightFeatures, DarkFeatures
from napari_micromap.descriptors.insets import insets
from napari_micromap.descriptors.measuring import Measuring
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
    for descriptor in Measuring().descriptors.values():
        for gray in (as_gray(discs(9, 8)), np.full((64, 80), 0.5, np.float32)):
            measured = descriptor(gray, 0.01)
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


def test_what_is_left_out_is_not_counted_and_its_frame_is_no_edge() -> None:
    picture = discs(16, 8)
    boxed = picture.copy()
    boxed[:60, :60] = 0.0  # a black box over one disc
    out = np.zeros(picture.shape, bool)
    out[:60, :60] = True
    for name, descriptor in Measuring().descriptors.items():
        clean = descriptor(boxed, None, out).values
        other = descriptor(np.where(out, np.float32(1.0), boxed), None, out).values
        assert list(clean.values()) == pytest.approx(list(other.values()), nan_ok=True), name  # whatever stands there
    whole, part = DarkFeatures()(picture).values, DarkFeatures()(boxed, None, out).values
    assert part["dark area fraction"] == pytest.approx(whole["dark area fraction"], rel=0.1)
    assert part["dark size (px)"] == pytest.approx(whole["dark size (px)"], rel=0.05)


def test_insets_letter_boxes_and_colored_marks_are_found_and_pores_are_not() -> None:
    gray = (255 * as_gray(discs(16, 8))).clip(5, 250).astype(np.uint8)
    assert not insets(gray).any()
    gray[4:30, 4:40] = 255  # a letter box with a letter
    gray[10:22, 15:20] = 0
    gray[150:250, 150:152] = gray[150:250, 248:250] = gray[150:152, 150:250] = gray[248:250, 150:250] = 255  # a frame
    found = insets(gray)
    assert found[4:30, 4:40].all() and found[150:250, 150:250].all()
    assert found.sum() == 26 * 36 + 100 * 100
    colored = np.dstack([gray] * 3)
    colored[100:110, 60:80] = (255, 220, 0)
    assert insets(colored)[100:110, 60:80].all()


def test_large_pictures_are_made_smaller_and_lengths_stay_those_of_the_file() -> None:
    picture = (255 * discs(16, 8).clip(0, 1)).astype(np.uint8)
    small, large = Measuring(), Measuring(longest=512)
    one = small.prepared(picture).measured(small.descriptors["dark"]).values
    many = large.prepared(np.kron(picture, np.ones((4, 4), np.uint8))).measured(large.descriptors["dark"]).values
    assert many["dark size (px)"] == pytest.approx(4 * one["dark size (px)"], rel=0.1)
    assert many["dark features per 100 px²"] == pytest.approx(one["dark features per 100 px²"] / 16, rel=0.05)


def test_brightness_is_that_of_the_file_and_not_of_the_stretched_picture() -> None:
    picture = np.full((64, 64), 51, np.uint8)
    picture[::2] = 102
    values = Measuring().prepared(picture).measured(Measuring().descriptors["gray"]).values
    assert values["gray mean"] == pytest.approx(0.3) and values["gray spread"] == pytest.approx(0.1)


def test_only_values_that_a_mask_counts_are_outlined() -> None:
    for name, descriptor in Measuring().descriptors.items():
        found = Measuring().prepared((255 * discs(9, 8).clip(0, 1)).astype(np.uint8)).measured(descriptor)
        assert found.mask is not None and found.threshold and found.outlined, name
        assert set(found.outlined) <= set(found.values)


def test_letter_boxes_of_lossy_pictures_beside_a_margin_are_found() -> None:
    from io import BytesIO

    from PIL import Image

    gray = (200 * as_gray(discs(16, 8))).clip(20, 200).astype(np.uint8)
    gray[:5] = gray[:, :5] = 255  # a thin margin
    gray[:40, :60] = 255
    gray[10:30, 20:24] = 0
    packed = BytesIO()
    Image.fromarray(gray).save(packed, "JPEG", quality=85)
    found = insets(np.asarray(Image.open(packed)))
    assert found[2:38, 2:58].mean() > 0.95 and not found[45:, 70:].any()


def test_fast_filters_give_what_the_usual_libraries_give() -> None:
    from scipy import ndimage
    from skimage.feature import local_binary_pattern
    from skimage.measure import label, regionprops_table

    from napari_micromap.descriptors.features import _shapes
    from napari_micromap.descriptors.filters import closed, middle_of, opened, wide_blur
    from napari_micromap.descriptors.texture import _patterns

    rng = np.random.default_rng(0)
    picture = ndimage.gaussian_filter(rng.random((61, 90)), 1).astype(np.float32)
    for width in (3.0, 15.0, 40.0):  # also wider than the picture
        np.testing.assert_allclose(wide_blur(picture, width), ndimage.gaussian_filter(picture, width), atol=1e-6)
    assert middle_of(picture) == np.median(picture) and middle_of(picture[:, :-1][:60]) == np.median(picture[:60, :-1])
    flat = ndimage.binary_dilation(rng.random((61, 90)) > 0.97, iterations=2)
    for sides in ((9, 9), (1, 7), (70, 1)):
        assert (opened(flat, sides) == ndimage.binary_opening(flat, np.ones(sides, bool))).all()
    around = ndimage.binary_closing(np.pad(flat, 9), np.ones((7, 5), bool))[9:-9, 9:-9]
    assert (closed(flat, (7, 5)) == around).all()
    labels = label(flat).astype(np.int32)
    known = regionprops_table(labels, properties=("area", "axis_major_length", "axis_minor_length"))
    areas, elongations = _shapes(labels, flat)
    np.testing.assert_allclose(areas, known["area"])
    np.testing.assert_allclose(elongations, known["axis_major_length"] / np.maximum(known["axis_minor_length"], 1))
    gray = (255 * as_gray(picture)).astype(np.uint8)
    assert np.mean(_patterns(gray) == local_binary_pattern(gray, 8, 1, "uniform")) > 0.999  # ties aslant are rounded

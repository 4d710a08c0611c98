"""The same material, photographed otherwise: almost the same embedding by the preset, and not by the plain way."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.microscopy.bar import find_bar
from napari_micromap.presets import PRESETS, changed
from napari_micromap.recipe import Recipe, batch_of, pooled_depths, prepare_windows, views_of
from napari_micromap.recipe.views import depths_joined

OURS = PRESETS["micromap"].recipe
PLAIN = PRESETS["paper"].recipe  # by the same network: the weights of the paper's are not here
FIELD = 512  # pixels a side

Embed = Callable[..., Any]


@pytest.fixture(scope="module")
def embed() -> Any:
    """Embed a picture by a recipe with the network that is always here and is trained."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    network = EfficientNetLite0().load("cpu")

    def made(picture: Any, recipe: Recipe, um_per_px: float = math.nan) -> Any:
        squares = prepare_windows(picture, recipe, um_per_px)
        depths = pooled_depths(map(network.maps, views_of(batch_of(list(squares)), recipe.views)), recipe.depths)
        return depths_joined([depth.mean(dim=0, keepdim=True) for depth in depths])[0]

    yield made
    torch.set_num_threads(before)


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def grains(width: float, seed: int, side: int = FIELD) -> Any:
    """Rounded grains of some pixels on a darker ground, (side, side) 0–255, with the noise of a detector."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    level = gaussian_filter(rng.standard_normal((side, side)), width)
    return 40 + 150 / (1 + np.exp(-4 * level / level.std())) + 4 * rng.standard_normal((side, side))


def lines(width: float, seed: int) -> Any:
    """Scratches, nearly all in one direction."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    level = gaussian_filter(rng.standard_normal((FIELD, FIELD)), (width, 12 * width))
    return 110 + 60 * np.tanh(level / level.std()) + 4 * rng.standard_normal((FIELD, FIELD))


def eight_bit(picture: Any) -> Any:
    return np.rint(picture.clip(0, 255)).astype(np.uint8)


TEXTURES = {"fine grains": grains(2, 0), "coarse grains": grains(6, 1), "scratches": lines(1.5, 2)}
ON_ALL = pytest.mark.parametrize("texture", TEXTURES.values(), ids=TEXTURES)


def test_textures_differ_more_than_what_follows_allows(embed: Embed) -> None:
    for recipe in (OURS, PLAIN):
        made = [embed(eight_bit(texture), recipe) for texture in TEXTURES.values()]
        assert max(cosine(one, other) for one, other in combinations(made, 2)) < 0.7


# ------------------------------------------------------------ with and without its data bar


def with_bar(picture: Any, rows: int = 56) -> Any:
    """Put a black panel below, with bright writing."""
    panel = np.zeros((rows, picture.shape[1]), np.uint8)
    for start in range(20, 460, 14):
        panel[16:40, start : start + 2 + start % 9] = 255
    return np.vstack([picture, panel])


@ON_ALL
def test_a_data_bar_does_not_matter(texture: Any, embed: Embed) -> None:
    bare = eight_bit(texture)
    barred = with_bar(bare)
    cropped = barred[: len(barred) - find_bar(barred).rows]
    assert cosine(embed(cropped, OURS), embed(bare, OURS)) > 0.9999
    assert cosine(embed(barred, PLAIN), embed(bare, PLAIN)) < 0.8


# ------------------------------------------------------------ bit depth, brightness


def with_hot_pixels(picture: Any, top: int) -> Any:
    """Let one pixel in two thousand stand at the end of the range, as detectors do."""
    hot = picture.copy()
    hot.ravel()[::2003] = top
    return hot


@ON_ALL
def test_bit_depth_does_not_matter(texture: Any, embed: Embed) -> None:
    """Twelve bits in sixteen, with hot pixels, as cameras write; and eight."""
    deep = with_hot_pixels(np.rint(texture.clip(0, 255) * 16).astype(np.uint16), 65535)
    assert cosine(embed(deep, OURS), embed(eight_bit(texture), OURS)) > 0.999
    assert cosine(embed(deep, PLAIN), embed(eight_bit(texture), PLAIN)) < 0.6


@ON_ALL
def test_brightness_and_contrast_of_the_session_do_not_matter(texture: Any, embed: Embed) -> None:
    before = with_hot_pixels(eight_bit(texture), 255)
    brightened = with_hot_pixels(eight_bit(0.6 * texture + 20), 255)
    assert cosine(embed(brightened, OURS), embed(before, OURS)) > 0.999
    assert cosine(embed(brightened, PLAIN), embed(before, PLAIN)) < 0.985


# ------------------------------------------------------------ direction


@ON_ALL
def test_flips_and_quarter_turns_do_not_matter(texture: Any, embed: Embed) -> None:
    upright = eight_bit(texture)
    for turn in (np.fliplr, np.flipud, np.rot90, np.transpose):
        assert cosine(embed(turn(upright), OURS), embed(upright, OURS)) > 0.9999


def test_the_plain_way_tells_directions_apart(embed: Embed) -> None:
    upright = eight_bit(TEXTURES["scratches"])
    assert cosine(embed(np.rot90(upright), PLAIN), embed(upright, PLAIN)) < 0.6


# ------------------------------------------------------------ magnification


@pytest.mark.parametrize("width", [4.0, 8.0])
def test_at_one_scale_the_magnification_does_not_matter(width: float, embed: Embed) -> None:
    """The same material at 0.1 and 0.2 µm a pixel, other places of it, brought to 0.2."""
    near = eight_bit(grains(width, 10))
    whole = grains(width, 11, 2 * FIELD)
    far = eight_bit(whole.reshape(FIELD, 2, FIELD, 2).mean(axis=(1, 3)))
    one_scale = changed(PRESETS["micromap"], scale="chosen", um_per_px=0.2)
    at_one_scale = cosine(embed(near, one_scale, 0.1), embed(far, one_scale, 0.2))
    assert at_one_scale > 0.96
    assert cosine(embed(near, PLAIN), embed(far, PLAIN)) < 0.7
    assert cosine(embed(near, OURS), embed(far, OURS)) < 0.85, "a scale must be named: it is not in the preset"

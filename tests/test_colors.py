"""Values to colors, and their legends."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_micromap.colors import (
    CATEGORY_COLORS,
    DARK_GROUND,
    LIGHT_GROUND,
    MISSING,
    WHITE,
    Coloring,
    colors_of,
    contrast,
    luminance,
    outline_on,
    plain,
)

ONE_EIGHT_BIT_STEP = 0.002  # in luminance: what rounding to bytes can cost
GROUNDS = (DARK_GROUND, LIGHT_GROUND, WHITE)


@pytest.fixture
def jc() -> pd.Series:
    values = np.random.default_rng(0).uniform(0.8, 4.1, 60)
    values[[3, 40]] = np.nan
    return pd.Series(values, name="Jc (MA/cm²)")


@pytest.mark.parametrize("reversed", [False, True])
def test_the_scale_gets_steadily_lighter(jc: pd.Series, reversed: bool) -> None:
    ramp = colors_of(jc, reversed=reversed).ramp
    lightness = np.array([luminance(color) for color in (ramp[::-1] if reversed else ramp)])
    assert (np.diff(lightness) > -ONE_EIGHT_BIT_STEP).all()
    assert (lightness[6:] > lightness[:-6]).all()


def test_a_signed_scale_is_lightest_at_zero_and_reaches_as_far_both_ways() -> None:
    coloring = colors_of(pd.Series(np.linspace(-1, 3, 41)), diverging=True)
    assert (coloring.low, coloring.high) == (-3, 3)
    lightness = [luminance(color) for color in coloring.ramp]
    assert 120 <= int(np.argmax(lightness)) <= 135
    assert coloring.rgb[10].tolist() == pytest.approx(coloring.ramp[127].tolist(), abs=2)


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_dot_stands_out_by_its_color_or_its_outline(jc: pd.Series, ground: tuple[int, int, int]) -> None:
    outline = outline_on(ground)
    assert contrast(outline, ground) >= 3
    assert contrast(MISSING, ground) >= 3
    for color in [*CATEGORY_COLORS, *colors_of(jc).ramp, *colors_of(jc, diverging=True).ramp]:
        # A color that is close to the ground is told from it by the outline, and must then differ from the outline.
        assert max(contrast(color, ground), contrast(color, outline)) >= 3


def test_category_colors_are_well_apart() -> None:
    from skimage.color import deltaE_ciede2000, rgb2lab

    lab = rgb2lab(CATEGORY_COLORS[None] / 255.0)[0]
    apart = deltaE_ciede2000(lab[:, None], lab[None])
    assert apart[~np.eye(len(lab), dtype=bool)].min() >= 16


@given(st.lists(st.one_of(st.none(), st.floats(), st.sampled_from([0.0, 1.5])), max_size=40), st.booleans())
def test_the_same_value_has_the_same_color_and_a_higher_one_is_never_darker(values: list, log: bool) -> None:
    series = pd.Series(values, dtype=float)
    coloring = colors_of(series, log=log)
    assert coloring.missing.tolist() == series.isna().tolist()
    assert (coloring.rgb[coloring.missing] == MISSING).all()
    known = series.dropna().sort_values()
    lightness = [luminance(coloring.rgb[row]) for row in known.index]
    assert (np.diff(lightness) > -ONE_EIGHT_BIT_STEP).all()
    for _, same in known.groupby(known):
        assert len(np.unique(coloring.rgb[same.index], axis=0)) == 1


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=3), st.integers(-3, 3), st.booleans(), st.dates(), st.floats()),
        max_size=30,
    )
)
def test_any_column_can_be_colored(values: list) -> None:
    coloring = colors_of(pd.Series(values, dtype=object))
    assert coloring.rgb.shape == (len(values), 3)
    assert coloring.rgb.dtype == np.uint8
    listed = sum(entry.count for entry in coloring.entries)
    assert coloring.kind in ("continuous", "none") or listed + coloring.missing_count == len(values)
    for row, code in enumerate(coloring.codes):
        assert code < 0 or tuple(coloring.rgb[row]) == coloring.entries[code].color


def test_numbers_are_a_scale_with_round_ticks_inside_it(jc: pd.Series) -> None:
    coloring = colors_of(jc)
    assert coloring.kind == "continuous"
    assert coloring.quantity == "Jc (MA/cm²)"
    assert (coloring.low, coloring.high) == (jc.min(), jc.max())
    assert [label for _, label in coloring.ticks()] == ["1", "2", "3", "4"]
    assert all(0 <= place <= 1 for place, _ in coloring.ticks())
    assert coloring.missing_count == 2


def test_limits_hold_and_values_beyond_take_the_color_of_the_end(jc: pd.Series) -> None:
    coloring = colors_of(jc, low=2, high=3)
    assert (coloring.rgb[(jc < 2).to_numpy()] == coloring.ramp[0]).all()
    assert (coloring.rgb[(jc > 3).to_numpy()] == coloring.ramp[-1]).all()


def test_infinity_is_a_value_at_the_end_of_the_scale() -> None:
    coloring = colors_of(pd.Series([*range(20), np.inf, -np.inf, np.nan]))
    assert (coloring.low, coloring.high) == (0, 19)
    assert coloring.rgb[20].tolist() == coloring.ramp[-1].tolist()
    assert coloring.rgb[21].tolist() == coloring.ramp[0].tolist()
    assert coloring.missing_count == 1


def test_a_logarithmic_scale_has_a_tick_a_decade_and_zero_at_its_low_end() -> None:
    coloring = colors_of(pd.Series([0.0, -1.0, *10.0 ** np.linspace(-2, 3, 20)]), log=True)
    assert coloring.log
    assert (coloring.rgb[:2] == coloring.ramp[0]).all()
    assert [label for _, label in coloring.ticks(6)] == ["0.01", "0.1", "1", "10", "100", "1000"]
    middle = colors_of(pd.Series([1.0, 10.0, 100.0]), log=True)
    assert middle.rgb[1].tolist() == pytest.approx(middle.ramp[127].tolist(), abs=2)


def test_values_without_a_logarithm_stay_on_a_plain_scale() -> None:
    assert not colors_of(pd.Series(-np.arange(20.0)), log=True).log


def test_few_valued_numbers_are_ordered_steps() -> None:
    coloring = colors_of(pd.Series([10, 0.5, 2, 5, np.nan] * 4, name="filler (wt %)"))
    assert coloring.kind == "steps"
    assert [entry.label for entry in coloring.entries] == ["0.5", "2", "5", "10"]
    assert [entry.count for entry in coloring.entries] == [4] * 4
    assert np.all(np.diff([luminance(entry.color) for entry in coloring.entries]) > 0)


def test_a_single_value_is_one_step() -> None:
    coloring = colors_of(pd.Series([5.0, 5.0]))
    assert [(entry.label, entry.count) for entry in coloring.entries] == [("5", 2)]
    assert colors_of(pd.Series([5.0]), kind="continuous").ticks() == [(0.5, "5")]


def test_text_that_is_all_numbers_is_numbers_and_else_names() -> None:
    assert colors_of(pd.Series(["1", " 2.5", None, "3e1"])).kind == "steps"
    assert colors_of(pd.Series(["1", "2", "x"])).kind == "categories"
    assert colors_of(pd.Series(["007", "010"])).kind == "categories"  # names of samples, not numbers
    assert colors_of(pd.Series(["", " ", None])).kind == "none"


def test_names_are_listed_in_natural_order_with_their_counts() -> None:
    coloring = colors_of(pd.Series(["film 10", "film 2", None, "Film 1", "film 2"]))
    assert [(entry.label, entry.count) for entry in coloring.entries] == [("Film 1", 1), ("film 2", 2), ("film 10", 1)]
    assert coloring.missing_count == 1
    assert coloring.entries[0].color == tuple(CATEGORY_COLORS[0])


def test_too_many_names_leave_the_largest_and_other() -> None:
    names = [f"F{index:03d}" for index in range(30) for _ in range(1 + index % 20)]
    coloring = colors_of(pd.Series(names))
    assert len(coloring.entries) == 16
    assert coloring.entries[-1].label == "15 others"
    kept = {entry.label for entry in coloring.entries[:-1]}
    assert "F019" in kept
    assert "F000" not in kept
    assert len(colors_of(pd.Series(names[:210])).entries) == 20


def test_yes_and_no_are_names() -> None:
    for values in (pd.Series([True, False, None]), pd.Series([True, None, False], dtype="boolean")):
        coloring = colors_of(values)
        assert [entry.label for entry in coloring.entries] == ["no", "yes"]
        assert coloring.missing_count == 1


def test_dates_are_a_scale_and_few_days_are_steps() -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=60, freq="D", tz="Europe/Berlin"))
    coloring = colors_of(days)
    assert coloring.dates
    assert coloring.end_labels == ("2024-01-01", "2024-02-29")
    assert next(label for _, label in coloring.ticks()) == "2024-01-01"
    as_text = colors_of(days.dt.strftime("%Y-%m-%d").astype(object))
    np.testing.assert_array_equal(as_text.rgb, coloring.rgb)
    few = colors_of(pd.Series([datetime.date(2024, 3, day) for day in (1, 2, 2)]))
    assert [entry.label for entry in few.entries] == ["2024-03-01", "2024-03-02"]


def test_ordered_categories_keep_their_order() -> None:
    values = pd.Series(pd.Categorical(["low", "high", "low"], ["low", "mid", "high"], ordered=True))
    coloring = colors_of(values)
    assert coloring.kind == "steps"
    assert [entry.label for entry in coloring.entries] == ["low", "high"]


def test_numbers_can_be_taken_as_names() -> None:
    assert colors_of(pd.Series([3, 1, 2]), kind="categories").kind == "categories"


def test_without_a_value_all_is_missing_and_without_a_column_nothing_is() -> None:
    nothing = colors_of(pd.Series([None, np.nan]))
    assert (nothing.kind, nothing.missing_count) == ("none", 2)
    every: Coloring = plain(3)
    assert (every.kind, every.missing_count, len(every)) == ("none", 0, 3)


def test_coloring_does_not_depend_on_the_index_of_the_table(jc: pd.Series) -> None:
    shuffled = jc.copy()
    shuffled.index = [f"row {index}" for index in range(len(jc))]
    np.testing.assert_array_equal(colors_of(shuffled).rgb, colors_of(jc).rgb)


def seen_by_a_deuteranope(rgb: np.ndarray) -> np.ndarray:
    """Colors as seen without the middle cone (Machado, Oliveira, Fernandes 2009, DOI: 10.1109/TVCG.2009.113)."""
    matrix = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ np.transpose(matrix)
    clipped = np.clip(linear, 0, 1)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055) * 255


def test_the_order_of_lightness_survives_deuteranopia(jc: pd.Series) -> None:
    seen = [luminance(color) for color in seen_by_a_deuteranope(colors_of(jc).ramp)]
    assert (np.diff(seen) > -ONE_EIGHT_BIT_STEP).all()
    assert (np.array(seen[8:]) > np.array(seen[:-8])).all()
    steps = colors_of(pd.Series([10, 20, 30, 40, 50], name="filler (wt %)"))
    seen = [luminance(color) for color in seen_by_a_deuteranope(np.array([entry.color for entry in steps.entries]))]
    assert (np.diff(seen) > 0.02).all()

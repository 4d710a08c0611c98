"""What differs between two groups of micrographs, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Rows
from napari_micromap.descriptors import in_lengths
from napari_micromap.descriptors.measuring import Measuring
from napari_micromap.labels import number
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import OF_A_FILE, predictions_in, samples_of
from napari_micromap.questions.reliability import RELIABLE
from napari_micromap.statistics.groups import Contrast, contrast_of, shares_of
from napari_micromap.wording import counted, counts_of, listed, picture_noun, quantity_of, sample_noun

Source: TypeAlias = Literal["image", "table", "header"]  # where a quantity comes from
Table: TypeAlias = Mapping[str, NDArray[np.float64]]  # quantity to (n,) values, NaN where missing

AXIAL = "orientation (°)"  # 179° lies beside 0°
_SHARES = ("area fraction", "edge density", "share", "gray mean", "gray spread")  # said in percent
_NAMED = {"inside", "outside"}  # what a column of a named selection says: the groups themselves
_MOST_CATEGORIES = 40  # a column with more different texts names something
_ALIKE = 1.1  # ratio of scales from which on they are called mixed


@dataclass(frozen=True)
class Side:
    """One of the two groups."""

    name: str
    rows: Rows
    said: str  # counts in words: "23 images of 5 films"


@dataclass(frozen=True)
class Difference:
    """How a quantity differs between the groups.

    Parameters
    ----------
    name : str
        Column or descriptor, with its unit.
    source : "image", "table" or "header"
        Counted in the pictures, measured by somebody, or told by the microscope.
    contrast : Contrast
        In the quantity's own unit.
    """

    name: str
    source: Source
    contrast: Contrast

    @property
    def size(self) -> float:
        """Absolute effect, by which differences are sorted; a constant difference without spread comes first."""
        effect = self.contrast.effect
        if np.isfinite(effect):
            return abs(effect)
        return np.inf if self.contrast.difference else -1.0

    @property
    def amounts(self) -> tuple[str, str]:
        """Both means with their unit."""
        span = abs(self.contrast.difference) or abs(self.contrast.mean_a)
        return self.amount(self.contrast.mean_a, span), self.amount(self.contrast.mean_b, span)

    @property
    def ends(self) -> str:
        """The interval with its unit."""
        span = self.contrast.high - self.contrast.low
        unit = f" {self._unit}" if self._unit else ""
        low, high = (number(self._times * end, self._times * span) for end in (self.contrast.low, self.contrast.high))
        return f"{low} to {high}{unit}"

    def amount(self, value: float, span: float) -> str:
        """Write a value with its unit, as finely as a span asks for; shares in percent."""
        unit = f" {self._unit}" if self._unit else ""
        return f"{number(self._times * value, self._times * span)}{unit}"

    @property
    def _is_share(self) -> bool:
        return self.source == "image" and self.name.endswith(_SHARES)

    @property
    def _times(self) -> float:
        return 100.0 if self._is_share else 1.0

    @property
    def _unit(self) -> str:
        return "%" if self._is_share else quantity_of(self.name)[1]


@dataclass(frozen=True)
class Shares:
    """How often each value of a column occurs in the groups, samples weighing equally."""

    name: str
    values: tuple[tuple[str, float, float], ...]  # value, share in A, share in B; the most different first


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two groups of micrographs, and how they differ.

    Parameters
    ----------
    differences : the largest effect first
    shares : columns of texts, the most different first
    notes : sentences that say how far all this can be trusted
    unread : names of micrographs that could not be measured, with the reason
    """

    a: Side
    b: Side
    measuring: Measuring
    differences: tuple[Difference, ...]
    shares: tuple[Shares, ...]
    noun: str
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    values: Table = field(default_factory=dict, repr=False)  # of all measured rows, in the unit that is shown

    def of(self, name: str) -> Difference | None:
        """Return the difference in one quantity."""
        return next((one for one in self.differences if one.name == name), None)

    def sentence(self, difference: Difference) -> str:
        """Say one difference: what, how much, how sure."""
        contrast, (in_a, in_b) = difference.contrast, difference.amounts
        quantity = quantity_of(difference.name)[0]
        more = "the same" if contrast.difference == 0 else "higher" if contrast.difference > 0 else "lower"
        said = f"{quantity} is {more} in {self.a.name}: {in_a} against {in_b} in {self.b.name}"
        if contrast.few:
            return f"{said}. Too few {self.noun}s for an interval; at least 3 on each side are needed."
        beside = f"; difference {difference.ends} (95 % interval over {self.noun}s)"
        sure = "" if contrast.clear else " It could be none."
        return f"{said}{beside}.{sure}"

    def table(self) -> pd.DataFrame:
        """Return all of it, one line a quantity or value."""
        lines: list[dict[str, Any]] = [
            {
                "quantity": one.name, "from": one.source, "A": self.a.name, "B": self.b.name,
                "mean A": one.contrast.mean_a, "mean B": one.contrast.mean_b,
                "difference": one.contrast.difference, "95 % low": one.contrast.low, "95 % high": one.contrast.high,
                "Hedges g": one.contrast.effect, "samples A": one.contrast.samples_a,
                "samples B": one.contrast.samples_b,
            }
            for one in self.differences
        ]  # fmt: skip
        lines += [
            {"quantity": f"share of {one.name} = {value}", "from": "table", "A": self.a.name, "B": self.b.name,
             "mean A": in_a, "mean B": in_b, "difference": in_a - in_b}
            for one in self.shares
            for value, in_a, in_b in one.values
        ]  # fmt: skip
        return pd.DataFrame(lines)


def comparison_of(
    atlas: Atlas,
    a: tuple[str, Rows],
    b: tuple[str, Rows],
    measured: Mapping[int, Mapping[str, float]],
    measuring: Measuring,
    unread: Sequence[str] = (),
) -> Comparison:
    """Compare two groups by what was measured in their pictures and by all columns.

    Parameters
    ----------
    a, b : name and rows
    measured : row to values
        Lengths in pixels of the file.

    Raises
    ------
    Problem
        If a group is empty, or both are the same.
    """
    for name, rows in (a, b):
        if not len(rows):
            raise Problem(f"There is no image in {name}; choose another group.")
    if np.array_equal(a[1], b[1]):
        raise Problem("Both groups are the same images; choose two that differ.")
    rows = np.union1d(a[1], b[1]).astype(np.intp)
    inside_a, inside_b = np.isin(rows, a[1]), np.isin(rows, b[1])
    table, unit_note = _in_units(atlas, rows, measured)
    samples, by_image = _samples(atlas, rows)
    of_sample_a, of_sample_b = (inside & (samples >= 0) for inside in (inside_a, inside_b))
    for name, inside in ((a[0], of_sample_a), (b[0], of_sample_b)):
        if not inside.any():
            raise Problem(
                f"It is not known of which {sample_noun(atlas)} any image in {name} is, and differences are counted by "
                f"{sample_noun(atlas)}; choose another group, or fill in the column “{atlas.sample_column}”."
            )
    found = [
        Difference(name, source, contrast_of(values, samples, inside_a, inside_b, 180.0 if name == AXIAL else None))
        for name, source, values in _quantities(atlas, rows, table)
        if np.isfinite(values[of_sample_a]).any() and np.isfinite(values[of_sample_b]).any()
    ]
    found.sort(key=lambda one: -one.size)
    shares = tuple(sorted(_all_shares(atlas, rows, samples, inside_a, inside_b), key=lambda s: -_apart(s)))
    counted_in = len(set(rows.tolist()) & measured.keys())
    notes = (*_counted_in(counted_in, len(rows)), *_notes(atlas, found, samples, inside_a, inside_b, by_image),
             *([unit_note] if unit_note else []))  # fmt: skip
    sides = [Side(name, chosen, counts_of(atlas, chosen)) for name, chosen in (a, b)]
    return Comparison(
        sides[0], sides[1], measuring, tuple(found), shares, "image" if by_image else sample_noun(atlas),
        notes, tuple(unread), table,
    )  # fmt: skip


def in_shown_units(atlas: Atlas, rows: Rows, measured: Mapping[int, Mapping[str, float]]) -> Table:
    """Return (k,) values of rows by quantity: lengths in µm where the scale of all is known, else in px."""
    scales = atlas.um_per_px[rows]
    known = bool(np.isfinite(scales).all())
    turned = [
        in_lengths(measured.get(row, {}), scale if known else 1.0, "µm" if known else "px")
        for row, scale in zip(rows.tolist(), scales.tolist())
    ]
    names = list(dict.fromkeys(name for values in turned for name in values))
    return {name: np.array([values.get(name, np.nan) for values in turned], float) for name in names}


def _in_units(atlas: Atlas, rows: Rows, measured: Mapping[int, Mapping[str, float]]) -> tuple[Table, str]:
    scales = atlas.um_per_px[rows]
    missing = int(np.isnan(scales).sum())
    note = ""
    if missing:
        some = "" if missing == len(rows) else f" {counted(missing, 'image')} of {len(rows):,}"
        note = f"Lengths are in pixels: no scale is known{f' for{some}' if some else ''}."
    elif scales.max() / scales.min() > _ALIKE:
        note = (
            f"Scales are mixed ({number(1000 * scales.min())}–{number(1000 * scales.max())} nm per px). Lengths are "
            "in µm, but edges, sharpness, GLCM and LBP look at pixels and follow the magnification; so does what is "
            "too small or too large to be seen."
        )
    return in_shown_units(atlas, rows, measured), note


def _samples(atlas: Atlas, rows: Rows) -> tuple[NDArray[np.intp], bool]:
    """Return (k,) the sample of each row, −1 where it has no name, and whether each image is taken for one."""
    samples = samples_of(atlas)
    if samples is None:
        return np.arange(len(rows), dtype=np.intp), True
    codes, _ = pd.factorize(samples.iloc[rows])
    return codes.astype(np.intp), atlas.samples is None


def _quantities(atlas: Atlas, rows: Rows, table: Table) -> Iterator[tuple[str, Source, NDArray[np.float64]]]:
    """Yield descriptors, and all columns of numbers that differ among these rows."""
    for name, values in table.items():
        yield name, "image", values
    made = predictions_in(atlas) | {RELIABLE}
    for name in map(str, atlas.columns):
        column = atlas.columns[name].iloc[rows]
        if name in table or name in made or name in OF_A_FILE or name == atlas.sample_column or not _is_number(column):
            continue
        values = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
        if len(np.unique(values[np.isfinite(values)])) > 1:
            yield name, "header" if name in OWN_COLUMNS or atlas.roles.get(name) == "imaging" else "table", values


def _is_number(column: pd.Series[Any]) -> bool:
    kind = pd.api.types
    if kind.is_bool_dtype(column) or kind.is_datetime64_any_dtype(column):
        return False
    return kind.is_numeric_dtype(column) or bool(pd.to_numeric(column, errors="coerce").notna().any())


def _all_shares(
    atlas: Atlas, rows: Rows, samples: NDArray[np.intp], inside_a: NDArray[np.bool_], inside_b: NDArray[np.bool_]
) -> Iterator[Shares]:
    for name in map(str, atlas.columns):
        column = atlas.columns[name].iloc[rows]
        if name in OF_A_FILE or name == atlas.sample_column or _is_number(column):
            continue
        texts = np.array(["" if v is None or v != v else str(v) for v in column.to_numpy(object)], object)
        different = sorted(set(texts.tolist()) - {""})
        if set(different) <= _NAMED:
            continue
        if not 2 <= len(different) <= min(_MOST_CATEGORIES, max(2, len(rows) // 2)):
            continue
        found = shares_of(texts, different, samples, inside_a, inside_b)
        if found is not None:
            values = [(v, float(s), float(t)) for v, s, t in zip(different, found[0], found[1])]
            yield Shares(name, tuple(sorted(values, key=lambda one: -abs(one[1] - one[2]))))


def _apart(shares: Shares) -> float:
    return sum(abs(in_a - in_b) for _, in_a, in_b in shares.values) / 2


def _counted_in(some: int, rows: int) -> Iterator[str]:
    if 0 < some < rows:
        yield f"Counted in {some:,} of {rows:,} images, drawn from all samples; columns are compared over all images."
    elif some < rows:
        yield "Nothing could be counted in the images; only columns are compared."


def _notes(
    atlas: Atlas, found: Sequence[Difference], samples: NDArray[np.intp], inside_a: NDArray[np.bool_],
    inside_b: NDArray[np.bool_], by_image: bool,
) -> Iterator[str]:  # fmt: skip
    """Say how far the intervals can be trusted."""
    noun = "image" if by_image else sample_noun(atlas)
    intervals = [one for one in found if not one.contrast.few]
    clear = sum(one.contrast.clear for one in intervals)
    if by_image:
        yield "No column names the sample, so images were counted as if each were one; intervals are too narrow."
    if intervals:
        chance = f"{0.05 * len(intervals):.1f}".removesuffix(".0")
        yield (
            f"{counted(len(intervals), 'quantity')} compared; {clear} "
            f"{'interval leaves' if clear == 1 else 'intervals leave'} out zero, about {chance} would by chance. More "
            "still where the groups were drawn on a map of these same images: this describes the groups, it tests "
            "nothing. The tab Property tests."
        )
    both = len(set(samples[inside_a].tolist()) & set(samples[inside_b].tolist()) - {-1})
    if both:
        are, parts = "is" if both == 1 else "are", f"{picture_noun(atlas)}s"
        yield f"{counted(both, noun)} {are} in both groups and counted by share of {parts}."
    nameless = int((samples < 0).sum())
    if nameless:
        yield f"{counted(nameless, 'image')} without a {noun} left out."
    told = [one.name for one in intervals if one.source == "header" and one.contrast.clear]
    if told:
        settings = list(dict.fromkeys(quantity_of(name)[0] for name in told))
        yield f"The groups were also imaged differently: {listed(settings)}."

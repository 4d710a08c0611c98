"""At which scale images are compared, and in which pieces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.recipe import Recipe
from napari_micromap.sources.windows import Cut
from napari_micromap.views.controls import GAP, Paragraph, field_name, side_by_side

STEPS = ("scale", "um_per_px", "windows", "window_um", "window_px", "overlap", "most_windows")  # of the recipe
_SCALES = (("own", "as it is"), ("coarsest", "same for all (coarsest)"), ("chosen", "same for all:"))
_WINDOWS = (("whole", "none"), ("pooled", "several, averaged"), ("each", "each a dot"))


class ScaleAndWindows(QWidget):
    """Asks for the scale of the recipe, and for windows: none, pooled, or each a micrograph of its own."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scale, self.windows, self.unit = _box(_SCALES), _box(_WINDOWS), _box((("um", "µm"), ("px", "px")))
        self.um_per_px = _number(4, 0.0001, 1e4, 0.1, " µm per px")
        self.wide = _number(2, 0.01, 1e6, 512.0, "")
        self.overlap = QSpinBox()
        self.overlap.setRange(0, 90)
        self.overlap.setSuffix(" %")
        self.overlap.setToolTip("Share of a window that its neighbor has as well")
        self.said = Paragraph(muted=True)
        self._known = self._unknown = 0
        self._coarsest = float("nan")
        self._build()
        for box in (self.scale, self.windows, self.unit):
            box.activated.connect(self._on_change)
        for spin in (self.um_per_px, self.wide, self.overlap):
            spin.editingFinished.connect(self._on_change)
        self._show()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        scale = field_name(
            "Scale",
            "Images of different magnification look different for that alone. At the same scale for all, each is\n"
            "brought to one size of pixel and cut into fields of equal size, which are averaged. Nothing is enlarged "
            "more than 1.5 times.",
        )
        windows = field_name(
            "Windows",
            "An image that is squeezed as a whole loses its fine structure. Windows keep it: averaged, they make\n"
            "one dot an image; each a dot, they make a map of places, and an image counts once in every test.",
        )
        layout.addLayout(side_by_side(scale, self.scale, self.um_per_px))
        layout.addLayout(side_by_side(windows, self.windows))
        self.sizes = QWidget()
        rows = QVBoxLayout(self.sizes)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        names = [scale, windows, field_name("Width", "Of a window"), field_name("Overlap", self.overlap.toolTip())]
        for name in names:
            name.setMinimumWidth(max(one.sizeHint().width() for one in names) + GAP)
        rows.addLayout(side_by_side(names[2], self.wide, self.unit))
        rows.addLayout(side_by_side(names[3], self.overlap, 1))
        layout.addWidget(self.sizes)
        layout.addWidget(self.said)

    # ------------------------------------------------------------------ what is chosen

    @property
    def cut(self) -> Cut | None:
        """How windows that are dots are cut; None where they are not wanted."""
        if self.windows.currentData() != "each":
            return None
        return Cut(**self._sizes(), overlap=self.overlap.value() / 100)

    def asked_of(self, recipe: Recipe) -> Recipe:
        """Return a recipe with what is chosen here."""
        pooled = self.windows.currentData() == "pooled"
        scale = self.scale.currentData()
        recipe = replace(
            recipe, scale=scale, um_per_px=self.um_per_px.value() if scale == "chosen" else Recipe.um_per_px,
            windows="pooled" if pooled else "whole",
        )  # fmt: skip
        return replace(recipe, **self._sizes(), overlap=self.overlap.value() / 100) if pooled else recipe

    def use_same_scale(self) -> None:
        """Choose the coarsest scale for all."""
        self._choose(self.scale, "coarsest")
        self._on_change()

    def use_own_scales(self) -> None:
        """Take each image as it is again."""
        self._choose(self.scale, "own")
        self._on_change()

    @property
    def same_scale(self) -> bool:
        """Whether all images are brought to one scale."""
        return bool(self.scale.currentData() != "own")

    # ------------------------------------------------------------------ show

    def show_recipe(self, recipe: Recipe) -> None:
        """Show what a recipe asks for; windows that are dots stay."""
        self._choose(self.scale, recipe.scale)
        if recipe.scale == "chosen":
            self.um_per_px.setValue(recipe.um_per_px)
        if recipe.windows == "pooled" or self.windows.currentData() != "each":
            self._choose(self.windows, recipe.windows)
        self._show()

    def show_atlas(self, atlas: Atlas, cut: Cut | None) -> None:
        """Offer what these images allow; where they are windows, say how they were cut."""
        sizes = atlas.um_per_px
        self._known, self._coarsest = int((sizes > 0).sum()), float(np.nanmax(sizes)) if (sizes > 0).any() else np.nan
        was = self.windows.currentData()
        if atlas.windows is not None:
            self._choose(self.windows, "each")
            if cut is not None:
                self._show_cut(cut)
        elif was == "each" and not len(atlas):
            self._choose(self.windows, "whole")
        elif len(atlas) and self.unit.property("asked") is None:
            self._suggest(atlas)
        self._unknown = len(atlas) - self._known
        self._show()

    def _show_cut(self, cut: Cut) -> None:
        self._choose(self.unit, "um" if cut.window_um > 0 else "px")
        self.wide.setValue(cut.window_um if cut.window_um > 0 else cut.window_px)
        self.overlap.setValue(round(100 * cut.overlap))

    def _suggest(self, atlas: Atlas) -> None:
        """Suggest windows of a round size, about a quarter of the usual image."""
        sides = atlas.columns[["height", "width"]].to_numpy(float).min(axis=1)
        shorter = float(np.median(sides[np.isfinite(sides)])) if np.isfinite(sides).any() else 0.0
        in_um = self._known == len(atlas)
        side = max(32.0, shorter / 3) * (float(np.nanmedian(atlas.um_per_px)) if in_um else 1.0)
        digits = 10.0 ** np.floor(np.log10(side))
        self._choose(self.unit, "um" if in_um else "px")
        self.wide.setValue(float(round(side / digits) * digits) if in_um else float(round(side / 32) * 32))
        if not np.isnan(self._coarsest):
            self.um_per_px.setValue(float(f"{self._coarsest:.3g}"))

    def _show(self) -> None:
        scale, windows = self.scale.currentData(), self.windows.currentData()
        self.um_per_px.setVisible(scale == "chosen")
        self.sizes.setVisible(windows != "whole" and not (scale != "own" and windows == "pooled"))
        self.wide.setDecimals(2 if self.unit.currentData() == "um" else 0)
        self.said.setText(self._sentence())
        self.said.setVisible(bool(self.said.text()))

    def _sentence(self) -> str:
        if self.scale.currentData() == "own":
            return ""
        if not self._known:
            return "No image has a scale yet: say it above, at Scale."
        at = self._coarsest if self.scale.currentData() == "coarsest" else self.um_per_px.value()
        rest = f" {self._unknown:,} without a scale are taken as they are." if self._unknown else ""
        return f"All at {at:.3g} µm per px, in fields of {at * Recipe.side:.3g} µm.{rest}"

    # ------------------------------------------------------------------ within

    def _sizes(self) -> dict[str, Any]:
        if self.unit.currentData() == "um":
            return {"window_um": self.wide.value()}
        return {"window_um": 0.0, "window_px": max(32, round(self.wide.value()))}

    def _on_change(self, _: object = None) -> None:
        self.unit.setProperty("asked", True)
        self._show()
        self.changed.emit()

    def _choose(self, box: QComboBox, value: str) -> None:
        box.setCurrentIndex(box.findData(value))


def _box(lines: tuple[tuple[str, str], ...]) -> QComboBox:
    box = QComboBox()
    for value, label in lines:
        box.addItem(label, value)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(3)
    return box


def _number(decimals: int, low: float, high: float, value: float, suffix: str) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setDecimals(decimals)
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setSuffix(suffix)
    spin.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    spin.setMinimumWidth(70)
    return spin

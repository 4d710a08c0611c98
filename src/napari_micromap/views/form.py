"""A form for any algorithm, from its flat fields."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import MISSING, Field, fields
from inspect import cleandoc
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from magicgui.widgets import create_widget
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QSizePolicy, QWidget

T = TypeVar("T")

# Where a field names no bounds of its own, as in ``Annotated[int, {"min": 2, "max": 200}]``.
_WIDE: dict[Any, dict[str, Any]] = {int: {"min": 0, "max": 2**31 - 1}, float: {"min": 0.0, "max": 1e6, "step": 0.05}}


class Form(QWidget, Generic[T]):
    """Widgets for the fields of a frozen dataclass; called, it gives the instance.

    Parameters
    ----------
    algorithm : type
        A dataclass whose fields are bool, int, float, Literal or ``Path | None``, each with a default.
    start : instance of it, optional
        What the form says at first; the defaults if left out.
    without : names of fields
        Not asked for here: they keep their defaults.
    """

    changed = Signal()

    def __init__(
        self,
        algorithm: type[T],
        start: T | None = None,
        parent: QWidget | None = None,
        without: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._algorithm = algorithm
        self.fields: dict[str, Any] = {}  # magicgui's widgets
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        hints = get_type_hints(algorithm, include_extras=True)
        tips = tooltips(algorithm)
        for field in _asked(algorithm):
            if field.name in without:
                continue
            value = _default(field) if start is None else getattr(start, field.name)
            widget = _widget(field.name, value, hints[field.name], tips.get(field.name, ""))
            self.fields[field.name] = widget
            label = QLabel(field.name.replace("_", " "))
            label.setToolTip(widget.tooltip)
            layout.addRow(label, widget.native)
            widget.changed.connect(self._on_change)

    def __call__(self) -> T:
        """Make the algorithm that the form describes."""
        return self._algorithm(**{name: widget.value for name, widget in self.fields.items()})

    def __len__(self) -> int:
        return len(self.fields)

    def _on_change(self) -> None:
        self.changed.emit()


def form(algorithm: type[T], start: T | None = None, without: Collection[str] = ()) -> Form[T]:
    """Make a form for an algorithm; ``form(cls)()`` equals ``cls()`` until a user changes something."""
    return Form(algorithm, start, without=without)


def summary(algorithm: type[Any]) -> str:
    """Return what an algorithm does: its docstring up to the first section, as a tooltip."""
    text = cleandoc(algorithm.__doc__ or "")
    return _without_sections(text)


def tooltips(algorithm: type[Any]) -> dict[str, str]:
    """Return what the NumPy docstring says of each parameter."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", cleandoc(algorithm.__doc__ or ""), re.M | re.S)
    found: dict[str, str] = {}
    for entry in re.finditer(
        r"^(\S[^\n]*?)(?: : [^\n]*)?\n((?:[ \t]+[^\n]*\n?|\n)*)", section[1] if section else "", re.M
    ):
        text = " ".join(entry[2].split()).replace("``", "")
        found.update((name.strip(), text) for name in entry[1].split(","))
    return found


def _asked(algorithm: type[Any]) -> list[Field[Any]]:
    return [field for field in fields(algorithm) if field.init]


def _default(field: Field[Any]) -> Any:
    if field.default is MISSING:
        raise TypeError(f"the field {field.name} has no default, so it has no place in a form")
    return field.default


def _bounds(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        named = {key: value for note in notes if isinstance(note, dict) for key, value in note.items()}
        return {**_WIDE.get(base, {}), **named}
    return {} if get_origin(hint) is Literal else dict(_WIDE.get(hint, {}))


def _widget(name: str, value: Any, hint: Any, tip: str) -> Any:
    widget: Any = create_widget(value=value, annotation=hint, name=name, options={**_bounds(hint), "tooltip": tip})
    # A narrow dock must not be made wide by the largest number that would fit.
    widget.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    if isinstance(value, float) and hasattr(widget.native, "setDecimals"):
        digits = re.search(r"\.(\d+)$", f"{value:.10f}".rstrip("0"))
        widget.native.setDecimals(max(2, len(digits[1]) if digits else 0))  # not rounded to two digits
        widget.value = value
    return widget


def _without_sections(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", re.split(r"^\S[^\n]*\n-{3,}\n", text, maxsplit=1, flags=re.M)[0])
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())

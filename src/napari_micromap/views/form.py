"""A form for any algorithm, from its flat fields."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from inspect import cleandoc
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from magicgui.widgets import Container, create_widget

T = TypeVar("T")

# Where a field names no bounds of its own, as in ``Annotated[int, {"min": 2, "max": 200}]``.
_WIDE: dict[Any, dict[str, Any]] = {int: {"min": 0, "max": 2**31 - 1}, float: {"min": 0.0, "max": 1e6, "step": 0.05}}


class Form(Container, Generic[T]):
    """Widgets for the fields of a frozen dataclass; called, it gives the instance.

    Parameters
    ----------
    algorithm : type
        A dataclass whose fields are bool, int, float, Literal or ``Path | None``, each with a default.
    start : instance of it, optional
        What the form says at first; the defaults if left out.
    """

    def __init__(self, algorithm: type[T], start: T | None = None) -> None:
        self._algorithm = algorithm
        hints = get_type_hints(algorithm, include_extras=True)
        tips = tooltips(algorithm)
        super().__init__(
            widgets=[
                create_widget(
                    value=_default(field) if start is None else getattr(start, field.name),
                    annotation=hints[field.name],
                    name=field.name,
                    label=field.name.replace("_", " "),
                    options={**_bounds(hints[field.name]), "tooltip": tips.get(field.name, "")},
                )
                for field in _asked(algorithm)
            ],
            labels=True,
        )
        self.margins = (0, 0, 0, 0)
        for field in _asked(algorithm):
            _show_all_digits(self[field.name], _default(field) if start is None else getattr(start, field.name))

    def __call__(self) -> T:
        """Make the algorithm that the form describes."""
        return self._algorithm(**{widget.name: widget.value for widget in self})


def form(algorithm: type[T], start: T | None = None) -> Form[T]:
    """Make a form for an algorithm; ``form(cls)()`` equals ``cls()`` until a user changes something."""
    return Form(algorithm, start)


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


def _show_all_digits(widget: Any, value: Any) -> None:
    """Let a spin box show a number as it is, not rounded to two digits."""
    if isinstance(value, float) and hasattr(widget.native, "setDecimals"):
        digits = re.search(r"\.(\d+)$", f"{value:.10f}".rstrip("0"))
        widget.native.setDecimals(max(2, len(digits[1]) if digits else 0))
        widget.value = value


def _without_sections(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", re.split(r"^\S[^\n]*\n-{3,}\n", text, maxsplit=1, flags=re.M)[0])
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())

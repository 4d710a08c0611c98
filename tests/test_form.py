"""Forms from flat fields."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from napari_micromap.recipe import Recipe
from napari_micromap.views.form import form, summary, tooltips


@dataclass(frozen=True)
class Baker:
    """Bake bread.

    It smells good;
    it takes a while.

    Parameters
    ----------
    loaves : int
        How many ``loaves``.
    heat, cooling : float
        How hot,
        and how fast it cools.
    kind : "rye" or "wheat"
        What grain.
    crust : bool
        Whether it has one.
    book : Path, optional
        A recipe from
        elsewhere.

    References
    ----------
    Nobody, N. (1900). Bread.
    """

    loaves: Annotated[int, {"min": 1, "max": 12}] = 2
    heat: float = 220.0
    cooling: Annotated[float, {"min": 0.0, "max": 1.0}] = 0.25
    kind: Literal["rye", "wheat"] = "wheat"
    views: Literal[1, 8] = 8
    crust: bool = True
    book: Path | None = None


def test_an_untouched_form_gives_the_defaults(qtbot):
    assert form(Baker)() == Baker()
    assert form(Recipe)() == Recipe()


def test_a_form_can_start_from_an_instance(qtbot):
    start = Baker(loaves=3, kind="rye", views=1, crust=False, book=Path("bread.txt"), cooling=0.125)
    assert form(Baker, start)() == start


def test_what_a_user_sets_is_what_comes_out_with_its_type(qtbot, tmp_path):
    asked = form(Baker)
    asked.fields["loaves"].value = 12
    asked.fields["kind"].value = "rye"
    asked.fields["views"].value = 1
    asked.fields["book"].value = str(tmp_path / "other.txt")
    made = asked()
    assert made == Baker(loaves=12, kind="rye", views=1, book=tmp_path / "other.txt")
    assert type(made.loaves) is int and type(made.views) is int and type(made.heat) is float


def test_bounds_hold(qtbot):
    asked = form(Baker)
    with pytest.raises(ValueError, match="12"):
        asked.fields["loaves"].value = 13


def test_the_docstring_becomes_the_tooltips(qtbot):
    assert tooltips(Baker) == {
        "loaves": "How many loaves.",
        "heat": "How hot, and how fast it cools.",
        "cooling": "How hot, and how fast it cools.",
        "kind": "What grain.",
        "crust": "Whether it has one.",
        "book": "A recipe from elsewhere.",
    }
    asked = form(Baker)
    assert asked.fields["book"].tooltip == "A recipe from elsewhere."
    assert summary(Baker) == "Bake bread.\n\nIt smells good; it takes a while."


def test_a_large_number_fits_where_no_bound_is_named(qtbot):
    @dataclass(frozen=True)
    class Seeded:
        seed: int = 20261122

    assert form(Seeded)() == Seeded()


def test_every_field_of_a_form_explains_itself(qtbot):
    asked = form(Recipe)
    for widget in asked.fields.values():
        assert widget.tooltip, widget.name

"""Which lines of a table name its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from napari_micromap.tables.grid import Grid
from napari_micromap.tables.values import Cell, is_missing, looks_like_a_value

_LOOKED_AT = 200  # lines
_DEEPEST = 30  # filled lines from the top in which column names are looked for
_NAMED = 0.6  # of the usual number of cells a line fills that names columns
_BASE = (
    r"(?:[fpnuµμmckdhMGT]?(?:m|g|s|S|A|K|Pa|V|W|Wh|Ah|J|N|Hz|T|eV|bar|mol|M|l|L|Ω|Ohm|ohm|Oe|G|C|F|H|B)|%|‰|°|°C|°F|Å|min|h|d|a|"
    r"(?:wt|at|vol|mol)[.\s-]?%|HV\d*|HRC|HRB|HB|Torr|mTorr|ppm|ppb|px|rpm|sccm|deg|rad|a\.?u\.?|counts|cps|inch|ksi|psi)"
)
_POWER = r"(?:\s?\^?[-−⁻]?[\d²³¹⁻]+)?"
_UNIT = re.compile(rf"[(\[].*[)\]]|(?:1\s?/\s?)?{_BASE}{_POWER}(?:\s?[/·*⋅\s]\s?\(?{_BASE}{_POWER}\)?){{0,3}}")


@dataclass(frozen=True)
class Header:
    """Line numbers that name the columns, first to last, and whether that is beyond doubt."""

    lines: tuple[int, ...]
    certain: bool


def guess_header(grid: Grid) -> Header:
    """Find the lines that name columns: titles above are skipped, a line of groups above and of units below count."""
    lines = grid.lines[:_LOOKED_AT]
    usual = median([_filled(grid, number, cells) for number, cells in lines])
    found = next((k for k in range(min(_DEEPEST, len(lines) - 1)) if _names_columns(grid, lines, k, usual)), None)
    if found is None:
        return Header((lines[0][0],), len(lines) < 3)
    chosen = [found]
    grouped = found > 0 and _groups_above(grid, lines, found)
    if grouped:
        chosen.insert(0, found - 1)
    elif _is_group_line(grid, lines, found):
        chosen.append(found + 1)
    last = chosen[-1]
    if last + 2 < len(lines) and _is_unit_line(lines, last + 1):
        chosen.append(last + 1)
    above = lines[: chosen[0]]
    only_titles = all(_filled(grid, number, cells) <= 1 for number, cells in above)
    return Header(tuple(lines[k][0] for k in chosen), only_titles and not grouped)


def names_from(grid: Grid, header: Sequence[int]) -> list[str]:
    """Write the lines of a header as one name a column: name and unit, or group and name."""
    rows = [cells for number, cells in grid.lines if number in header]
    if not rows:
        return []
    width = max(map(len, rows))
    padded = [[_text(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    for upper, lower in zip(padded[-2::-1], padded[::-1]):  # from below: a name that is merged over several lines
        lower[:] = ["" if cell == above else cell for cell, above in zip(lower, upper)]
    units = padded.pop() if len(padded) > 1 and _are_units([cell for cell in padded[-1] if cell]) else [""] * width
    for upper, lower in pairwise(padded):
        _fill_rightward(upper, lower)
    return [_name([row[k] for row in padded], units[k]) for k in range(width)]


def _fill_rightward(upper: list[str], lower: list[str]) -> None:
    """Let a group stand above all its columns, where a text file could not merge the cells."""
    for k in range(1, len(upper)):
        if not upper[k] and lower[k] and upper[k - 1] and lower[k - 1]:
            upper[k] = upper[k - 1]


def _name(parts: Sequence[str], unit: str) -> str:
    said = " ".join(dict.fromkeys(part for part in parts if part))
    bare = unit.strip().strip("()[]").strip()
    if not bare or is_missing(bare) or f"({bare})" in said or f"[{bare}]" in said:
        return said
    return f"{said} ({bare})" if said else bare


def _text(cell: Cell) -> str:
    return " ".join(str(cell).split())


def _filled(grid: Grid, number: int, cells: Sequence[Cell]) -> int:
    return sum(cell != "" and (number, place) not in grid.spread for place, cell in enumerate(cells))


def _names_columns(grid: Grid, lines: Sequence[tuple[int, list[Cell]]], k: int, usual: float) -> bool:
    number, cells = lines[k]
    said = [cell for cell in cells if cell != ""]
    words = sum(not looks_like_a_value(cell) for cell in said)
    return _filled(grid, number, cells) >= _NAMED * usual and words > 0.5 * len(said)


def _groups_above(grid: Grid, lines: Sequence[tuple[int, list[Cell]]], k: int) -> bool:
    """Say whether the line above names groups of columns: something stands right of its first place, all words."""
    number, cells = lines[k - 1]
    if number != lines[k][0] - 1 or any(cell != "" and looks_like_a_value(cell) for cell in cells):
        return False
    own = [p for p, cell in enumerate(cells) if cell != "" and (number, p) not in grid.spread]
    below = lines[k][1]
    wide = bool(own) and own[0] == 0 and len(own) == 1  # a title over all columns
    return not wide and any(p < len(below) and below[p] != "" for p in own)


def _is_group_line(grid: Grid, lines: Sequence[tuple[int, list[Cell]]], k: int) -> bool:
    """Say whether a line with merged cells stands above one that names what is in them."""
    if k + 2 >= len(lines):
        return False
    number, _ = lines[k]
    places = [p for line, p in grid.spread if line == number]
    below = [cell for cell in lines[k + 1][1] if cell != ""]
    return bool(places) and bool(below) and not any(looks_like_a_value(cell) for cell in below)


def _is_unit_line(lines: Sequence[tuple[int, list[Cell]]], k: int) -> bool:
    """Say whether a line holds units only, each above values."""
    cells = lines[k][1]
    above = lines[k - 1][1]
    told = {
        p: _text(cell) for p, cell in enumerate(cells)
        if cell != "" and not (p < len(above) and above[p] == cell)  # a name that is merged over both lines
    }  # fmt: skip
    units = [place for place, text in told.items() if not is_missing(text)]
    if not units or not _are_units(list(told.values())):
        return False
    below = [row for _, row in lines[k + 1 : k + 40]]
    return all(_are_values([row[place] for row in below if place < len(row)]) for place in units)


def _are_units(texts: Sequence[str]) -> bool:
    return bool(texts) and all(is_missing(text) or _UNIT.fullmatch(text) is not None for text in texts)


def _are_values(cells: Sequence[Cell]) -> bool:
    said = [cell for cell in cells if not (isinstance(cell, str) and is_missing(cell))]
    return bool(said) and sum(map(looks_like_a_value, said)) > 0.5 * len(said)

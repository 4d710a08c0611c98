"""Typical micrographs, and where in them the property shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import numpy as np

from napari_micromap.atlas import Atlas
from napari_micromap.figures.evidence import shares_bar
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import Answer
from napari_micromap.questions.locating import CERTAIN, Located, locate, over, why_not_for
from napari_micromap.recipe import thumbnail
from napari_micromap.report.elements import figure, picture_of, small
from napari_micromap.report.exemplars import Group
from napari_micromap.store.thumbnails import jpeg_of
from napari_micromap.work import Work


def places(
    atlas: Atlas, answer: Answer, groups: list[Group], jpegs: Mapping[int, bytes], caption: Callable[[int], str]
) -> Work[str]:
    """Return the section of heat maps: typical micrographs beside what raises and lowers their prediction.

    Where no place can be shown, the section says why.
    """
    heading, rows = "<section><h2>Where it shows</h2>", [row for group in groups for row in group.rows]
    reason = why_not_for(atlas, answer)
    if reason is None and not rows:
        reason = "No typical images were found."
    found: Located | None = None
    if reason is None:
        try:
            found = yield from locate(atlas, rows, answer.units, answer.nuisance)
        except (Problem, OSError) as error:
            reason = str(error)
    if found is None:
        return f"{heading}<p class=faint>Not shown: {escape(str(reason))}</p></section>"
    shown = []
    for group in (g for g in groups if g.rows):
        pairs = "".join(
            f"<div class=pair>{_pair(atlas, answer, found, row, jpegs, caption)}</div>" for row in group.rows
        )
        shown.append(f"<h3>{escape(group.title)}</h3><div class=row>{pairs}</div>")
    return f"{heading}{_legend(answer, found)}{''.join(shown)}</section>"


def _legend(answer: Answer, found: Located) -> str:
    words, categories = answer.words, answer.units.categories
    what = f"{words.quantity} ({words.unit})" if words.unit else words.quantity
    if categories:
        what = f"from “{categories[0]}” (−) to “{categories[-1]}” (+)"
    said = (
        "What would be added to the prediction if the whole image looked like this place; over an image the shares "
        f"average to its prediction against the mean {words.sample}. Strong colors: {100 * CERTAIN:.0f} % of refits on "
        f"resampled {words.samples} agree on the sign. Cells at the border are faint. The number is split exactly over "
        "cells of the network's maps, whose fields of view overlap; it is no cause. The prediction is that of the "
        "finer layers alone wherever they suffice."
    )
    bar = figure(shares_bar(found.strongest, what), f"Blue lowers, red raises: {what}")
    return f"{bar}<p class=faint>{escape(said)}</p>"


def _pair(
    atlas: Atlas,
    answer: Answer,
    found: Located,
    row: int,
    jpegs: Mapping[int, bytes],
    caption: Callable[[int], str],
) -> str:
    seen = jpegs.get(row)
    picture = picture_of(seen) if seen else thumbnail(atlas[row].specimen())
    one = found.splits[row]
    share = one.prediction - one.base
    colored = jpeg_of(over(np.asarray(picture, np.uint8), one, found.strongest))
    amount = f"{abs(share):.2g}" if answer.units.categories else answer.words.amount(abs(share))
    told = f"prediction {'+' if share >= 0 else '−'}{amount} against the mean"
    return small(seen or jpeg_of(picture), caption(row)) + small(colored, told)

"""Where in micrographs a property shows, as work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.colors import colors_of_signed
from napari_micromap.growing import made_by
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe, batch_of, prepare, turned_back, views_of
from napari_micromap.statistics.evidence import Evidence, StructureTest
from napari_micromap.statistics.nuisance import Nuisance, nuisance_of
from napari_micromap.statistics.units import Units
from napari_micromap.statistics.where import Readout, Split, readout_of, split
from napari_micromap.wording import listed, spoken_column
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from torch import Tensor

    from napari_micromap.backbones import Network
    from napari_micromap.questions.inquiry import Answer


CERTAIN = 0.9  # share of refits that must agree on the sign for a place to be drawn strongly
_WHAT = "goes along with the property"
STRONG, FAINT, BORDER = 0.62, 0.14, 0.35  # opacity; border cells see little of the picture, and are dimmed


@dataclass(frozen=True, eq=False)
class Located:
    """Predictions of some micrographs, split over their pictures.

    Parameters
    ----------
    splits : row to Split
        ``share`` is in units of the property, on the grid of the finest maps over the whole cropped picture.
    readout : Readout
        What predicts, from the first ``readout.mean.size`` dimensions of the embeddings.
    """

    splits: dict[int, Split]
    readout: Readout

    @property
    def strongest(self) -> float:
        """The share that 99 % of all places stay below, up or down: the ends of a scale common to all pictures."""
        shares = np.concatenate([np.abs(one.share).ravel() for one in self.splits.values()])
        return float(np.quantile(shares, 0.99)) or 1.0


def why_not_for(atlas: Atlas, answer: Answer, what: str = _WHAT) -> str | None:
    """Say why no picture can show where a finding comes from, its doubts included; None if one can."""
    reason = why_not(atlas, answer.evidence, what)
    if reason is not None:
        return reason
    within = answer.batch if answer.within_batches is not None else None
    guilty = [spoken_column(s.name) for s in answer.suspects if s.confounds and s.name != within]
    survived = answer.adjusted is not None and (answer.adjusted.p or 1.0) <= 0.05
    if answer.verdict.kind == "confounded" or ((guilty or answer.asked_to_adjust is not None) and not survived):
        how = f" ({listed(guilty)})" if guilty else ""
        return f"How the images were taken{how} may account for the finding, so places could be those of that."
    return None


def why_not(atlas: Atlas, evidence: Evidence | None, what: str = _WHAT) -> str | None:
    """Say why no picture can show where a property comes from; None if one can."""
    recipe = str(atlas.made_by.get("recipe", ""))
    if not recipe:
        return "These vectors were not made from the images here, so no place in an image can be told apart."
    if "windows='pooled'" in recipe:
        return "This map was made from windows of each image; places are shown for maps of whole images only."
    if "scale='" in recipe:
        return (
            "This map was made at the same scale for all, from fields of each image; places are shown for maps of "
            "whole images only."
        )
    if "depths='last'" in recipe:
        return (
            "The last layer of the network alone does not tell places apart; make the map with several layers pooled."
        )
    if evidence is None or not evidence.testable:
        return f"There are too few samples to say what {what}, and so where."
    if evidence.values.shape[1] > 2:
        return "Places can be shown for a number, or for one group against another, not for several categories at once."
    if evidence.rests_on:
        return f"The finding rests on single samples ({evidence.rests_on[0]}), so where it comes from says little."
    if (evidence.p_ridge or 1.0) > 0.05 or evidence.q2 <= evidence.q2_chance_95:
        return "Predictions for left-out samples are no better than chance, so where they come from says nothing."
    return None


def locate(
    atlas: Atlas,
    rows: Rows | Iterable[int],
    units: Units,
    nuisance: Nuisance | None = None,
    *,
    refits: int = 50,
    seed: int = 0,
    device: str = "auto",
) -> Work[Located]:
    """Split the predictions of some micrographs over their pictures, by the depths of :func:`depths_split`.

    Parameters
    ----------
    rows : rows of the atlas
        Which micrographs, one or more.
    units : Units
        The property and the samples that the prediction is fitted to: a number, or one group against another.

    Raises
    ------
    Problem
        If the map was not made from its images here, so that the network cannot look at them again.
    """
    if atlas.embeddings is None:
        raise Problem("Make the map first; what shows where is read from the same network.")
    backbone, recipe = made_by(atlas)
    wanted = [int(row) for row in rows]
    yield Progress("Looking where", 0, len(wanted))
    network = backbone.load(device)
    if network.weights_sha256 != atlas.made_by.get("weights_sha256"):
        raise Problem("The network's weights are not those that the map was made with; make the map anew.")
    splits, readout, depths = {}, None, 0
    for done, row in enumerate(wanted, start=1):
        maps = mean_maps(network, atlas[row].specimen(), recipe)
        if readout is None:
            embeddings = np.asarray(atlas.embeddings[units.rows])
            depths = depths_split(embeddings, units, maps, nuisance)
            readout = readout_of(embeddings[:, : channels_of(maps[:depths])], units, nuisance, refits, seed)
        splits[row] = split(maps[:depths], readout)
        yield Progress("Looking where", done, len(wanted), atlas[row].name)
    assert readout is not None
    return Located(splits, readout)


def depths_split(
    embeddings: NDArray[Any], units: Units, maps: Sequence[NDArray[np.floating[Any]]], nuisance: Nuisance | None = None
) -> int:
    """Return how many depths, the finest first, a prediction is made from to be split.

    Cells of the coarsest maps see most of the picture, so what they add lies elsewhere as well: pores that are taken
    out of one quarter change what the others show. They are left out where the finer depths alone predict better than
    chance, as the test of the whole must; else all depths are split.

    Parameters
    ----------
    embeddings : (n, d)
        Of ``units.rows``.
    maps : arrays of (c, h, w)
        Of any micrograph, one a depth.
    """
    finer = [one for one in maps if one.shape[1] > min(other.shape[1] for other in maps)]
    if not finer:
        return len(maps)
    test = StructureTest(999, influence=False)
    alone = test.only_p(embeddings[:, : channels_of(finer)], units, nuisance or nuisance_of(units))
    holds = alone.p_ridge is not None and alone.p_ridge <= 0.05 and alone.q2 > alone.q2_chance_95
    return len(finer) if holds else len(maps)


def channels_of(maps: Sequence[NDArray[np.floating[Any]]]) -> int:
    """Return how many dimensions of an embedding come from some maps."""
    return sum(len(one) for one in maps)


def painted(split: Split, strongest: float) -> NDArray[np.uint8]:
    """Return (h, w, 4) colors of the shares: one scale for all pictures, faint where the sign is not certain."""
    rgb = colors_of_signed(split.share, strongest)
    alpha = np.where(split.certain >= CERTAIN, STRONG, FAINT)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        alpha[edge] *= BORDER
    return np.dstack([rgb, (255 * alpha).astype(np.uint8)])


def over(gray: NDArray[np.uint8], split: Split, strongest: float) -> NDArray[np.uint8]:
    """Lay the colors over a small picture, (h, w) or (h, w, 3); returns (h, w, 3)."""
    rows, columns = gray.shape[:2]
    colors = painted(split, strongest)
    fine = colors[np.arange(rows) * len(colors) // rows][:, np.arange(columns) * colors.shape[1] // columns]
    below = np.repeat(gray[..., None], 3, axis=2) if gray.ndim == 2 else gray
    share = fine[..., 3:] / 255.0
    return np.asarray(np.rint(share * fine[..., :3] + (1 - share) * below), np.uint8)


def mean_maps(network: Network, specimen: NDArray[Any], recipe: Recipe) -> list[NDArray[np.float32]]:
    """Return the (c, h, w) maps of a specimen, averaged over the views after turning them back, one a depth."""
    sums: list[Tensor] = []
    for view, maps in _seen(network, specimen, recipe, recipe.views):
        used = turned_back(view, maps if recipe.depths == "several" else maps[-1:])
        sums = used if not sums else [total + one for total, one in zip(sums, used)]
    return [(total[0] / recipe.views).float().cpu().numpy() for total in sums]


def _seen(
    network: Network, specimen: NDArray[Any], recipe: Recipe, views: Literal[1, 8]
) -> Iterator[tuple[int, list[Tensor]]]:
    batch = batch_of([prepare(specimen, recipe)])
    for view, picture in enumerate(views_of(batch, views)):
        yield view, network.maps(picture)

"""Windows cut from large micrographs, each a micrograph of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Micrograph, Role, UnreadableFile
from napari_micromap.microscopy.parts import Wholes
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe, cuts_in, gray_of, gray_window, is_blank
from napari_micromap.recipe.contrast import windowed
from napari_micromap.recipe.resizing import resized
from napari_micromap.sources.folder import Folder, read_files
from napari_micromap.sources.several import Several
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from napari_micromap.sources import Source

WHOLE = "micrograph"  # the column that says which one a window was cut from
MOST = 1_000_000
_LOOKED_AT = 16  # windows that the gray range of a micrograph is taken from
_SIDE = 224  # pixels a side at which it is decided whether a window is blank


@dataclass(frozen=True)
class Cut:
    """How windows are cut.

    Parameters
    ----------
    window_um : float
        Width of a window in µm; 0 to take ``window_px`` for all.
    window_px : int
        Width in the image's own pixels, where its scale is unknown or no width in µm is given.
    overlap : float
        Share of a window that its neighbor has as well, at least.
    drop_blank : bool
        Leave out windows that show nothing, such as resin or a hole.
    """

    window_um: Annotated[float, {"min": 0.0, "max": 1e6, "step": 0.1}] = 0.0
    window_px: Annotated[int, {"min": 32, "max": 16384, "step": 32}] = 512
    overlap: Annotated[float, {"min": 0.0, "max": 0.9, "step": 0.05}] = 0.0
    drop_blank: bool = True

    def __call__(self, atlas: Atlas) -> Work[Atlas]:
        """Cut all micrographs of an atlas; its columns are repeated for each window.

        Raises
        ------
        Problem
            If it holds windows already, if there would be too many, or if all are blank.
        """
        if atlas.windows is not None:
            raise Problem("These are windows already; go back to the whole images before cutting other ones.")
        found: list[tuple[int, NDArray[np.int32]]] = []
        unreadable: list[UnreadableFile] = []
        cuts = [self._cuts(atlas, row) for row in range(len(atlas))]
        if (total := sum(map(len, cuts))) > MOST:
            raise Problem(f"There would be {total:,} windows; take larger ones, so that there are fewer than {MOST:,}.")
        wholes = Wholes()
        with closing(in_order(lambda row: self._kept(atlas[row], cuts[row], wholes), range(len(atlas)), 2)) as kept:
            for row, windows in enumerate(kept):
                yield Progress("Cutting", row + 1, len(atlas), atlas[row].name)
                if isinstance(windows, str):
                    unreadable.append(UnreadableFile(str(atlas.paths[row]) or atlas[row].name, windows))
                elif len(windows):
                    found.append((row, windows))
        if not found:
            raise Problem(unreadable[0].reason if unreadable else "All windows are blank; keep blank ones, or take "
                          "larger windows.")  # fmt: skip
        return _windows_of(replace(atlas, unreadable=atlas.unreadable + tuple(unreadable)), found)

    def side_of(self, um_per_px: float) -> float:
        """Return how many of its own pixels a window of an image is wide."""
        return self.window_um / um_per_px if self.window_um > 0 and um_per_px > 0 else float(self.window_px)

    def _cuts(self, atlas: Atlas, row: int) -> NDArray[np.int32]:
        height, width = atlas.columns[["height", "width"]].iloc[row].to_numpy(float)
        top, left, tall, wide = atlas[row].box(int(height), int(width))
        cuts = cuts_in(tall, wide, max(8.0, self.side_of(float(atlas.um_per_px[row]))), self.overlap)
        cuts[:, :2] += [top, left]
        return cuts

    def _kept(self, micrograph: Micrograph, cuts: NDArray[np.int32], wholes: Wholes) -> NDArray[np.int32] | str:
        """Return the windows that show something, or why the micrograph cannot be read."""
        if not self.drop_blank or len(cuts) < 2:
            return cuts
        try:
            # From all over it, so that one bright corner does not make the rest blank.
            some = cuts[np.linspace(0, len(cuts) - 1, min(_LOOKED_AT, len(cuts))).round().astype(int)]
            gray = [gray_of(micrograph.part(_box(cut), wholes))[::4, ::4].ravel() for cut in some]
            usual = Recipe()
            low, high = gray_window(np.concatenate(gray)[None], usual.low_percent, usual.high_percent)

            def shows(cut: NDArray[np.int32]) -> bool:
                bright = windowed(gray_of(micrograph.part(_box(cut), wholes)), (low, high))
                return not is_blank(resized(bright, min(_SIDE, bright.shape[0]), min(_SIDE, bright.shape[1])))

            return cuts[[shows(cut) for cut in cuts]]
        except (Problem, OSError) as error:
            return str(error)


@dataclass(frozen=True)
class Windows:
    """Windows of all micrographs of another source; files that are too large for memory are read in parts.

    Not in the table of sources, because a source in a source fits in no form.

    Parameters
    ----------
    of : Source
        Where the large micrographs come from.
    cut : Cut
        How large the windows are.
    """

    of: Source
    cut: Cut = Cut()

    def __call__(self) -> Work[Atlas]:
        """Gather the micrographs and cut them."""
        if isinstance(self.of, Folder | Several):
            files, base, unreadable = yield from self.of.files()
            atlas = yield from read_files(files, base, unreadable, in_parts=True)
        else:
            atlas = yield from self.of()
        return (yield from self.cut(atlas))


def whole_id(id_: str) -> str:
    """Return the id of the micrograph that a window was cut from; its own for a whole one."""
    return id_.partition("@")[0]


def _box(cut: NDArray[np.int32]) -> tuple[int, int, int, int]:
    top, left, height, width = cut.tolist()
    return top, left, height, width


def _windows_of(atlas: Atlas, found: Sequence[tuple[int, NDArray[np.int32]]]) -> Atlas:
    rows = np.repeat([row for row, _ in found], [len(windows) for _, windows in found]).astype(np.intp)
    windows = np.concatenate([windows for _, windows in found])
    columns = atlas.columns.iloc[rows].reset_index(drop=True)
    names = _names(atlas)[rows]
    sizes = np.nan_to_num(atlas.um_per_px[rows], nan=0.0)
    in_um = bool((sizes > 0).all())
    middle = (windows[:, :2] + windows[:, 2:] / 2) * (sizes[:, None] if in_um else 1.0)
    unit = "µm" if in_um else "px"
    columns = columns.assign(height=windows[:, 2].astype(int), width=windows[:, 3].astype(int), bar_rows=0)
    if "bar_side" in columns:
        columns["bar_side"] = pd.Series([None] * len(columns), dtype=object)
    places: dict[str, Any] = {
        WHOLE: names, f"x in image ({unit})": middle[:, 1].round(4), f"y in image ({unit})": middle[:, 0].round(4),
    }  # fmt: skip
    columns = pd.concat([columns.drop(columns=[n for n in places if n in columns]), pd.DataFrame(places)], axis=1)
    ids = [f"{atlas.ids[row]}@{','.join(map(str, cut))}" for row, cut in zip(rows.tolist(), windows.tolist())]
    live = {id_: atlas.live[whole] for id_ in ids if (whole := whole_id(id_)) in atlas.live}
    roles: dict[str, Role] = {**atlas.roles, **dict.fromkeys(places, "other")}
    if atlas.sample_column is None:
        roles[WHOLE] = "sample"  # windows of one micrograph never count as samples of their own
    return replace(
        atlas, columns=columns, ids=np.array(ids, np.str_), paths=atlas.paths[rows], pages=atlas.pages[rows],
        live=MappingProxyType(live), roles=MappingProxyType(roles), windows=windows,
    ).with_embeddings(None, {})  # fmt: skip


def _names(atlas: Atlas) -> NDArray[np.object_]:
    """Name each micrograph by its file; by folder and page, too, where files have the same name."""
    names = atlas.columns["file"].astype(str)
    if names.duplicated().any():
        folders = atlas.columns["folder"].fillna("").astype(str)
        names = folders.where(folders == "", folders + "/") + names
    if names.duplicated().any():
        names = names + [f" [{page + 1}]" for page in atlas.pages.tolist()]
    if names.duplicated().any():
        names = names + [f" ({number + 1})" for number in names.groupby(names).cumcount()]
    return names.to_numpy(object)

"""Collections that change while they are open: new micrographs join, missing files are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_micromap import growing, pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.growing import Growth
from napari_micromap.problems import Problem
from napari_micromap.sources.folder import Folder
from napari_micromap.wording import counted
from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.session.model import Session
    from napari_micromap.sources import Source


class Growing:
    """Looks for new micrographs and for files that moved; work in the lane *build*."""

    grown = Signal(object)  # growing.Growth: what a look at the source found
    fresh_changed = Signal(object)  # frozenset[str]: see `fresh`

    def __init__(self, session: Session) -> None:
        self._session = session
        self.images_missing = False  # whether files were not found when it was last looked for them
        self._fresh: frozenset[str] = frozenset()

    @property
    def fresh(self) -> frozenset[str]:
        """Ids of micrographs that joined since the map was made: it was not made of them."""
        return self._fresh

    def set_fresh(self, ids: Iterable[str]) -> None:
        """Say which micrographs the map was not made of."""
        fresh = frozenset(ids)
        if fresh != self._fresh:
            self._fresh = fresh
            self.fresh_changed.emit(fresh)

    def grow(self, source: Source | None = None) -> None:
        """Look through the source again, or through another one, and take in what is new.

        Only new micrographs are embedded; what is on the map does not move, and they appear among those they are most
        like. A table that was added is applied to them, too. What is gone is told.
        """
        wanted = source or self._session.source
        if wanted is None:
            raise Problem("These images did not come from a folder; open the folder that holds them to find new ones.")
        self._session.build(lambda: self._growth(wanted, self._session.atlas), self._has_grown)

    def find_images(self, folder: Path | str) -> None:
        """Look in a folder for images that are not where they were; they are known by their content."""
        session, before = self._session, self._session.atlas

        def done(found: tuple[Atlas, int, int]) -> None:
            atlas, count, still = found
            if session.atlas is not before:
                return
            session.take_atlas(atlas)
            self.images_missing = still > 0
            rest = f"; {counted(still, 'image')} {'is' if still == 1 else 'are'} still missing" if still else ""
            session.warned.emit(f"{counted(count, 'image')} found in “{Path(folder).name}”{rest}.")

        session.build(lambda: growing.refound(before, Folder(Path(folder))), done)

    def forget(self) -> None:
        """Start anew, with nothing that joined and nothing missing."""
        self.images_missing = False
        self.set_fresh(())

    # ------------------------------------------------------------------ within

    def _growth(self, source: Source, before: Atlas) -> Work[tuple[Atlas, Growth, pipeline.Joined | None, list[str]]]:
        """Grow, then add the tables again."""
        said = list[str]()
        steps = growing.grow(before, source, self._session.workshop)
        while True:
            try:
                yield replace(next(steps), partial=None)  # a preview would be of the new ones alone
            except StopIteration as end:
                growth: Growth = end.value
                break
        joined = None
        if len(growth.new):
            atlas, joined = yield from self._session.tables.add_again(growth.atlas, said)
            growth = replace(growth, atlas=atlas)
        return before, growth, joined, said

    def _has_grown(self, result: tuple[Atlas, Growth, pipeline.Joined | None, list[str]]) -> None:
        session = self._session
        before, growth, joined, said = result
        atlas = growing.caught_up_growth(growth.atlas, before, session.atlas)
        if atlas is None:  # others are open now, or data bars were corrected: those images are to be embedded anew
            return
        new = frozenset(map(str, growth.atlas.ids[growth.new]))
        session.bars.note(growing.corrected_among(growth))
        session.take_atlas(atlas, atlas.positions)
        if joined is not None:
            session.tables.show(joined)
        self.set_fresh(self._fresh | new)
        self.images_missing = len(growth.gone) > 0
        self.grown.emit(replace(growth, said=tuple(said)))

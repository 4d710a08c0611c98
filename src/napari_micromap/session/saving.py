"""Saving a session and opening it again; what of it is not saved yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem
from napari_micromap.session.growing import Growing
from napari_micromap.session.maps import Map
from napari_micromap.session.questions import Questions
from napari_micromap.work import Work

# What one does in passing: it is saved along, but nobody would miss it.
_PASSING = frozenset({"selection", "current", "color_by", "map_title", "property_seen", "source", "fresh"})


@dataclass(frozen=True, eq=False)
class Mark:
    """How a session stood at a moment.

    Parameters
    ----------
    atlas : Atlas
    state : mapping
        As the session saves it.
    saved : bool
        Whether it was saved just then, or opened from disk; else it was begun.
    """

    atlas: Atlas
    state: Mapping[str, Any]
    saved: bool

    def is_behind(self, atlas: Atlas, state: Mapping[str, Any]) -> bool:
        """Say whether something was done since that somebody would miss.

        A map of one's own images is work; one of made-up images is not.
        """
        if _said(state) != _said(self.state):
            return True
        return atlas is not self.atlas if self.saved else atlas.positions is not None and not atlas.synthetic


def _said(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in _PASSING}


class Saving(Growing):
    """The verbs that write a session to disk and bring it back; they are work in the lane *build*."""

    saved_changed = Signal(object)  # Path | None
    cleared = Signal(object)  # store.room.Kept: what is left on disk
    questions: Questions

    def __init__(self) -> None:
        super().__init__()
        self.saved_as: Path | None = None
        self._mark = self._being_saved = Mark(self._atlas, {}, saved=True)

    def _start_anew(self, atlas: Atlas) -> None:
        raise NotImplementedError

    def _show(self, new: Map, touched: bool = False) -> None:
        raise NotImplementedError

    @property
    def unsaved(self) -> bool:
        """Whether something was done since the last save that somebody would miss."""
        return len(self._atlas) > 0 and self._mark.is_behind(self._atlas, self.state())

    def save(self, folder: Path | str | None = None, then: Callable[[], object] | None = None) -> None:
        """Save all as a folder NAME.micromap, where it was saved before if none is named; go on once that is done."""
        target = Path(folder) if folder is not None else self.saved_as
        if target is None:
            raise Problem("Name a folder to save the session in, such as my_films.micromap.")

        def start() -> Work[Path]:
            # As all is when its turn comes: the map may be in the making.
            self._being_saved = Mark(self._atlas, self.state(), saved=True)
            return pipeline.save(target, self._atlas, self._being_saved.state, self.workshop)

        def done(folder: Path) -> None:
            self._was_saved(folder)
            if then is not None:
                then()

        self.build(start, done)

    def restore(self, folder: Path | str) -> None:
        """Open a saved session folder, or its open.micromap."""
        self.build(lambda: pipeline.restore(Path(folder), self.workshop), self._restored)

    def clear_kept(self) -> None:
        """Let go of the embeddings and thumbnails in the cache folder; they are made again when needed."""
        self.build(lambda: pipeline.clear_kept(self.workshop), self.cleared.emit)

    def state(self) -> dict[str, Any]:
        """Return what is neither atlas nor layout, ready for JSON."""
        return {
            "color_by": self._color_by,
            "selection": [str(id_) for id_ in self._atlas.ids[self.selection.rows]],
            "current": None if self._current is None else str(self._atlas.ids[self._current]),
            "map_title": self._final_title(),
            "scope": self.scope.state(),
            "named": self.named.state(),
            "property_seen": self._property_seen,
            "bars": dict(self._bars),
            "source": self._source_state(),
            "fresh": sorted(self._fresh),
            "tables": self.tables.state(),
            "tests": self.questions.state(),
        }

    # ------------------------------------------------------------------ within

    def _final_title(self) -> str:
        shown = self._waiting_map or self._map
        return shown.title if shown is not None and not shown.preview else ""

    def _was_saved(self, folder: Path) -> None:
        self.saved_as, self._mark = folder, self._being_saved
        self.saved_changed.emit(folder)

    def _restored(self, restored: pipeline.Restored) -> None:
        self._start_anew(restored.atlas)
        state = restored.state
        atlas = restored.atlas
        if atlas.positions is not None:
            self._show(Map(atlas.positions, str(state.get("map_title") or "Map")))
        # What is written there may come from anybody: what does not fit is left out.
        color = state.get("color_by", self._color_by)
        if color is None or (isinstance(color, str) and color in atlas.columns):
            self.color_by = color
        self.scope.restore(state.get("scope"))
        self.named.restore(state.get("named"))
        self.tables.restore(state.get("tables"))
        self.questions.restore(state.get("tests"))
        self._property_seen |= state.get("property_seen") is True
        bars = state.get("bars")
        self._bars = {str(i): int(h) for i, h in bars.items() if isinstance(h, int)} if isinstance(bars, dict) else {}
        self._source = self._source_from(state.get("source"))
        fresh = state.get("fresh")
        self._set_fresh(_texts(fresh if isinstance(fresh, list) else []))
        selected, current = state.get("selection"), state.get("current")
        self.selection.begin_with(atlas.rows_of(_texts(selected if isinstance(selected, list) else [])))
        self.current = next(iter(atlas.rows_of(_texts([current])).tolist()), None)
        self.history.forget()
        self._being_saved = Mark(self._atlas, self.state(), saved=True)
        self._was_saved(restored.folder)
        self.images_missing = state.get("images_missing") is True
        if warnings := _texts(state.get("warnings") or []):
            self.warned.emit(" ".join(warnings))


def _texts(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]

"""The session as lines of Python that make it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from napari_micromap.atlas import Atlas
from napari_micromap.backbones import BACKBONES
from napari_micromap.corrections import GIVEN
from napari_micromap.growing import made_by
from napari_micromap.layouts import layout_of
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session, tags
from napari_micromap.sources.films import Films
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.several import Several
from napari_micromap.sources.windows import Windows
from napari_micromap.tables import Wanted, with_guessed_sample
from napari_micromap.tables.origins import file_and_sheet
from napari_micromap.tables.roles import guess_role

_MOST_LISTED = 8  # ids on a line


def script_of(session: Session) -> str:
    """Return a script that reproduces a session: its pictures, table, sample, scope, map and color.

    Positions come out the same to the last bit, on the same machine and with the same packages.
    """
    lines = _Lines()
    lines.imports("napari_micromap.session", "Session")
    lines.say("s = Session()")
    _open(lines, session)
    _columns(lines, session)
    _bars(lines, session)
    _scales(lines, session)
    if session.map_is_of_others:
        _map(lines, session)
        _scope(lines, session)
    else:
        _scope(lines, session)
        _map(lines, session)
    _marks(lines, session)
    return lines.text()


class _Lines:
    """Lines, and the imports that they need."""

    def __init__(self) -> None:
        self._imports: set[tuple[str, str]] = set()
        self._lines: list[str] = []

    def imports(self, module: str, name: str) -> None:
        self._imports.add((module, name))

    def say(self, line: str) -> None:
        self._lines.append(line)

    def made(self, algorithm: Any) -> str:
        """Return the call that makes an algorithm; paths and all."""
        cls = type(algorithm)
        self.imports(cls.__module__, cls.__qualname__)
        said = repr(algorithm)
        if re.search(r"\b(Posix|Windows)Path\(", said):
            self.imports("pathlib", "Path")
            said = re.sub(r"\b(Posix|Windows)Path\(", "Path(", said)
        return said

    def text(self) -> str:
        standard = [f"from {m} import {n}" for m, n in sorted(self._imports) if not m.startswith("napari_micromap")]
        own = [f"from {m} import {n}" for m, n in sorted(self._imports) if m.startswith("napari_micromap")]
        parts = [standard, own, self._lines]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _open(lines: _Lines, session: Session) -> None:
    """Say where the micrographs come from; where that is not known, folders are told by where their files lie."""
    _open_whole(lines, session)
    if session.windows.cut_by is not None:
        lines.say(f"s.windows.cut({lines.made(session.windows.cut_by)})")


def _open_whole(lines: _Lines, session: Session) -> None:
    atlas, source = session.atlas, session.source
    source = source.of if isinstance(source, Windows) else source
    if isinstance(source, Folder | Films | Several):
        lines.say(f"s.open({lines.made(source)})")
        return
    if not any(atlas.paths.tolist()):
        lines.imports("napari_micromap.sources.layers", "Layers")
        lines.imports("napari", "current_viewer")
        lines.say("s.open(Layers(tuple(current_viewer().layers)))  # the image layers that are open")
        return
    roots = roots_of(atlas)
    films = _films_in(roots[0]) if atlas.synthetic and len(roots) == 1 else ""
    if films:
        lines.imports("napari_micromap.sources.films", "Films")
        lines.say(f"s.open({films})")
        return
    lines.imports("pathlib", "Path")
    lines.imports("napari_micromap.sources.folder", "Folder")
    if len(roots) == 1:
        lines.say(f"s.open(Folder(Path({roots[0]!r})))")
    else:
        lines.imports("napari_micromap.sources.several", "Several")
        lines.say(f"s.open(Several(({', '.join(f'Path({root!r})' for root in roots)})))")


def roots_of(atlas: Atlas) -> list[str]:
    """Return the folders that were opened: the paths of the files without what *folder* and *file* say."""
    found = dict[str, None]()
    for path, folder in zip(atlas.paths.tolist(), atlas.columns["folder"].fillna("").astype(str)):
        if path:
            above = PurePath(path).parent
            below = PurePath(folder).parts
            fits = above.parts[len(above.parts) - len(below) :] == below
            found[str(above.parents[len(below) - 1] if fits and below else above)] = None
    return list(found)


def _films_in(root: str) -> str:
    """Return the call that draws these films again, "" where their folder does not say it."""
    try:
        told = json.loads((Path(root) / "films.json").read_text(encoding="utf-8"))
        return f"Films(films={int(told['films'])}, images={int(told['images'])}, seed={int(told['seed'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _columns(lines: _Lines, session: Session) -> None:
    atlas = session.atlas
    for origin in dict.fromkeys(atlas.tables.values()):
        path, wanted = session.tables.added.get(origin, (Path(file_and_sheet(origin)[0]), Wanted()))
        given = {f.name: getattr(wanted, f.name) for f in fields(wanted)}
        said = [f"{name}={value!r}" for name, value in given.items() if value != getattr(Wanted(), name)]
        lines.say(f"s.tables.add({', '.join([repr(str(path)), *said])})")
    for name in atlas.tables:
        role = atlas.roles.get(name)
        if role not in (None, "sample") and guess_role(name, atlas.columns[name]) != role:
            lines.say(f"s.set_role({name!r}, {role!r})")
    guessed = with_guessed_sample(atlas.with_sample_column(None)).sample_column
    if atlas.tables or atlas.sample_column != guessed:
        lines.say(f"s.sample_column = {atlas.sample_column!r}")


def _bars(lines: _Lines, session: Session) -> None:
    atlas = session.atlas
    bars = {
        i: (rows, atlas[int(at)].bar_side) for i, rows in session.bars.corrected.items() for at in atlas.rows_of([i])
    }
    for (rows, side), ids in _grouped(bars).items():
        on_side = "" if side == "bottom" else f", side={side!r}"
        known = atlas.ids[atlas.rows_of(ids)].tolist()
        lines.say(f"s.bars.correct(s.atlas.rows_of({_listed(known)}), {rows}{on_side})")


def _scales(lines: _Lines, session: Session) -> None:
    """Give the scales that the user told; those of headers come by themselves."""
    atlas = session.atlas
    if "scale_from" not in atlas.columns:
        return
    sizes, origins = atlas.um_per_px, atlas.columns["scale_from"].tolist()
    given = {
        str(id_): (float(f"{size:.8g}"), origin)
        for id_, size, origin in zip(atlas.ids, sizes, origins, strict=True)
        if origin in GIVEN and np.isfinite(size)
    }
    for (size, origin), ids in _grouped(given).items():
        lines.say(f"s.scales.give(s.atlas.rows_of({_listed(ids)}), {size!r}, {origin!r})")


def _scope(lines: _Lines, session: Session) -> None:
    for one in session.scope.filters:
        lines.imports("napari_micromap.session.scope", "Filter")
        given = {"values": one.values, "low": one.low, "high": one.high, "text": one.text}
        said = [f"{k}={_written(v)}" for k, v in given.items() if v not in ((), "", -np.inf, np.inf)]
        lines.say(f"s.use_only(Filter({', '.join([repr(one.column), *said])}))")
    reasons = {i: exclusion.reason for i, exclusion in session.scope.exclusions.items()}
    for reason, ids in _grouped(reasons).items():
        lines.say(f"s.exclude(s.atlas.rows_of({_listed(ids)}), {reason!r})")


def _written(value: object) -> str:
    return f'float("{value}")' if isinstance(value, float) and not np.isfinite(value) else repr(value)


def _map(lines: _Lines, session: Session) -> None:
    atlas = session.atlas
    if atlas.embeddings is not None:
        if str(atlas.made_by.get("name", "")) in BACKBONES:
            backbone, recipe = made_by(atlas)
            said = lines.made(backbone)
            how = "" if recipe == Recipe() else f", {lines.made(recipe)}"
            lines.say(f"s.embed({said}{how})")
        else:
            lines.say(f"s.take_embeddings({str(atlas.made_by.get('path', ''))!r})")
    if atlas.positions is None:
        return
    layout = layout_of(atlas.layout)
    if layout is None:
        lines.say(f"# the positions are of {atlas.layout or 'elsewhere'}")
    else:
        out = _not_fitted(session)
        if out:
            lines.say(f"s.exclude(s.atlas.rows_of({_listed(out)}), 'other')  # the map was made without them")
        lines.say(f"s.lay_out({lines.made(layout)}, at_once=True)")
        if session.growing.fresh:
            lines.say("# images that came later were placed on that map; here they take part in it")
        if out:
            lines.say(f"s.include(s.atlas.rows_of({_listed(out)}))")


def _not_fitted(session: Session) -> list[str]:
    """Return ids of what took no part in the map, where the scope is another one by now."""
    atlas = session.atlas
    if not session.map_is_of_others or atlas.fitted_to is None:
        return []
    return [str(i) for i in np.delete(atlas.ids, atlas.fitted_to)]


def _marks(lines: _Lines, session: Session) -> None:
    atlas = session.atlas
    for tag in tags.known_tags(atlas):
        rows = [row for row in range(len(atlas)) if tag in tags.tags_of(atlas, row)]
        lines.say(f"s.tag(s.atlas.rows_of({_listed(atlas.ids[rows].tolist())}), {tag!r})")
    for one in session.named:
        lines.say(f"s.name_selection({one.name!r}, s.atlas.rows_of({_listed(sorted(one.ids))}), {one.color!r})")
    if session.color_by is not None:
        lines.say(f"s.color_by = {session.color_by!r}")
    if len(session.selection):
        ids = session.atlas.ids[session.selection.rows].tolist()
        lines.say(f"s.selection.replace(s.atlas.rows_of({_listed(ids)}))")


def _grouped(values: Mapping[str, Any]) -> dict[Any, list[str]]:
    groups: dict[Any, list[str]] = {}
    for id_, value in values.items():
        groups.setdefault(value, []).append(id_)
    return groups


def _listed(ids: Iterable[str]) -> str:
    texts = [repr(str(i)) for i in ids]
    if len(texts) <= _MOST_LISTED:
        return f"[{', '.join(texts)}]"
    lines = [", ".join(texts[k : k + _MOST_LISTED]) for k in range(0, len(texts), _MOST_LISTED)]
    return "[\n    " + ",\n    ".join(lines) + ",\n]"

"""The verb *map*: from folders to a map, and what came of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_micromap.cli.network import backbone_of, recipe_of
from napari_micromap.cli.progress import ProgressLine
from napari_micromap.cli.sessions import save_figure, session_for
from napari_micromap.problems import Problem
from napari_micromap.work import spoken

if TYPE_CHECKING:
    from napari_micromap.atlas import Atlas
    from napari_micromap.backbones import Backbone
    from napari_micromap.layouts import Layout
    from napari_micromap.pipeline import Joined
    from napari_micromap.session import Session
    from napari_micromap.sources.windows import Cut

_MOST_NAMED = 10  # unreadable files that are named one by one


def make_map(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Gather, embed, compare, lay out; then save, draw and tell."""
    backbone, recipe = backbone_of(arguments), recipe_of(arguments)
    _check_outputs(arguments)
    clock = _Clock()
    with session_for(said) as session:
        if arguments.embeddings is None:
            _allow_weights(session, backbone, arguments.download, said)
        with clock.stage("gather"):
            session.open(_source(arguments.input, _cut(arguments)))
            _add_values(session, arguments)
        layout = _layout(arguments, len(session.atlas))
        if layout.holds_gil:
            session.workshop.warm()
        with clock.stage("embed"):
            if arguments.embeddings is None:
                session.embed(backbone, recipe, arguments.device, arguments.verify)
            else:
                session.take_embeddings(arguments.embeddings)
        _tell_left_out(session, said)
        with clock.stage("fit"):
            session.fit()
        with clock.stage("layout"):
            session.lay_out(layout)
        if arguments.out is not None:
            session.save(arguments.out)
        if arguments.figure is not None:
            save_figure(session, arguments.figure)
        _tell_result(session, arguments, clock)


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Find out now, rather than after the long work, that the result has no place to go."""
    if arguments.out is not None and arguments.out.is_file():
        raise Problem(f"“{arguments.out}” is a file; name a folder such as NAME.micromap.")
    for path in (arguments.out, arguments.figure):
        folder = None if path is None else path.expanduser().absolute().parent
        while folder is not None and path is arguments.out and not folder.exists():
            folder = folder.parent  # a session makes the folders above it
        if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
            raise Problem(f"Nothing can be written to “{folder}”; name another place for {path.name}.")


def _layout(arguments: argparse.Namespace, n: int) -> Layout:
    from napari_micromap.layouts import LAYOUTS
    from napari_micromap.pipeline import usual_layout

    layout = usual_layout(n) if arguments.layout is None else LAYOUTS[arguments.layout]()
    seeded = "seed" in {field.name for field in fields(layout)}  # type: ignore[arg-type]
    return replace(layout, seed=arguments.seed) if seeded and arguments.seed is not None else layout  # type: ignore[type-var]


def _cut(arguments: argparse.Namespace) -> Cut | None:
    """Return how windows are cut that are dots of their own."""
    from napari_micromap.sources.windows import Cut

    if not arguments.each_window:
        return None
    given = {name: getattr(arguments, name) for name in ("window_um", "window_px", "overlap")}
    return Cut(**{name: value for name, value in given.items() if value is not None})


def _source(inputs: Sequence[Path], cut: Cut | None = None) -> Any:
    from napari_micromap.sources.folder import Folder
    from napari_micromap.sources.several import Several
    from napari_micromap.sources.windows import Windows

    missing = next((path for path in inputs if not path.expanduser().exists()), None)
    if missing is not None:
        raise Problem(f"There is no file or folder “{missing}”.")
    source = Folder(inputs[0]) if len(inputs) == 1 else Several(tuple(inputs))
    return source if cut is None else Windows(source, cut)


def _allow_weights(session: Session, backbone: Backbone, allowed: bool, said: ProgressLine) -> None:
    """Download weights that are not here, if the user agrees."""
    download = backbone.download()
    if download is None:
        return
    what = f"The weights of {backbone.title} ({download.size}) are not on this machine"
    if not allowed:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Problem(f"{what}; pass --download to fetch them once from {download.url}, or --weights FILE.")
        said.sentence(f"{what}.\nFetch them once from {download.url}? [y/N] ")
        if input().strip().lower() not in ("y", "yes"):
            raise Problem("Nothing was downloaded; efficientnet-lite0 needs no download.")
    session.download(backbone)


def _add_values(session: Session, arguments: argparse.Namespace) -> None:
    """Join the table, name the sample, and choose the color; before the long work, so that mistakes show early."""
    sample = arguments.sample_column
    if arguments.table is not None:
        key = _key(session.atlas, arguments.table, arguments.sheet, sample)
        session.tables.add(arguments.table, sheet=arguments.sheet, **key)
    if sample is not None:
        session.sample_column = sample
    if arguments.color_by is not None:
        session.color_by = arguments.color_by


def _key(atlas: Atlas, path: Path, sheet: str | None, sample: str | None) -> dict[str, Any]:
    """Choose the key to join by: the sample's column where it matches as many images as any other key."""
    from napari_micromap.tables import best_match, read_table

    if sample is None:
        return {}
    table = read_table(path, sheet)
    sides = {"table_column": sample in table, "micrograph_column": sample in atlas.columns}
    if not any(sides.values()):
        names = ", ".join(map(str, [*table.columns, *atlas.columns]))
        raise Problem(f"Neither the table nor the images have a column “{sample}”; there are: {names}.")
    most = len(best_match(atlas, table).matched)
    for side in (name for name, there in sides.items() if there):
        try:
            named: dict[str, Any] = {side: sample}
            if len(best_match(atlas, table, **named).matched) >= most:
                return {side: sample}
        except Problem:
            continue  # it names the sample, but no row is found by it
    return {}


def _tell_left_out(session: Session, said: ProgressLine) -> None:
    unreadable = session.atlas.unreadable
    for file in unreadable[:_MOST_NAMED]:
        said.sentence(f"Left out: {file.path}: {file.reason}")
    if len(unreadable) > _MOST_NAMED:
        said.sentence(f"Left out: {len(unreadable) - _MOST_NAMED} more that cannot be read")
    if session.tables.joined is not None:
        said.sentence(session.tables.joined.sentence)


def _tell_result(session: Session, arguments: argparse.Namespace, clock: _Clock) -> None:
    if arguments.json:
        print(json.dumps(_result(session, clock.seconds)))
        return
    from napari_micromap.wording import counts_of

    shown = session.map
    assert shown is not None
    print(f"{shown.title} of {counts_of(session.atlas)} in {spoken(sum(clock.seconds.values()))}")
    if session.saving.folder is not None:
        print(f"Saved: {session.saving.folder}")
    if arguments.figure is not None:
        print(f"Figure: {arguments.figure.absolute()}")
    if session.saving.folder is None and arguments.figure is None:
        print("Nothing was written; pass -o NAME.micromap or --figure NAME.png.")


def _result(session: Session, seconds: dict[str, float]) -> dict[str, Any]:
    atlas, joined = session.atlas, session.tables.joined
    assert atlas.embeddings is not None
    return {
        "micrographs": len(atlas),
        "unreadable": [{"path": file.path, "reason": file.reason} for file in atlas.unreadable],
        "joined": 0 if joined is None else len(joined.match.matched),
        "unmatched": _unmatched(atlas, joined),
        "backbone": atlas.made_by.get("name", atlas.made_by["backbone"]),
        "weights_sha256": atlas.made_by.get("weights_sha256"),
        "precision": atlas.made_by.get("precision"),
        "dim": int(atlas.embeddings.shape[1]),
        "seconds": {name: seconds[name] for name in ("gather", "embed", "fit", "layout")},
        "out": None if session.saving.folder is None else str(session.saving.folder),
    }


def _unmatched(atlas: Atlas, joined: Joined | None) -> dict[str, int]:
    if joined is None:
        return {"micrographs": len(atlas), "rows": 0}
    return {"micrographs": len(joined.match.unmatched_micrographs), "rows": len(joined.match.unmatched_rows)}


class _Clock:
    """Seconds that each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)

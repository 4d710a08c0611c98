"""The verb *report*: a property of a saved map, tested and told."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from napari_micromap.cli.progress import ProgressLine
from napari_micromap.cli.sessions import session_for
from napari_micromap.problems import Problem

if TYPE_CHECKING:
    from napari_micromap.atlas import Atlas


def report_property(arguments: argparse.Namespace, said: ProgressLine) -> None:
    """Open a saved map, test a property, write the report."""
    from napari_micromap.report import summary_of, write_report

    folder = arguments.out.expanduser().absolute().parent
    if not folder.is_dir():
        raise Problem(f"There is no folder “{folder}” to write {arguments.out.name} into.")
    with session_for(said) as session:
        session.warned.connect(said.sentence)
        session.questions.asking.connect(said)
        session.restore(arguments.session)
        if arguments.sample_column is not None:
            session.sample_column = column_named(session.atlas, arguments.sample_column)
        name = column_named(session.atlas, arguments.property)
        batch = None if arguments.batch is None else column_named(session.atlas, arguments.batch)
        adjust = None if not arguments.adjust else [column_named(session.atlas, c) for c in arguments.adjust]
        session.questions.test(name, batch=batch, adjust=adjust)
        answer = session.questions.answers[name]
        written = write_report(arguments.out, session, name)
    if arguments.json:
        print(json.dumps(summary_of(answer), ensure_ascii=False))
        return
    print(answer.verdict.sentence)
    print(answer.verdict.details)
    for sentence in answer.not_done:
        print(sentence)
    print(f"Report: {written.absolute()}")


def column_named(atlas: Atlas, name: str) -> str:
    """Return the column of that name; "Jc" is enough for "Jc (MA/cm²)" where it is the only one."""
    from napari_micromap.wording import quantity_of

    if name in atlas.columns:
        return name
    said = name.replace("_", " ")
    alike = [c for c in map(str, atlas.columns) if said == quantity_of(c)[0] or name == c.removesuffix(" (table)")]
    if len(alike) != 1:
        raise Problem(f"There is no column “{name}”; there are: {', '.join(map(str, atlas.columns))}.")
    return alike[0]

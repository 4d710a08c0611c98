"""The report as a page that needs nothing from elsewhere."""

from __future__ import annotations

import platform
import sys
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from napari_micromap import __version__
from napari_micromap.atlas import Atlas, specimen_sizes
from napari_micromap.colors import colors_of
from napari_micromap.figures.evidence import imaging_figure, null_figure, prediction_figure
from napari_micromap.figures.map import MapToDraw, map_figure
from napari_micromap.labels import length_label
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import Answer, measuring_errors
from napari_micromap.report.elements import figure, small, table
from napari_micromap.report.exemplars import typical, unlike_pairs
from napari_micromap.report.looks import STYLE
from napari_micromap.report.places import places
from napari_micromap.report.subject import Subject, subject_of
from napari_micromap.session import Session
from napari_micromap.statistics import Evidence
from napari_micromap.statistics.confounders import Suspect
from napari_micromap.statistics.naive import naive_of
from napari_micromap.statistics.verdict import capital, number, said_p
from napari_micromap.wording import counts_of, name_of, picture_noun, spoken_column
from napari_micromap.work import Progress, Work, finish

_VERSIONS = ("numpy", "pandas", "scipy", "torch", "umap-learn", "scikit-learn")


def write_report(path: Path | str, session: Session, property: str) -> Path:
    """Write the report about a property that was tested.

    Raises
    ------
    Problem
        If it was not tested yet, or the file cannot be written.
    """
    return finish(writing(path, subject_of(session, property)))


def writing(path: Path | str, subject: Subject) -> Work[Path]:
    """Write a report, as work.

    Raises
    ------
    Problem
        If the file cannot be written.
    """
    target = Path(path).expanduser()
    text = yield from page(subject)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"Nothing can be written to “{target}”; name another place.") from error
    return target


def page_of(session: Session, property: str) -> str:
    """Return the report as one HTML page, pictures in it."""
    return finish(page(subject_of(session, property)))


def page(subject: Subject) -> Work[str]:
    """Make the report as one HTML page, pictures in it."""
    answer, atlas = subject.answer, subject.atlas
    title = escape(f"{capital(answer.words.quantity)} and the microstructure")
    body = [
        f"<header><h1>{title}</h1><p class=faint>{escape(name_of(atlas))} · "
        f"{counts_of(atlas, answer.units.rows)} tested</p></header>",
        _verdict(subject),
    ]
    parts = (_map, _plots, _tests, _suspects, _samples)
    for done, part in enumerate(parts):
        yield Progress("Writing the report", done, len(parts) + 1, "plots and tables")
        body.append(part(subject))
    yield Progress("Writing the report", len(parts), len(parts) + 1, "images")
    body.append((yield from _pictures(subject)))
    body += [_left_out(subject), _provenance(atlas), _script(subject), _appendix(subject)]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


# ---------------------------------------------------------------------------- what was found


def _verdict(subject: Subject) -> str:
    answer = subject.answer
    notes = [answer.verdict.details, *answer.not_done]
    if answer.property in subject.atlas.synthetic:
        notes.insert(0, f"{capital(answer.words.quantity)} is synthetic: nobody measured it.")
    if answer.family_p is not None:
        tested = f"all properties tested on these {answer.words.samples}"
        notes.append(f"Against the maximum over {tested}: {said_p(answer.family_p)}.")
    return (
        f'<section class="verdict {answer.verdict.kind}"><p class=sentence>{escape(answer.verdict.sentence)}</p>'
        + "".join(f"<p class=faint>{escape(note)}</p>" for note in notes)
        + "</section>"
    )


def _map(subject: Subject) -> str:
    atlas, answer = subject.atlas, subject.answer
    if atlas.positions is None:
        return ""
    outside = np.setdiff1d(np.arange(len(atlas)), answer.units.rows).astype(np.intp)
    samples = None if atlas.samples is None else int(atlas.samples.nunique())
    made_up = answer.property in atlas.synthetic
    drawn = MapToDraw(
        atlas.positions, colors_of(atlas.columns[answer.property]), subject.map_title, samples, made_up, outside,
        nouns=(picture_noun(atlas), answer.words.sample),
    )  # fmt: skip
    said = "Each dot is one image; similar images lie close together. "
    said += f"Pale dots take no part in the test ({len(outside):,}). " if len(outside) else ""
    said += "The test does not use these positions but the whole description of each image."
    return f"<section><h2>Map</h2>{figure(map_figure(drawn, 170), said)}</section>"


def _plots(subject: Subject) -> str:
    atlas, answer = subject.atlas, subject.answer
    evidence, words, units = answer.evidence, answer.words, answer.units
    shown = []
    if not units.categories and np.isfinite(evidence.predicted).all():
        centered = " (what batches account for taken out)" if evidence.adjusted_for else ""
        said = (
            f"Each dot is one {words.sample}, predicted by ridge regression from all other {words.samples}{centered}. "
            f"Dashed: perfect. Horizontal: the mean. Q² {number(evidence.q2)}; chance up to "
            f"{number(evidence.q2_chance_95)}."
        )
        errors = measuring_errors(atlas, answer)
        drawn = prediction_figure(evidence.values[:, 0], evidence.predicted[:, 0], words.quantity, words.unit, errors)
        shown.append(figure(drawn, said))
    if evidence.p is not None:
        ways = "all" if len(evidence.null) == evidence.arrangements else "random"
        said = f"{len(evidence.null) - 1:,} {ways} reshuffles of the values over {words.samples}; {said_p(evidence.p)}."
        shown.append(figure(null_figure(evidence.null, "reshuffles"), said))
    columns = [s.name for s in answer.suspects if s.name in atlas.columns][:6]
    if not units.categories and columns:
        of_image = units.values[units.sample_of, 0]
        for name in columns:
            values = atlas.columns[name].iloc[units.rows].to_numpy(object)
            drawn = imaging_figure(_plain(values), of_image, spoken_column(name), words.quantity)
            shown.append(figure(drawn, f"{words.quantity} by {spoken_column(name)}, one dot an image."))
    return (
        f"<section><h2>Prediction, chance, imaging</h2><div class=row>{''.join(shown)}</div></section>" if shown else ""
    )


def _plain(values: Any) -> Any:
    return (
        np.array([None if v is None or v != v else v for v in values], object)
        if not any(isinstance(v, str) for v in values)
        else np.array(["missing" if v is None or v != v else str(v) for v in values], object)
    )


def _tests(subject: Subject) -> str:
    answer = subject.answer
    batch = spoken_column(answer.batch) if answer.batch else "batch"
    rows: list[tuple[str, Evidence | None]] = [
        (f"Primary test{f', within each {batch}' if answer.within_batches is not None else ''}", answer.evidence),
        (f"Ignoring {batch}", answer.ignoring_batches),
    ]
    if answer.adjusted is not None:
        rows.append((f"Adjusted for {', '.join(map(spoken_column, answer.adjusted.adjusted_for))}", answer.adjusted))
    if answer.beyond_processing is not None:
        columns = ", ".join(map(spoken_column, answer.beyond_processing.adjusted_for))
        rows.append((f"What structure adds to processing ({columns})", answer.beyond_processing))
    lines = [
        (name, "not testable" if e.p is None else said_p(e.p)[4:], number(e.q2), number(e.q2_chance_95))
        for name, e in rows
        if e is not None
    ]
    if answer.new_batch is not None:
        new = answer.new_batch
        p = "not testable" if new.p is None else said_p(new.p)[4:]
        lines.append((f"To a new {batch} ({new.batches} of them)", p, "–" if new.q2 is None else number(new.q2), "–"))
    note = (
        "<p class=faint>Only the first line decides. p by permuting samples; Q² is 1 − squared error of "
        "leave-one-sample-out predictions over that of guessing the mean of the others.</p>"
    )
    return f"<section><h2>Tests</h2>{table(('Test', 'p', 'Q²', 'Q² by chance, 95 %'), lines)}{note}</section>"


def _suspects(subject: Subject) -> str:
    answer = subject.answer
    if not answer.suspects:
        return ""

    def p(value: float | None) -> str:
        return "–" if value is None else said_p(value)[4:]

    def outcome(suspect: Suspect) -> str:
        if suspect.confounds and answer.within_batches is not None and suspect.name == answer.batch:
            return "goes with both; the test is within each, so it is taken care of"
        return "may account for it" if suspect.confounds else "sorts the map only" if suspect.known_to_map else "no"

    quantity = answer.words.quantity
    lines = [(spoken_column(s.name), p(s.map_p), p(s.sorted_p), p(s.property_p), outcome(s)) for s in answer.suspects]
    heads = (
        "Column",
        "Structure knows it, p",
        "Sorted within samples, p",
        f"{quantity} follows it, p",
        "Could it be this?",
    )
    return f"<section><h2>How the images were taken</h2>{table(heads, lines)}</section>"


def _samples(subject: Subject) -> str:
    answer = subject.answer
    units, words, evidence = answer.units, answer.words, answer.evidence
    heads, lines = [words.sample, "images", words.quantity], list[list[object]]()
    if not units.categories:
        heads += ["after adjusting", "predicted"] if evidence.adjusted_for else ["predicted"]
    for index, name in enumerate(units.samples):
        line: list[object] = [name, int(units.counts[index])]
        if units.categories:
            line.append(units.categories[int(units.values[index].argmax())])
        else:
            shown = [units.values, *([evidence.values] if evidence.adjusted_for else []), evidence.predicted]
            line += [words.amount(float(values[index, 0])) for values in shown]
        lines.append(line)
    return f"<details><summary>All {words.samples}</summary>{table(heads, lines)}</details>"


# ---------------------------------------------------------------------------- pictures


def _pictures(subject: Subject) -> Work[str]:
    """Return exemplars with where the property shows in them, and alike pairs."""
    atlas, answer, thumbnails = subject.atlas, subject.answer, subject.workshop.thumbnails
    groups, pairs = typical(atlas, answer), unlike_pairs(atlas, answer)
    rows = {row for group in groups for row in group.rows} | {r for pair in pairs for r in (pair.one, pair.other)}
    keys = {row: thumbnails.key_of(atlas[row]) for row in rows}
    kept = thumbnails.jpegs(list(keys.values()))
    jpegs = {row: kept[key] for row, key in keys.items() if key in kept}

    def caption(row: int) -> str:
        return _caption(atlas, answer, row)

    said = [
        f"<h3>{escape(group.title)}</h3><div class=row>"
        f"{''.join(small(jpegs.get(row), caption(row)) for row in group.rows)}</div>"
        for group in groups
        if group.rows
    ]
    if pairs:
        two = ((small(jpegs.get(r), caption(r)) for r in (pair.one, pair.other)) for pair in pairs)
        shown = "".join(f"<div class=pair>{''.join(both)}</div>" for both in two)
        said.append(
            f"<h3>Alike, but of {answer.words.samples} that differ most in {escape(answer.words.quantity)}</h3>"
            f"<div class=row>{shown}</div>"
        )
    images = f"<section><h2>Images</h2>{''.join(said)}</section>" if said else ""
    return images + (yield from places(atlas, answer, groups, jpegs, caption))


def _caption(atlas: Atlas, answer: Answer, row: int) -> str:
    columns, samples = atlas.columns, atlas.samples
    value = columns[answer.property].iat[row]
    said = [] if samples is None else [str(samples.iat[row])]
    said.append(answer.words.amount(float(value)) if isinstance(value, int | float | np.number) else str(value))
    wide = atlas.um_per_px[row] * specimen_sizes(columns.iloc[[row]])[0, 1]
    if np.isfinite(wide):
        said.append(f"{length_label(float(wide))} wide")
    return " · ".join(said)


# ---------------------------------------------------------------------------- where it comes from


def _left_out(subject: Subject) -> str:
    names = [(Path(bad.path).name, bad.reason) for bad in subject.atlas.unreadable[:20]]
    return f"<section><h2>Left out</h2>{table(('What', 'How many'), subject.left_out)}{table((), names)}</section>"


def _provenance(atlas: Atlas) -> str:
    lines = [(key.replace("_", " "), _plain_text(value)) for key, value in atlas.made_by.items()]
    lines += [("map", atlas.layout)] if atlas.layout else []
    lines += [("table", ", ".join(sorted({Path(p).name for p in atlas.tables.values() if p})))] if atlas.tables else []
    lines += [("napari-micromap", __version__), ("Python", f"{sys.version.split()[0]}, {platform.system()}")]
    lines += [(name, found) for name in _VERSIONS if (found := _version(name))]
    lines += [("made-up columns", ", ".join(atlas.synthetic))] if atlas.synthetic else []
    return f"<section><h2>Made with</h2>{table((), lines)}</section>"


def _plain_text(value: object) -> str:
    return ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _script(subject: Subject) -> str:
    answer = subject.answer
    folder = str(subject.saved_as) if subject.saved_as is not None else "NAME.micromap"
    given = f", batch={answer.batch!r}" if answer.batch else ""
    adjust = [] if answer.asked_to_adjust is None else list(answer.asked_to_adjust)
    given += f", adjust={adjust!r}" if answer.asked_to_adjust is not None else ""
    lines = [
        "from napari_micromap.report import write_report",
        "from napari_micromap.session import Session",
        "",
        "session = Session()",
        f"session.restore({folder!r})",
        f"session.sample_column = {subject.atlas.sample_column!r}",
        f"session.questions.test({answer.property!r}{given})",
        f'write_report("report.html", session, {answer.property!r})',
    ]
    return f"<section><h2>Script that reproduces it</h2><pre>{escape(chr(10).join(lines))}</pre></section>"


def _appendix(subject: Subject) -> str:
    answer, embeddings = subject.answer, subject.atlas.embeddings
    if embeddings is None or not answer.evidence.testable:
        return ""
    naive = naive_of(np.asarray(embeddings[answer.units.rows]), answer.units)
    p = "–" if naive.p is None else said_p(naive.p)
    words = answer.words
    return (
        "<section class=appendix><h2>Appendix: what one would get by counting images as samples</h2><p>"
        "These two numbers are wrong here, and stand here because they are what is usually reported. "
        f"Permuting images: {p}. It takes the images of one {words.sample} for independent measurements, and is mostly "
        f"below .05 also on noise. Random split of images into training and test: R² "
        f"{number(naive.random_split)}. Images of one {words.sample} stand on both sides of the split, so it tells how "
        f"well {words.samples} are recognized, not how well {escape(words.quantity)} is predicted; for {words.samples} "
        f"not used in training Q² is {number(answer.evidence.q2)}.</p></section>"
    )

"""A paragraph for the methods section."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from napari_micromap import __version__
from napari_micromap.backbones import BACKBONES
from napari_micromap.choices import arguments_of
from napari_micromap.layouts import LAYOUTS
from napari_micromap.problems import Problem
from napari_micromap.sharing.snapshot import Snapshot
from napari_micromap.wording import counted, counts_of, listed

_DOI = re.compile(r"\bdoi[:.]?\s*(?:org/)?(10\.\d{4,}/[^\s;,]+[^\s;,.)])", re.IGNORECASE)
_SPOKEN = {
    "n_neighbors": "neighbors", "min_dist": "minimum distance", "seed": "seed", "epochs": "epochs",
    "perplexity": "perplexity", "iterations": "iterations",
}  # fmt: skip


def methods_of(shared: Snapshot) -> str:
    """Say in a few sentences how the map was made, with all that is needed to make it again."""
    atlas = shared.atlas
    if atlas.embeddings is None or shared.positions is None:
        raise Problem("Make the map first; then its making can be described.")
    sentences = [_counts(shared), _bars(shared), *_network(atlas.made_by, atlas.embeddings.shape[1])]
    sentences += [_space(shared), _layout(shared), _left_out(shared), _values(shared)]
    return " ".join(sentence for sentence in sentences if sentence) + " " + _versions(atlas.made_by)


def _counts(shared: Snapshot) -> str:
    placed = counts_of(shared.atlas, shared.used)
    return f"A map of {placed} was made with napari-micromap {__version__}."


def _bars(shared: Snapshot) -> str:
    with_bar = int((shared.atlas.columns["bar_rows"].iloc[shared.used].fillna(0) > 0).sum())
    return f"Data bars were cut off ({counted(with_bar, 'image')})." if with_bar else ""


def _network(made_by: Mapping[str, Any], dim: int) -> list[str]:
    name = str(made_by.get("name", ""))
    if name not in BACKBONES:  # embeddings of the user's own
        return [f"Each image was described by {dim} numbers ({made_by.get('backbone', 'from the user')})."]
    cls = BACKBONES[name]
    weights = str(made_by.get("weights_sha256", ""))
    doi = _doi_of(cls.__doc__)
    recipe = _arguments(made_by.get("recipe", ""))
    last = recipe.get("depths") == "last"
    depths = "the last layer" if last else "layers of several depths, each scaled to unit length,"
    views = " and over all 8 flips and quarter turns" if recipe.get("views", 8) == 8 else ""
    called = _arguments(made_by.get("backbone", ""))
    # whose weights these are is the user's, and which model of timm it was is a choice
    title = {"own": f"{called.get('architecture')} with weights of our own", "timm": str(called.get("model"))}.get(
        name, cls.title
    )
    return [
        _pictures(recipe),
        f"It was embedded by {title}{f' [{doi}]' if doi else ''}, pretrained and not trained further (SHA-256 of "
        f"the weights {weights[:16]}…, {made_by.get('precision', 'float32')}): the activations of {depths} were "
        f"averaged over position{views}, which gives {dim} numbers an image.",
    ]


def _pictures(recipe: Mapping[str, Any]) -> str:
    """Say what was done to each picture, in the order in which it was done."""
    side, low, high = recipe.get("side", 224), recipe.get("low_percent", 0.5), recipe.get("high_percent", 99.5)
    done = [f"Gray values between the {low:g}th and the {high:g}th percentile of each image were scaled to 0–1"]
    if width := recipe.get("even_light", 0):
        done.append(f"slope and shading wider than about {width:g} of its shorter side were subtracted")
    if limit := recipe.get("local_contrast", 0):
        done.append(f"local contrast was equalized (CLAHE, 8 × 8 parts, limit {limit:g})")
    if recipe.get("invert", False):
        done.append("black and white were exchanged")
    at_scale = recipe.get("scale", "own") != "own"
    if at_scale or recipe.get("windows", "whole") == "pooled":
        where = f" at {recipe.get('um_per_px', 0):g} µm a pixel" if at_scale else ""
        return f"{', '.join(done)}; windows of {side} × {side} pixels were taken from it{where}."
    return f"{', '.join(done)}, and the image was resized to {side} × {side} pixels."


def _space(shared: Snapshot) -> str:
    features = shared.atlas.features
    if features is None:
        return ""
    among = "" if shared.atlas.fitted_to is None else f" fitted to {counted(len(shared.atlas.fitted_to), 'image')},"
    return (
        f"Each of these numbers was standardized over the collection; {features.shape[1]} principal components were "
        f"kept,{among} and scaled to unit length."
    )


def _layout(shared: Snapshot) -> str:
    said, title = shared.atlas.layout, shared.title
    found = LAYOUTS.called(said)
    if found is None:
        return f"The positions are those of “{title}”."
    values = {k: v for k, v in _arguments(said).items() if not (k == "epochs" and v == 0)}
    spoken = ", ".join(f"{_SPOKEN.get(name, name.replace('_', ' '))} {value}" for name, value in values.items())
    doi = _doi_of(found.__doc__)
    fitted = len(shared.atlas) if shared.atlas.fitted_to is None else len(shared.atlas.fitted_to)
    others = fitted != len(shared.used) and f" It was made from {counted(fitted, 'image')}, before that choice changed."
    told = "; ".join(part for part in (spoken, doi) if part)
    return f"The map was laid out by {found.title}{f' ({told})' if told else ''}.{others or ''}"


def _left_out(shared: Snapshot) -> str:
    said = [f"Only these were used: {'; '.join(shared.filters)}."] if shared.filters else []
    if shared.reasons:
        by_reason = [f"{reason} ({count:,})" for reason, count in Counter(shared.reasons.values()).most_common()]
        after = f", {shared.after_property:,} of them after a property had been shown" * (shared.after_property > 0)
        said.append(f"{counted(len(shared.reasons), 'image')} excluded: {listed(by_reason)}{after}.")
    else:
        said.append("No image was excluded.")
    unread = len(shared.atlas.unreadable)
    return " ".join(said) + (f" {counted(unread, 'file')} could not be read." if unread else "")


def _values(shared: Snapshot) -> str:
    name = shared.color_by
    if name is None:
        return ""
    missing = int(shared.atlas.columns[name].iloc[shared.used].isna().sum())
    made_up = " (synthetic values)" if name in shared.atlas.synthetic else ""
    lacking = f"; {counted(missing, 'image')} without a value" if missing else ""
    return f"Colors show {name}{made_up}{lacking}."


def _versions(made_by: Mapping[str, Any]) -> str:
    versions = {k: v for k, v in dict(made_by.get("versions") or {}).items() if k != "napari-micromap"}
    return f"Versions: {', '.join(f'{name} {value}' for name, value in versions.items())}." if versions else ""


def _doi_of(docstring: str | None) -> str:
    found = _DOI.search(docstring or "")
    return f"https://doi.org/{found[1]}" if found else ""


def _arguments(said: object) -> dict[str, Any]:
    """Return what an algorithm was set to; nothing of embeddings and positions from elsewhere."""
    try:
        return arguments_of(str(said))
    except ValueError:
        return {}

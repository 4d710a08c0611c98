"""Large collections embedded in parts, by many machines, and put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.growing import joined, made_by, taken
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.sources.folder import Folder, read_files
from napari_micromap.sources.identity import ids_of
from napari_micromap.sources.several import Several
from napari_micromap.work import Progress, Work, finish

if TYPE_CHECKING:
    from napari_micromap.backbones import Backbone

PART = "part"  # under which a saved part says which it is
SAME = ("name", "weights_sha256", "recipe", "precision")  # what all parts must have been made with
RETRIES = 3  # of a shard whose worker ended or failed


@dataclass(frozen=True)
class Shard:
    """Every ``of``-th picture of some folders and files, beginning with number ``number``.

    Parameters
    ----------
    paths : tuple of Path
        Folders and files, the same for all shards.
    number : int
        From 1 to ``of``.
    of : int
        How many shards there are.
    """

    paths: tuple[Path, ...]
    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise Problem(
                f"There is no part {self.number} of {self.of}; count from 1/{self.of} to {self.of}/{self.of}."
            )

    def gathered(self) -> Work[tuple[Atlas, dict[str, Any]]]:
        """Read the shard's pictures; what must be known to put the parts together comes beside them.

        All files are listed, only those of the shard are read.
        """
        source = Folder(self.paths[0]) if len(self.paths) == 1 else Several(self.paths)
        found, base, unreadable = yield from source.files()
        names = [path.relative_to(base).as_posix() for path in found]
        mine = range(self.number - 1, len(found), self.of)
        atlas = yield from read_files([found[i] for i in mine], base, unreadable, none_is_fine=True)
        where = {str(found[i]): i for i in mine}
        listing = hashlib.blake2b("\n".join(names).encode(errors="surrogateescape"), digest_size=16).hexdigest()
        part = {"number": self.number, "of": self.of, "files": len(found), "listing": listing,
                "places": [where[path] for path in atlas.paths.tolist()]}  # fmt: skip
        return atlas, part


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that parts would settle each for itself.

    Raises
    ------
    Problem
        For the precision "auto" and the scale "coarsest".
    """
    if recipe.precision == "auto":
        raise Problem("Parts need one precision: name float32 or bfloat16, for “auto” could differ from part to part.")
    if recipe.scale == "coarsest":
        raise Problem("Parts need one scale: name it in µm per px, for the coarsest could differ from part to part.")


def embed_part(
    shard: Shard,
    out: Path,
    backbone: Backbone | None,
    recipe: Recipe,
    workshop: pipeline.Workshop,
    device: str = "auto",
    verify: bool = False,
) -> Work[Path]:
    """Embed a shard and save it as a part; what was computed before comes from the cache.

    Raises
    ------
    Problem
        For what each shard might decide otherwise.
    """
    if shard.of > 1:
        check_recipe(recipe)
    atlas, part = yield from shard.gathered()
    if len(atlas):
        before = atlas.ids
        atlas = yield from pipeline.embed(atlas, backbone, recipe, workshop, device, verify)
        kept = np.isin(before, atlas.ids)  # what turned out to be unreadable was taken off
        part["places"] = [place for place, stays in zip(part["places"], kept) if stays]
        part["contents"] = pipeline.contents(atlas, workshop)
    return (yield from pipeline.save(out, atlas, {PART: part}, workshop))


def merged(parts: Sequence[Path], workshop: pipeline.Workshop) -> Work[Atlas]:
    """Put parts together: the collection as if it had been embedded in one go.

    What was embedded goes into the cache of this machine, too.

    Raises
    ------
    Problem
        If parts are missing, or were made of other files or otherwise.
    """
    loaded: dict[int, tuple[Path, Atlas, dict[str, Any]]] = {}
    for done, path in enumerate(parts):
        yield Progress("Merging", done, len(parts), path.name)
        restored = yield from pipeline.restore(path, workshop)
        told = restored.state.get(PART)
        if not isinstance(told, dict) or not {"number", "of", "listing", "places"} <= told.keys():
            raise Problem(f"“{path.name}” is no part; parts are what “micromap embed … -o PART” writes.")
        if len(told["places"]) != len(restored.atlas):
            raise Problem(f"“{path.name}” is damaged; make it again with --shard {told['number']}/{told['of']}.")
        if told["number"] in loaded:
            other = loaded[told["number"]][0].name
            raise Problem(f"“{path.name}” and “{other}” are both part {told['number']}; name one of them.")
        loaded[told["number"]] = (path, restored.atlas, told)
    _check_parts(loaded)
    atlas = _put_together([loaded[number] for number in sorted(loaded)])
    for _, one, told in loaded.values():
        if len(one) and isinstance(told.get("contents"), list):
            pipeline.remember(one, made_by(one), told["contents"], workshop)
    return pipeline.with_guesses(atlas)


def _check_parts(loaded: dict[int, tuple[Path, Atlas, dict[str, Any]]]) -> None:
    if not loaded:
        raise Problem("Name the parts to merge.")
    path, _, first = next(iter(loaded.values()))
    for other, _, told in loaded.values():
        if told["of"] != first["of"]:
            raise Problem(f"“{other.name}” is one of {told['of']} parts, “{path.name}” one of {first['of']}; "
                          "merge what was made together.")  # fmt: skip
        if told["listing"] != first["listing"]:
            raise Problem(f"“{other.name}” and “{path.name}” were made of other files: images came or went between; "
                          "make the parts again (what was computed is kept).")  # fmt: skip
    missing = sorted(set(range(1, first["of"] + 1)) - loaded.keys())
    if missing:
        named = ", ".join(f"{number}/{first['of']}" for number in missing[:20])
        raise Problem(f"{'Part' if len(missing) == 1 else 'Parts'} {named} {'is' if len(missing) == 1 else 'are'} "
                      "missing; make them with --shard and merge again.")  # fmt: skip
    full = [(path, one) for path, one, _ in loaded.values() if len(one)]
    for path, one in full:
        for what in SAME:
            here, there = one.made_by.get(what), full[0][1].made_by.get(what)
            if here != there:
                said = {"name": "network", "weights_sha256": "weights"}.get(what, what)
                raise Problem(f"“{path.name}” was made with another {said} ({here}) than “{full[0][0].name}” "
                              f"({there}); make one of them again.")  # fmt: skip


def _put_together(parts: Sequence[tuple[Path, Atlas, dict[str, Any]]]) -> Atlas:
    """Append the parts and bring the rows into the order of the files; who is which of its equals is said anew."""
    unreadable = dict.fromkeys(file for _, one, _ in parts for file in one.unreadable)
    full = [(one, told) for _, one, told in parts if len(one)]
    if not full:
        raise Problem("None of the parts holds an image that can be read.")
    # Equal pictures may have the same id in two parts; the number of the part keeps them apart for now.
    apart = [
        replace(one, ids=np.array([f"{id_}|{number}" for id_ in one.ids.tolist()], np.str_), live=MappingProxyType({}))
        for number, (one, _) in enumerate(full)
    ]
    atlas = apart[0]
    for one in apart[1:]:
        atlas = joined(atlas, one)
    places = np.concatenate([np.asarray(told["places"], np.int64) for _, told in full])
    atlas = _in_order(atlas, np.lexsort((atlas.pages, places)).astype(np.intp))
    told = [id_.partition("|")[0].rsplit("-", 2) for id_ in atlas.ids.tolist()]
    ids = ids_of((content, int(page)) for content, page, _ in told)
    return replace(atlas, ids=ids, unreadable=tuple(unreadable))


def _in_order(atlas: Atlas, order: Any) -> Atlas:
    atlas = taken(atlas, order)
    columns = atlas.columns
    if "page" in columns:  # parts without stacks do not have it
        columns = columns.drop(columns="page")
        columns["page"] = pd.Series(atlas.pages + 1, dtype=np.int64)
    return replace(atlas, columns=columns)


# ---------------------------------------------------------------------- by the workers of a cluster


def submitted(
    paths: tuple[Path, ...],
    out: Path,
    shards: int,
    scheduler: str,
    backbone: Backbone | None,
    recipe: Recipe,
    device: str = "auto",
) -> Work[list[Path]]:
    """Let the workers of a Dask scheduler embed the shards, each into a part in a folder that all of them reach.

    Parts that stand there already are kept. A worker that ends costs its shard's retry only.

    Parameters
    ----------
    shards : int
        How many; 0 for four a worker.
    scheduler : str
        Its address, such as ``tcp://host:8786``.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise Problem("Install Dask to use a scheduler: pip install “napari-micromap[distributed]”.") from error
    try:
        client = Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise Problem(f"No scheduler answers at {scheduler} ({error}); start one with “dask scheduler”.") from error
    with client:
        workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        count = shards or 4 * max(1, len(workers))
        targets = {n: out / f"part-{n:0{len(str(count))}d}-of-{count}.micromap" for n in range(1, count + 1)}
        left = {n: path for n, path in targets.items() if not _stands(path)}
        futures = {
            client.submit(embed_on_worker, tuple(map(str, paths)), n, count, str(path), backbone, recipe, device,
                          retries=RETRIES, pure=False, key=f"micromap-{n}-of-{count}-{path}"): n
            for n, path in left.items()
        }  # fmt: skip
        yield Progress("Embedding", count - len(left), count, f"{len(workers)} workers")
        try:
            for done, future in enumerate(as_completed(list(futures)), start=count - len(left) + 1):
                future.result()
                yield Progress("Embedding", done, count, f"part {futures[future]}")
        except KilledWorker as error:
            raise Problem(f"Workers ended again and again on one part ({error}); look into their logs.") from error
        finally:
            client.cancel(list(futures))
    return list(targets.values())


def embed_on_worker(
    paths: tuple[str, ...], number: int, of: int, out: str, backbone: Backbone | None, recipe: Recipe, device: str
) -> str:
    """Embed one shard where this is called, on a device of the worker's own."""
    if _stands(Path(out)):  # the worker that made it ended before it was asked what came of it
        return out
    workshop = pipeline.Workshop()
    try:
        shard = Shard(tuple(map(Path, paths)), number, of)
        return str(finish(embed_part(shard, Path(out), backbone, recipe, workshop, _own_device(device))))
    finally:
        workshop.close()


def _stands(part: Path) -> bool:
    return (part / "open.micromap").is_file()


def _own_device(device: str) -> str:
    """Return the graphics card that is this worker's among those on its machine."""
    import torch

    cards = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    if cards < 2:  # one, none, or dask-cuda has shown each worker its own
        return device
    from distributed import get_worker

    name = str(get_worker().name)
    digits = name.rpartition("-")[2]
    return f"cuda:{(int(digits) if digits.isdecimal() else 0) % cards}"

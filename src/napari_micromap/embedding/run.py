"""One run over a collection."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, UnreadableFile
from napari_micromap.backbones import BACKBONES
from napari_micromap.embedding.inference import COMPARED, Inference, decided_precision
from napari_micromap.embedding.keeping import Keeper
from napari_micromap.embedding.keys import Keys, Precision, precision_question, spoken_of
from napari_micromap.embedding.preview import GrowingMap
from napari_micromap.embedding.reading import Picture, Reader
from napari_micromap.embedding.scales import scaled, settled
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.store.embeddings import file_question
from napari_micromap.streaming import Stop, in_order, one_thread_each, processors
from napari_micromap.work import Progress, Work

if TYPE_CHECKING:
    from napari_micromap.backbones import Backbone, Network
    from napari_micromap.store.embeddings import EmbeddingCache
    from napari_micromap.store.thumbnails import Thumbnails

MOST_WORKERS = 16  # beyond that the interpreter cannot hand out work fast enough
LOOKED_UP = 2000  # rows between two reports
PACKAGES = ("napari-micromap", "torch", "torchvision", "numpy", "pillow")


class Run:
    """What is known so far of each row, and what is still to be done; see :func:`napari_micromap.pipeline.embed`."""

    def __init__(
        self,
        atlas: Atlas,
        backbone: Backbone,
        recipe: Recipe,
        cache: EmbeddingCache,
        thumbnails: Thumbnails,
        device: str,
        verify: bool = False,
    ) -> None:
        if len(atlas) == 0:
            raise Problem("There are no micrographs to embed; open a folder or images first.")
        self.atlas = atlas
        self.backbone = backbone
        self.um_per_px = atlas.um_per_px
        self.recipe = recipe = settled(recipe, self.um_per_px)
        self.cache = cache
        self.thumbnails = thumbnails
        self.device = device
        self.verify = verify
        self.todo = np.ones(len(atlas), bool)  # rows without a vector by the whole recipe
        self.without_thumbnail: set[int] = set()
        self.failed: dict[int, str] = {}
        self.vectors = np.zeros((len(atlas), 0), np.float32)
        self.contents: dict[int, str] = {}  # hash of the pixels of a row, where it is known
        precision: Precision = "float32" if recipe.precision == "auto" else recipe.precision
        self.keys = Keys(spoken_of(backbone), backbone.weights_sha256(), recipe, precision)
        self.network: Network | None = None
        self._new = Keeper(cache, thumbnails)
        self._questions: dict[int, str] = {}  # of rows whose content is not known: asked before a file is read

    def embedded(self) -> Work[Atlas]:
        """Look up, compute what is missing, and return the atlas with its embeddings."""
        yield from self.look_up()
        try:
            if self.todo.any() or self.without_thumbnail:
                yield from self.work()
        finally:
            self._new.put()
        return self.result()

    # ---------------------------------------------------------------- what is there already

    def look_up(self) -> Work[None]:
        """Find what the cache knows, without reading a file that has not changed."""
        n = len(self.atlas)
        question = precision_question(self.keys, map(str, self.atlas.ids), self.device)
        decided = self.recipe.precision != "auto"
        if not decided and (known := self.cache.recall([question]).get(question)) in ("float32", "bfloat16"):
            self.keys, decided = replace(self.keys, precision=known), True  # type: ignore[arg-type]
        for first in range(0, n, LOOKED_UP):
            yield Progress("Embedding", 0, n, "looking into the cache")
            rows = range(first, min(n, first + LOOKED_UP))
            self._look_up_contents(rows)
            if decided:
                self._look_up_vectors(rows)
            keys = {self._thumbnail_key(row): row for row in rows}
            there = self.thumbnails.present(list(keys))
            self.without_thumbnail.update(row for key, row in keys.items() if key not in there)
        if not decided:
            yield from self._decide(question)

    def _look_up_contents(self, rows: Iterable[int]) -> None:
        asked = {row: question for row in rows if (question := self._question(row))}
        # With verify every file is read again, and its pixels say who it is.
        known = {} if self.verify else self.cache.recall(list(asked.values()))
        self.contents.update({row: known[question] for row, question in asked.items() if question in known})
        self._questions.update({row: question for row, question in asked.items() if question not in known})

    def _look_up_vectors(self, rows: Iterable[int]) -> None:
        keys = {row: self._key(row, self.contents[row]) for row in rows if row in self.contents}
        found = self.cache.get(list(set(keys.values())))
        for row, key in keys.items():
            if key in found:
                self._set(row, found[key])

    def _decide(self, question: str) -> Work[None]:
        """Compare both precisions on the first pictures, and keep the answer for this collection."""
        yield Progress("Embedding", 0, len(self.atlas), "comparing precisions")
        network = self._load()
        reader = Reader(self.atlas, self.recipe, (), range(len(self.atlas)))
        pictures = [reader(int(row)) for row in self._shuffled()[:COMPARED]]
        prepared = [picture.prepared[0] for picture in pictures if picture.prepared is not None]
        if prepared:
            with one_thread_each(_workers()):
                self.keys = replace(self.keys, precision=decided_precision(network, prepared))
            self.cache.note({question: self.keys.precision})
        self._look_up_vectors(range(len(self.atlas)))

    # ---------------------------------------------------------------- what is to be done

    def work(self) -> Work[None]:
        """Embed what is missing, the first time over with one view for the preview."""
        n = len(self.atlas)
        network = None
        if self.todo.any():
            yield Progress("Embedding", n - int(self.todo.sum()), n, "loading the network")
            network = self._load()
            network = network.in_bfloat16() if self.keys.precision == "bfloat16" else network
        inference = None if network is None else Inference(network, self.recipe)
        reader = Reader(self.atlas, self.recipe, self.without_thumbnail, frozenset(np.flatnonzero(self.todo).tolist()))
        yield from self._first_pass(reader, inference)
        rows = [row for row in self._shuffled() if self.todo[row]]
        done = n - len(rows)
        for pictures in self._through(reader, inference, rows, self.recipe.views):
            done += len(pictures)
            self._take(pictures)
            yield Progress("Embedding", done, n)

    def _first_pass(self, reader: Reader, inference: Inference | None) -> Work[None]:
        """Read all that must be read; give the preview its dots."""
        n = len(self.atlas)
        once = self.recipe.views == 1
        growing = GrowingMap(n, n - len(self.failed))
        seen = self._seen_before(growing) if self.todo.any() else set()
        rows = [r for r in self._shuffled() if (self.todo[r] and r not in seen) or r in self.without_thumbnail]
        done = n - len(rows)
        for pictures in self._through(reader, inference, rows, 1):
            done += len(pictures)
            for picture in pictures:
                if not once and picture.whole is None and self.todo[picture.row]:
                    reader.keep(picture)
            self._take(pictures)
            dots = [p for p in pictures if p.vector is not None and p.row not in seen]
            growing.add([p.row for p in dots], [p.vector for p in dots if p.vector is not None])
            yield Progress("Embedding" if once else "Preview", done, n, partial=growing.look())
        yield Progress("Embedding" if once else "Preview", done, n, partial=growing.look(last=True))

    def _seen_before(self, growing: GrowingMap) -> set[int]:
        """Give the preview what the cache has of it; return those rows."""
        seen: set[int] = set()
        rows = [row for row in self._shuffled() if row in self.contents]
        for first in range(0, len(rows), LOOKED_UP):
            keys = {row: self._key(row, self.contents[row], 1) for row in rows[first : first + LOOKED_UP]}
            found = self.cache.get(list(set(keys.values())))
            vectors = {row: found[key] for row, key in keys.items() if key in found}
            growing.add(list(vectors), list(vectors.values()))
            seen.update(vectors)
        return seen

    def _through(
        self, reader: Reader, inference: Inference | None, rows: Sequence[int], views: Literal[1, 8]
    ) -> Generator[list[Picture], None, None]:
        """Read rows in groups and send them through the network: on a CPU each group on one thread, all the way."""
        stop = Stop()
        size = 1 if inference is None else inference.at_once
        groups = (rows[first : first + size] for first in range(0, len(rows), size))

        def read(group: Sequence[int]) -> list[Picture]:
            pictures = []
            for row in group:
                stop.check()
                pictures.append(reader(row))
            return pictures

        def infer(pictures: list[Picture]) -> list[Picture]:
            if inference is not None:
                self._infer(pictures, inference, views, stop)
            return pictures

        with contextlib.ExitStack() as closing:
            workers = _workers()
            if inference is not None and inference.on_cpu:
                begin = closing.enter_context(one_thread_each(workers))
                results = in_order(lambda group: infer(read(group)), groups, workers, begin=begin)
                closing.callback(results.close)
                coming: Iterator[list[Picture]] = results
            else:
                readings = in_order(read, groups, workers)
                closing.callback(readings.close)
                coming = map(infer, readings)
            closing.callback(stop.wish)  # the last to be called is called first
            yield from coming

    def _infer(self, pictures: list[Picture], inference: Inference, views: Literal[1, 8], stop: Stop) -> None:
        """Fill in the vectors, from the cache where it knows these pixels under another name."""
        asked = [picture for picture in pictures if picture.prepared is not None]
        here = {p.row: self._key(p.row, p.content, views) for p in asked}
        whole = here if views == self.recipe.views else {p.row: self._key(p.row, p.content) for p in asked}
        found = self.cache.get(list({*here.values(), *whole.values()}))
        for picture in asked:
            picture.vector, picture.whole = found.get(here[picture.row]), found.get(whole[picture.row])
        missing = [picture for picture in asked if picture.vector is None]
        if missing:
            prepared = [picture.prepared for picture in missing if picture.prepared is not None]
            for picture, vector in zip(missing, inference.vectors(prepared, views, stop)):
                picture.vector, picture.computed = vector, True
                picture.whole = vector if views == self.recipe.views else picture.whole
                if not np.isfinite(vector).all():
                    picture.reason = "The network gives no finite numbers for it."

    # ---------------------------------------------------------------- what came out

    def _take(self, pictures: Iterable[Picture]) -> None:
        for picture in pictures:
            row = picture.row
            if picture.reason:
                self.failed[row] = picture.reason
                self.todo[row] = False
                continue
            if picture.jpeg is not None:
                self._new.jpegs[self._thumbnail_key(row)] = picture.jpeg
                self.without_thumbnail.discard(row)
            # Asked before the file was read: one that changes meanwhile is read again the next time.
            asked = self._questions.pop(row, None)
            if self.contents.get(row) != picture.content and (question := asked or self._question(row)):
                self._new.memos[question] = picture.content
            self.contents[row] = picture.content
            if picture.computed and picture.vector is not None:
                views: Literal[1, 8] | None = None if picture.vector is picture.whole else 1
                self._new.vectors[self._key(row, picture.content, views)] = picture.vector
            if picture.whole is not None and self.todo[row]:
                self._set(row, picture.whole)
        self._new.put_if_due()

    def result(self) -> Atlas:
        """Return the atlas with its embeddings; what could not be read is taken off it, and named."""
        kept = np.array([row for row in range(len(self.atlas)) if row not in self.failed], np.intp)
        if not len(kept):
            raise Problem(f"None of the micrographs can be read: {next(iter(self.failed.values()))}")
        atlas, vectors = self.atlas, self.vectors
        if self.failed:
            atlas, vectors = without(atlas, kept, self.failed), vectors[kept]
        return atlas.with_embeddings(vectors, self._made_by())

    def _made_by(self) -> dict[str, Any]:
        cls = type(self.backbone)
        names = [name for name in BACKBONES if BACKBONES[name] is cls]
        at_scale = scaled(self.recipe, self.um_per_px)
        return {
            "backbone": repr(self.backbone),
            "name": names[0] if names else cls.__name__,
            "weights_sha256": self.keys.weights_sha256,
            "recipe": repr(self.recipe),
            "precision": self.keys.precision,
            **({} if at_scale is None else {"scale": asdict(at_scale)}),
            "device": self.network.device if self.network is not None else "cache",
            "runtime": getattr(self.network, "runs_in", "torch") if self.network is not None else "cache",
            "dim": int(self.vectors.shape[1]),
            "versions": {package: version(package) for package in PACKAGES},
        }

    # ---------------------------------------------------------------- small things

    def _load(self) -> Network:
        if self.network is None:
            with one_thread_each(_workers()):
                self.network = self.backbone.load(self.device)
        return self.network

    def _set(self, row: int, vector: NDArray[np.float32]) -> None:
        if not self.vectors.shape[1]:
            self.vectors = np.zeros((len(self.atlas), len(vector)), np.float32)
        self.vectors[row] = vector
        self.todo[row] = False

    def _shuffled(self) -> list[int]:
        """All rows in an order of which each beginning represents the collection."""
        return [int(row) for row in np.random.default_rng(0).permutation(len(self.atlas))]

    def _key(self, row: int, content: str, views: Literal[1, 8] | None = None) -> str:
        return self.keys.key(content, views, float(self.um_per_px[row]))

    def _question(self, row: int) -> str | None:
        micrograph = self.atlas[row]
        if micrograph.live is not None or not micrograph.path:
            return None
        one = micrograph
        return file_question(one.path, one.page, one.bar_rows, one.bar_side, one.window)

    def _thumbnail_key(self, row: int) -> str:
        return self.thumbnails.key_of(self.atlas[row])


def _workers() -> int:
    return min(MOST_WORKERS, processors())


def without(atlas: Atlas, kept: NDArray[np.intp], failed: dict[int, str]) -> Atlas:
    """Return the kept rows, and the others among the unreadable; what depends on the collection is dropped."""
    named = tuple(
        UnreadableFile(str(atlas.paths[row]) or str(atlas.columns["file"].iat[row]), reason)
        for row, reason in sorted(failed.items())
    )
    atlas = atlas.with_embeddings(None, {})
    ids = atlas.ids[kept]
    return replace(
        atlas,
        columns=atlas.columns.iloc[kept].reset_index(drop=True),
        ids=ids,
        paths=atlas.paths[kept],
        pages=atlas.pages[kept],
        windows=None if atlas.windows is None else atlas.windows[kept],
        live={id_: live for id_, live in atlas.live.items() if id_ in set(ids.tolist())},
        unreadable=atlas.unreadable + named,
    )

"""Micrographs through the network: what comes out, what is cached, what is told meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from napari_micromap import pipeline
from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.backbones.efficientnet_lite import EfficientNetLite0
from napari_micromap.backbones.network import CnnNetwork
from napari_micromap.backbones.torchvision_cnns import ResNet18
from napari_micromap.embedding.inference import Inference, decided_precision
from napari_micromap.embedding.keeping import PUT_EVERY
from napari_micromap.embedding.preview import GrowingMap
from napari_micromap.problems import Problem, Unreadable, WeightsMissing
from napari_micromap.recipe import Recipe, batch_of, pool, prepare, views_of
from napari_micromap.sources.folder import Folder
from napari_micromap.space import Standardized
from napari_micromap.streaming import Stop, Stopped, with_pulse
from napari_micromap.work import Progress, finish

QUICK = Recipe(views=1)


def texture(seed: int, shape: tuple[int, int] = (90, 120)) -> np.ndarray:
    """Make grains of a size and contrast that depend on the seed."""
    random = np.random.default_rng(seed)
    coarse = random.random((shape[0] // (3 + seed % 7) + 1, shape[1] // (3 + seed % 7) + 1))
    grains = np.kron(coarse, np.ones((3 + seed % 7, 3 + seed % 7)))[: shape[0], : shape[1]]
    return (255 * grains).astype(np.uint8)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread: several wait for one another where other programs want the processors too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(10):
        Image.fromarray(texture(number)).save(folder / f"{number:02d}.png")
    return folder


@pytest.fixture
def workshop(tmp_path: Path) -> Any:
    workshop = pipeline.Workshop(tmp_path / "own cache")
    yield workshop
    workshop.close()


def gathered(folder: Path) -> Atlas:
    return finish(Folder(folder)())


def embedded(atlas: Atlas, workshop: pipeline.Workshop, recipe: Recipe = QUICK) -> Atlas:
    return finish(pipeline.embed(atlas, None, recipe, workshop, "cpu"))


def told(atlas: Atlas, workshop: pipeline.Workshop, recipe: Recipe = QUICK) -> tuple[Atlas, list[Progress]]:
    progress: list[Progress] = []
    return finish(pipeline.embed(atlas, None, recipe, workshop, "cpu"), progress.append), progress


class Slices:
    """An open stack of pictures, as layers are handed in."""

    layer_name = "stack"

    def __init__(self, number: int, pixels: np.ndarray) -> None:
        self.index = (number,)
        self.height = pixels.shape[0]
        self.pixels: np.ndarray | None = pixels

    def read(self, max_side: int | None = None) -> np.ndarray:
        if self.pixels is None:
            raise Unreadable("The layer “stack” was closed.")
        return self.pixels


def alive(pictures: list[np.ndarray]) -> Any:
    n = len(pictures)
    columns = pd.DataFrame({name: [None] * n for name in OWN_COLUMNS})
    columns["file"] = [f"stack [{i}]" for i in range(n)]
    columns["bar_rows"] = 0
    ids = np.array([f"id{i}" for i in range(n)])
    live = {f"id{i}": Slices(i, picture) for i, picture in enumerate(pictures)}
    return Atlas(columns, ids, np.full(n, ""), np.arange(n, dtype=np.int32), live)  # type: ignore[arg-type]


# ------------------------------------------------------------ what comes out


def test_embeddings_are_the_recipe_applied_to_each_picture(films: Path, workshop: pipeline.Workshop) -> None:
    atlas = embedded(gathered(films), workshop, Recipe())
    assert atlas.embeddings is not None and atlas.embeddings.shape == (10, 1752)
    network = EfficientNetLite0().load("cpu")
    for row in (0, 7):
        batch = batch_of([prepare(atlas[row].specimen(), Recipe())])
        by_hand = pool(network.maps(view) for view in views_of(batch, 8))
        np.testing.assert_allclose(atlas.embeddings[row], by_hand[0], atol=2e-5)
    assert dict(atlas.made_by) | {"versions": 0} == {
        "backbone": "EfficientNetLite0()",
        "name": "efficientnet-lite0",
        "weights_sha256": EfficientNetLite0().weights_sha256(),
        "recipe": repr(Recipe()),
        "precision": "float32",
        "device": "cpu",
        "runtime": network.runs_in,
        "dim": 1752,
        "versions": 0,
    }


def test_the_last_layer_alone_is_a_choice(films: Path, workshop: pipeline.Workshop) -> None:
    atlas = embedded(gathered(films), workshop, Recipe(views=1, depths="last"))
    assert atlas.embeddings is not None and atlas.embeddings.shape == (10, 1280)
    np.testing.assert_allclose(np.linalg.norm(atlas.embeddings, axis=1), 1, atol=1e-5)


def test_direction_does_not_matter_with_eight_views_and_does_with_one(workshop: pipeline.Workshop) -> None:
    stripes = np.tile(np.repeat(texture(3)[0, ::8], 8), (120, 1))[:120, :120]
    for recipe, alike in ((Recipe(), True), (QUICK, False)):
        both = embedded(alive([stripes, stripes.T.copy()]), workshop, recipe).embeddings
        assert both is not None
        cosine = float(both[0] @ both[1] / np.linalg.norm(both[0]) / np.linalg.norm(both[1]))
        assert (cosine > 0.9999) == alike


@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_two_and_three_micrographs_work(n: int, workshop: pipeline.Workshop) -> None:
    atlas, progress = told(alive([texture(seed) for seed in range(n)]), workshop)
    assert atlas.embeddings is not None and len(atlas.embeddings) == n
    last = [p.partial for p in progress if p.partial is not None][-1]
    assert isinstance(last, pipeline.Preview) and np.isfinite(last.positions).all()
    assert np.isfinite(Standardized().fit(atlas.embeddings)(atlas.embeddings)).all()


def test_many_identical_micrographs_are_identical(workshop: pipeline.Workshop) -> None:
    atlas, progress = told(alive([texture(0)] * 40), workshop)
    assert atlas.embeddings is not None
    assert (atlas.embeddings == atlas.embeddings[0]).all()
    last = [p.partial for p in progress if p.partial is not None][-1]
    assert isinstance(last, pipeline.Preview) and np.isfinite(last.positions).all()


def test_nothing_to_embed_says_what_to_do(workshop: pipeline.Workshop) -> None:
    with pytest.raises(Problem, match="open a folder or images first"):
        embedded(alive([]), workshop)


def test_weights_that_are_not_here_are_never_fetched_unasked(
    films: Path, workshop: pipeline.Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(WeightsMissing, match="allow their download"):
        finish(pipeline.embed(gathered(films), ResNet18(), QUICK, workshop, "cpu"))


# ------------------------------------------------------------ the cache


def test_a_second_run_reads_nothing_and_needs_no_network(
    films: Path, workshop: pipeline.Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = gathered(films)
    first = embedded(atlas, workshop, Recipe())

    def not_again(*args: Any) -> Any:
        raise AssertionError("read or loaded again")

    monkeypatch.setattr(EfficientNetLite0, "load", not_again)
    monkeypatch.setattr("napari_micromap.atlas.read_pixels", not_again)
    second, progress = told(atlas, workshop, Recipe())
    assert np.array_equal(first.embeddings, second.embeddings)  # type: ignore[arg-type]
    assert not any(p.partial for p in progress)


def test_a_cached_run_does_not_even_import_torch(films: Path, workshop: pipeline.Workshop) -> None:
    embedded(gathered(films), workshop)
    code = """
import sys
from pathlib import Path
from napari_micromap import pipeline
from napari_micromap.recipe import Recipe
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish
atlas, workshop = finish(Folder(Path(sys.argv[1]))()), pipeline.Workshop(Path(sys.argv[2]))
atlas = finish(pipeline.embed(atlas, None, Recipe(views=1), workshop))
print(atlas.embeddings.shape, "torch" in sys.modules)
"""
    answer = subprocess.run(
        [sys.executable, "-c", code, films, workshop.cache], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "(10, 1752) False"


def test_names_do_not_matter_pixels_do(
    films: Path, workshop: pipeline.Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embedded(gathered(films), workshop)
    shutil.move(films, tmp_path / "moved")
    for number, path in enumerate(sorted((tmp_path / "moved").iterdir(), reverse=True)):
        path.rename(path.with_name(f"film {number}.png"))
    computed: list[int] = []
    vectors = Inference.vectors
    monkeypatch.setattr(Inference, "vectors", lambda *a: computed.append(len(a[1])) or vectors(*a))  # type: ignore[func-returns-value]
    again = embedded(gathered(tmp_path / "moved"), workshop)
    assert computed == []
    assert np.array_equal(again.embeddings, first.embeddings[::-1])  # type: ignore[index, arg-type]
    Image.fromarray(texture(99)).save(tmp_path / "moved" / "film 3.png")
    changed = embedded(gathered(tmp_path / "moved"), workshop)
    assert computed == [1]
    assert not np.array_equal(changed.embeddings[3], again.embeddings[3])  # type: ignore[index]


def test_a_corrected_data_bar_embeds_those_anew_and_back_costs_nothing(
    films: Path, workshop: pipeline.Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embedded(gathered(films), workshop)
    cut = embedded(first.with_bar_rows(np.array([2, 5]), 20), workshop)
    assert first.embeddings is not None and cut.embeddings is not None
    assert np.flatnonzero((cut.embeddings != first.embeddings).any(axis=1)).tolist() == [2, 5]
    monkeypatch.setattr(EfficientNetLite0, "load", None)
    back = embedded(cut.with_bar_rows(np.array([2, 5]), 0), workshop)
    assert np.array_equal(back.embeddings, first.embeddings)  # type: ignore[arg-type]


def test_thumbnails_come_with_the_first_reading_and_come_back_when_lost(
    films: Path, workshop: pipeline.Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = gathered(films)
    embedded(atlas, workshop)
    keys = [workshop.thumbnails.key_of(micrograph) for micrograph in atlas]
    shown = workshop.thumbnails.get(keys[4])
    assert shown is not None and shown.shape == (90, 120)
    assert np.corrcoef(shown.ravel(), texture(4).ravel())[0, 1] > 0.95
    workshop.thumbnails.close()
    for part in workshop.cache.glob("thumbnails*"):
        part.unlink()
    monkeypatch.setattr(EfficientNetLite0, "load", None)  # the vectors are there
    embedded(atlas, workshop)
    assert workshop.thumbnails.present(keys) == set(keys)


def test_what_was_embedded_before_a_cancel_is_kept(films: Path, workshop: pipeline.Workshop) -> None:
    atlas = gathered(films)
    work = pipeline.embed(atlas, None, QUICK, workshop, "cpu")
    while next(work).done < 4:
        pass
    began = time.monotonic()
    work.close()
    assert time.monotonic() - began < 10
    _, progress = told(atlas, workshop)
    assert max(p.done for p in progress if "network" in p.note) >= 4


def test_two_recipes_do_not_share_a_key(films: Path, workshop: pipeline.Workshop) -> None:
    atlas = gathered(films)
    one, other = embedded(atlas, workshop), embedded(atlas, workshop, Recipe(views=1, high_percent=90.0))
    assert not np.array_equal(one.embeddings, other.embeddings)  # type: ignore[arg-type]
    low = embedded(atlas, workshop, Recipe(views=1, precision="bfloat16"))
    assert low.made_by["precision"] == "bfloat16"
    assert not np.array_equal(one.embeddings, low.embeddings)  # type: ignore[arg-type]


def test_pictures_that_do_not_fit_between_the_passes_are_read_again(
    films: Path, workshop: pipeline.Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embedded(gathered(films), workshop, Recipe())
    monkeypatch.setattr("napari_micromap.embedding.reading.KEPT_BYTES", 3 * 224 * 224 * 4)
    other = pipeline.Workshop(tmp_path / "another cache")
    again = embedded(gathered(films), other, Recipe())
    other.close()
    np.testing.assert_allclose(again.embeddings, first.embeddings, atol=1e-5)  # type: ignore[arg-type]


# ------------------------------------------------------------ what cannot be read


def test_a_file_that_vanished_is_named_and_the_rest_goes_on(films: Path, workshop: pipeline.Workshop) -> None:
    atlas = gathered(films)
    (films / "03.png").unlink()
    (films / "08.png").write_bytes((films / "08.png").read_bytes()[:200])
    after = embedded(atlas, workshop, Recipe())
    assert [Path(each.path).name for each in after.unreadable] == ["03.png", "08.png"]
    assert all(each.reason for each in after.unreadable)
    assert list(after.columns["file"]) == [f"{n:02d}.png" for n in range(10) if n not in (3, 8)]
    assert after.embeddings is not None and len(after) == len(after.embeddings) == 8
    alone = embedded(gathered(films), workshop, Recipe())
    assert np.array_equal(alone.embeddings, after.embeddings)  # type: ignore[arg-type]
    shutil.rmtree(films)
    films.mkdir()
    other = atlas.with_bar_rows(np.arange(10), 5)
    with pytest.raises(Problem, match="None of the micrographs can be read: "):
        embedded(other, workshop)


def test_a_layer_that_was_closed_is_named(workshop: pipeline.Workshop) -> None:
    atlas = alive([texture(seed) for seed in range(4)])
    atlas.live["id2"].pixels = None
    after = embedded(atlas, workshop)
    assert [(each.path, each.reason) for each in after.unreadable] == [("stack [2]", "The layer “stack” was closed.")]
    assert list(after.ids) == ["id0", "id1", "id3"] == list(after.live)


def test_a_layer_that_was_edited_is_embedded_anew(workshop: pipeline.Workshop) -> None:
    atlas = alive([texture(seed) for seed in range(4)])
    before = embedded(atlas, workshop).embeddings
    atlas.live["id1"].pixels = texture(77)
    after = embedded(atlas, workshop).embeddings
    assert before is not None and after is not None
    assert np.flatnonzero((before != after).any(axis=1)).tolist() == [1]


def test_sixteen_bit_and_color_pictures_go_through(tmp_path: Path, workshop: pipeline.Workshop) -> None:
    deep = texture(1).astype(np.uint16) * 13 + 5000
    tifffile.imwrite(tmp_path / "a.tif", deep)
    tifffile.imwrite(tmp_path / "b.tif", np.stack([deep] * 3, axis=-1), photometric="rgb")
    tifffile.imwrite(tmp_path / "c.tif", deep.astype(np.float32) / 7)
    vectors = embedded(gathered(tmp_path), workshop).embeddings
    assert vectors is not None
    np.testing.assert_allclose(vectors[1:], vectors[[0, 0]], atol=0.01)


# ------------------------------------------------------------ what is told meanwhile


def test_dots_of_the_preview_appear_and_none_moves(films: Path, workshop: pipeline.Workshop) -> None:
    for number in range(10, 60):
        Image.fromarray(texture(number)).save(films / f"{number:02d}.png")
    atlas, progress = told(gathered(films), workshop, Recipe(views=1))
    maps = [p.partial.positions for p in progress if isinstance(p.partial, pipeline.Preview)]
    assert maps and np.isfinite(maps[-1]).all() and maps[-1].shape == (60, 2)
    for before, after in pairwise(maps):
        there = np.isfinite(before).all(axis=1)
        assert there.sum() >= 32
        assert np.array_equal(before[there], after[there])
    assert 0.2 < maps[-1].std(axis=0).max() < 5
    done = [p.done for p in progress]
    assert done == sorted(done) and {p.total for p in progress} == {60}
    assert len(atlas) == 60


def test_two_passes_are_told_by_name_and_only_the_first_has_a_preview(films: Path, workshop: pipeline.Workshop) -> None:
    _, progress = told(gathered(films), workshop, Recipe())
    stages = [p.stage for p in progress if not p.note]
    assert stages == sorted(stages, reverse=True) and set(stages) == {"Preview", "Embedding"}
    assert {p.stage for p in progress if p.partial} == {"Preview"}
    assert (progress[-1].done, progress[-1].total) == (10, 10)


def test_a_collection_that_grew_previews_old_and_new_at_once(films: Path, workshop: pipeline.Workshop) -> None:
    embedded(gathered(films), workshop, Recipe())
    Image.fromarray(texture(50)).save(films / "50.png")
    _, progress = told(gathered(films), workshop, Recipe())
    assert [p.done for p in progress if p.stage == "Preview"] == [11, 11]
    last = [p.partial for p in progress if p.partial is not None][-1]
    assert isinstance(last, pipeline.Preview) and np.isfinite(last.positions).all()


def test_a_preview_is_not_drawn_more_often_than_can_be_seen() -> None:
    now = [0.0]
    growing = GrowingMap(100, 100, clock=lambda: now[0])
    vectors = np.random.default_rng(0).normal(size=(100, 20)).astype(np.float32)
    shown = 0
    for row in range(100):
        now[0] += 0.05
        growing.add([row], [vectors[row]])
        shown += growing.look() is not None
    assert shown <= 100 * 0.05 / 0.33
    assert growing.look(last=True) is not None
    assert growing.look(last=True) is None


# ------------------------------------------------------------ memory, precision, threads


class Cramped:
    """A network whose graphics card holds few pictures at a time."""

    device = "cuda"

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked: list[int] = []

    def maps(self, batch: Any) -> list[Any]:
        import torch

        self.asked.append(len(batch))
        if len(batch) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return [batch[:, :1, :4, :4]]


def test_out_of_memory_halves_the_batch_from_then_on() -> None:
    pictures = [np.random.default_rng(i).random((8, 8)).astype(np.float32) for i in range(40)]
    network = Cramped(room=5)
    inference = Inference(network, QUICK)  # type: ignore[arg-type]
    vectors = inference.vectors(pictures, 1, Stop())
    roomy = Inference(Cramped(room=99), QUICK).vectors(pictures, 1, Stop())  # type: ignore[arg-type]
    assert np.array_equal(vectors, roomy)
    assert network.asked[:4] == [32, 16, 8, 4] and set(network.asked[4:]) == {4}
    with pytest.raises(Problem, match="too little memory"):
        Inference(Cramped(room=0), QUICK).vectors(pictures, 1, Stop())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said", ["MPS backend out of memory (MPS allocated: 9 GB)", "DefaultCPUAllocator: can't allocate memory"]
)
def test_a_real_network_short_of_memory_gives_the_same_in_smaller_batches(
    films: Path, workshop: pipeline.Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    wanted = embedded(gathered(films), workshop, QUICK).embeddings
    maps, asked = CnnNetwork.maps, []

    def cramped(network: CnnNetwork, batch: Any) -> Any:
        if batch.shape[-1] == QUICK.side:  # not while it is loaded
            asked.append(len(batch))
            if len(batch) > 1:
                raise RuntimeError(said)
        return maps(network, batch)

    monkeypatch.setattr(CnnNetwork, "maps", cramped)
    again = embedded(gathered(films), pipeline.Workshop(tmp_path / "other cache"), QUICK).embeddings
    assert again.tobytes() == wanted.tobytes()
    assert max(asked) > 1 and asked.count(1) == len(again)


def test_auto_keeps_float32_where_half_the_bits_tell_something_else(films: Path, workshop: pipeline.Workshop) -> None:
    atlas = gathered(films)
    auto = embedded(atlas, workshop, Recipe(views=1, precision="auto"))
    network = EfficientNetLite0().load("cpu")
    prepared = [prepare(micrograph.specimen(), QUICK) for micrograph in atlas]
    assert decided_precision(network, prepared) == auto.made_by["precision"] == "float32"
    again, progress = told(atlas, workshop, Recipe(views=1, precision="auto"))
    assert np.array_equal(auto.embeddings, again.embeddings)  # type: ignore[arg-type]
    assert not any("precisions" in p.note for p in progress)


def test_threads_of_torch_are_as_many_as_before(films: Path, workshop: pipeline.Workshop) -> None:
    import torch

    before = torch.get_num_threads()
    embedded(gathered(films), workshop)
    assert torch.get_num_threads() == before


def test_threads_stop_between_two_views() -> None:
    stop = Stop()
    stop.wish()
    with pytest.raises(Stopped):
        Inference(Cramped(room=99), Recipe()).vectors([np.zeros((8, 8), np.float32)], 8, stop)  # type: ignore[arg-type]


def test_a_pulse_goes_on_while_nothing_comes_and_hands_errors_on() -> None:
    def slow() -> Any:
        yield 1
        time.sleep(0.15)
        yield 2
        raise OSError("broken")

    came = []
    with pytest.raises(OSError, match="broken"):
        came.extend(item for item in iterate(with_pulse(slow(), (OSError,), pause=0.02), came))
    assert [item for item in came if item is not None] == [1, 2]
    assert None in came


def iterate(items: Any, into: list[Any]) -> Any:
    for item in items:
        into.append(item)
        if False:
            yield item


# ------------------------------------------------------------ on real micrographs


def test_a_collection_of_real_micrographs_runs_through(real_data: Path, workshop: pipeline.Workshop) -> None:
    atlas = embedded(gathered(real_data / "uhcs"), workshop)
    assert atlas.embeddings is not None and atlas.embeddings.shape == (43, 1752)
    unit = atlas.embeddings / np.linalg.norm(atlas.embeddings, axis=1, keepdims=True)
    assert (unit @ unit.T).min() < 0.9
    assert PUT_EVERY <= 1.0


@pytest.mark.slow
def test_steel_defects_find_their_kind(real_data: Path, workshop: pipeline.Workshop) -> None:
    """1,360 pictures of 7 kinds of defects, without the exact duplicates: the nearest is of the same kind."""
    atlas = gathered(real_data / "xsdd")
    _, first = np.unique([Path(path).read_bytes() for path in atlas.paths], return_index=True)
    atlas = embedded(atlas, workshop, Recipe())
    rows = np.sort(first)
    assert len(atlas) - len(rows) == 9
    assert atlas.embeddings is not None
    features = Standardized().fit(atlas.embeddings)(atlas.embeddings)[rows]
    kinds = np.array([Path(path).parent.name for path in atlas.paths])[rows]
    nearness = features @ features.T
    np.fill_diagonal(nearness, -1)
    assert (kinds[nearness.argmax(axis=1)] == kinds).mean() >= 0.99

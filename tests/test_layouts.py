"""Maps, and the process that makes the long ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas
from napari_micromap.choices import parameters
from napari_micromap.layouts import LAYOUTS, Layout, layout_of
from napari_micromap.layouts.channel import Channel, Closed, Line, Message, connect
from napari_micromap.layouts.pca import principal_plane
from napari_micromap.layouts.placing import among_nearest
from napari_micromap.layouts.process import LayoutProcess
from napari_micromap.layouts.tsne import Tsne
from napari_micromap.layouts.umap import Umap
from napari_micromap.neighbors import Neighbors, exact_neighbors
from napari_micromap.problems import Problem
from napari_micromap.work import Progress, finish

Clustered = tuple[np.ndarray, np.ndarray, Neighbors]


@pytest.fixture(scope="module")
def clustered() -> Clustered:
    """Features of 240 micrographs of six kinds, their kinds, and their neighbors."""
    random = np.random.default_rng(0)
    kinds = random.integers(0, 6, 240)
    features = (random.normal(size=(6, 30))[kinds] * 1.5 + random.normal(size=(240, 30))).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features, kinds, finish(exact_neighbors(features, 50))


@pytest.fixture(scope="module")
def process() -> Iterator[LayoutProcess]:
    process = LayoutProcess()
    process.start()
    yield process
    process.close()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(pid: int, within: float) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")


# ---------------------------------------------------------------------- every layout


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("kind", ["random", "identical", "zero", "three of a kind"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 40])
def test_any_few_or_identical_micrographs_have_places(name: str, kind: str, n: int) -> None:
    features = {
        "random": np.random.default_rng(n).normal(size=(n, 16)),
        "identical": np.ones((n, 16)),
        "zero": np.zeros((n, 16)),
        "three of a kind": np.eye(16)[np.arange(n) % 3],
    }[kind].astype(np.float32)
    before = features.copy()
    positions = finish(LAYOUTS[name]()(features, finish(exact_neighbors(features, 50))))
    assert positions.shape == (n, 2)
    assert positions.dtype == np.float32
    assert np.isfinite(positions).all()
    assert np.array_equal(features, before)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_seed_gives_the_same_map(name: str, clustered: Clustered) -> None:
    features, _, neighbors = clustered
    layout = LAYOUTS[name]()
    assert np.array_equal(finish(layout(features, neighbors)), finish(layout(features, neighbors)))


@pytest.mark.parametrize(("name", "least"), [("umap", 0.93), ("tsne", 0.93), ("pca", 0.75)])
def test_look_alikes_lie_together(name: str, least: float, clustered: Clustered) -> None:
    from sklearn.manifold import trustworthiness

    features, kinds, neighbors = clustered
    positions = finish(LAYOUTS[name]()(features, neighbors))
    assert trustworthiness(features, positions, n_neighbors=10, metric="cosine") >= least
    if name != "pca":
        nearest = np.linalg.norm(positions[:, None] - positions, axis=2) + np.diag(np.full(len(positions), np.inf))
        assert (kinds[nearest.argmin(axis=1)] == kinds).mean() >= 0.97


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_flat_fields_with_words_for_each(name: str) -> None:
    cls = LAYOUTS[name]
    layout = cls()
    assert cls(**parameters(layout)) == layout == layout_of(repr(layout))
    assert all(field.name in (cls.__doc__ or "") for field in fields(layout))  # type: ignore[arg-type]
    assert "DOI" in (cls.__doc__ or "")


def test_a_duplicate_is_placed_on_its_original_and_the_old_do_not_move(clustered: Clustered) -> None:
    features = clustered[0]
    positions = principal_plane(features)
    before = positions.copy()
    placed = among_nearest(features[[5, 17]] * 2, features, positions)
    np.testing.assert_allclose(placed, positions[[5, 17]], atol=1e-3)
    assert np.array_equal(positions, before)


def test_positions_from_elsewhere_and_of_another_version_are_told_apart() -> None:
    assert layout_of("positions.npy") is None and layout_of("") is None
    for said in ("Umap(spread=2)", "Umap(seed=__import__('os').getpid())", "Umap(seed"):
        with pytest.raises(Problem, match="anew"):
            layout_of(said)


def test_rows_without_a_place_give_none_to_new_ones(clustered: Clustered) -> None:
    features, _, _ = clustered
    positions = principal_plane(features)
    positions[5] = np.nan
    assert np.isfinite(among_nearest(features[[5]], features, positions)).all()
    nowhere = np.full_like(positions, np.nan)
    assert np.isnan(among_nearest(features[[5]], features, nowhere)).all()


# ---------------------------------------------------------------------- one by one


def test_pca_is_that_of_scikit_learn_whichever_product_is_smaller() -> None:
    from sklearn.decomposition import PCA

    for shape in [(60, 9), (9, 60)]:
        features = np.random.default_rng(4).normal(size=shape).astype(np.float32)
        ours, theirs = principal_plane(features), PCA(2).fit_transform(features.astype(np.float64))
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-4)


def test_pca_does_not_flip_with_the_sign_of_rounding() -> None:
    features = np.random.default_rng(5).exponential(size=(200, 12)).astype(np.float32)
    features[:, :3] *= 5
    noise = np.random.default_rng(6).normal(scale=1e-5, size=features.shape).astype(np.float32)
    np.testing.assert_allclose(principal_plane(features), principal_plane(features + noise), atol=1e-2)


def test_umap_is_that_of_umap_learn() -> None:
    """Same neighbors, same start, same seed: the class that everybody knows gives the same map, to the last bit."""
    import warnings

    from napari_micromap.layouts.umap import _starting_points

    random = np.random.RandomState(42)
    features = np.random.default_rng(7).normal(size=(150, 10)).astype(np.float32)
    neighbors = finish(exact_neighbors(features, 20))
    start = _starting_points(features, None, random)
    rows = np.concatenate([np.arange(150, dtype=np.int32)[:, None], neighbors.rows[:, :14]], axis=1)
    distances = np.concatenate([np.zeros((150, 1), np.float32), neighbors.distances[:, :14]], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

        theirs = UMAP(
            metric="cosine", init=start, n_epochs=500, precomputed_knn=(rows, distances), random_state=0, n_jobs=1,
            force_approximation_algorithm=True,
        )  # fmt: skip
        theirs.random_state = random  # past the start, as ours is
        expected = theirs.fit_transform(features)
    assert np.array_equal(Umap().lay_out(features, neighbors), expected)


def test_umap_tells_its_epochs(clustered: Clustered) -> None:
    features, _, neighbors = clustered
    told: list[Progress] = []
    with_telling = Umap().lay_out(features, neighbors, tell=told.append)
    assert told[-1].done == told[-1].total == 500
    assert np.array_equal(with_telling, Umap().lay_out(features, neighbors))


def test_neighbors_that_are_too_few_are_found_anew(clustered: Clustered) -> None:
    features, _, neighbors = clustered
    few = Neighbors(neighbors.rows[:, :3], neighbors.distances[:, :3])
    layout = Umap(n_neighbors=20, epochs=20)
    assert np.array_equal(finish(layout(features, few)), finish(layout(features, neighbors)))


def test_umap_starts_where_it_is_told_to(clustered: Clustered) -> None:
    features, _, neighbors = clustered
    start = principal_plane(features)[:, ::-1]
    swapped = Umap(epochs=1).lay_out(features, neighbors, start)
    plain = Umap(epochs=1).lay_out(features, neighbors)
    assert np.corrcoef(swapped[:, 0], plain[:, 1])[0, 1] > 0.8


# ---------------------------------------------------------------------- the channel


@pytest.mark.parametrize("loopback", [False, True])
def test_messages_arrive_whole_with_their_arrays(loopback: bool) -> None:
    line = Line(loopback)
    there = connect(line.address, line.token) if loopback else Channel(line._far.dup())  # type: ignore[union-attr]
    here = line.channel(5.0)
    assert here is not None
    arrays = {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b\n": np.zeros((0, 2), np.int32)}
    there.send(Message({"text": "Jc (MA/cm²)\n"}, arrays))
    there.send(Message({"second": 2}))
    first, second = here.receive(5.0), here.receive(5.0)
    assert first is not None
    assert first.values == {"text": "Jc (MA/cm²)\n"}
    assert all(np.array_equal(first.arrays[name], array) for name, array in arrays.items())
    assert second is not None
    assert second.values == {"second": 2}
    assert here.receive(0.01) is None
    there.close()
    with pytest.raises(Closed):
        here.receive(5.0)
    here.close()


def test_a_stranger_on_the_loopback_is_turned_away() -> None:
    line = Line(loopback=True)
    stranger = connect(line.address, "not the token")
    assert line.channel(5.0) is None
    friend = connect(line.address, line.token)
    channel = line.channel(5.0)
    assert channel is not None
    for end in (stranger, friend, channel):
        end.close()


# ---------------------------------------------------------------------- the stage


def atlas_of(features: np.ndarray, neighbors: Neighbors) -> Atlas:
    n = len(features)
    names = np.array([f"{row}.png" for row in range(n)])
    atlas = Atlas(pd.DataFrame({"file": names}), names, names, np.zeros(n, np.int32))
    return atlas.with_embeddings(features, {}).with_features(lambda embeddings: embeddings, features, neighbors)


def test_below_thirty_the_map_is_pca(clustered: Clustered, tmp_path: Path) -> None:
    workshop = pipeline.Workshop(tmp_path)
    features = clustered[0][:29]
    atlas, title = finish(pipeline.lay_out(atlas_of(features, finish(exact_neighbors(features, 50))), None, workshop))
    assert title == "PCA"
    assert atlas.layout == "Pca()"
    assert workshop._layout_process is None


# ---------------------------------------------------------------------- the process


@pytest.mark.parametrize("layout", [Umap(), Umap(n_neighbors=5, min_dist=0.4, seed=7), Tsne()])
def test_the_process_gives_what_the_layout_itself_gives(
    layout: Layout, process: LayoutProcess, clustered: Clustered
) -> None:
    features, _, neighbors = clustered
    told: list[Progress] = []
    positions = finish(process.run(layout, features, neighbors), told.append)
    assert np.array_equal(positions, finish(layout(features, neighbors)))
    assert told[-1].stage == layout.title
    assert len(process.pids) == 1


def test_another_distance_or_seed_uses_the_neighbors_again(
    process: LayoutProcess, clustered: Clustered, tmp_path: Path
) -> None:
    workshop = pipeline.Workshop(tmp_path)
    workshop._layout_process = process
    features, _, neighbors = clustered
    atlas = atlas_of(features, neighbors)
    told: list[Progress] = []
    atlas, title = finish(pipeline.lay_out(atlas, None, workshop), told.append)
    assert title == "UMAP"
    atlas, _ = finish(pipeline.lay_out(atlas, Umap(min_dist=0.5, seed=1, epochs=20), workshop), told.append)
    assert {p.stage for p in told} <= {"Preparing UMAP", "UMAP"}
    assert atlas.neighbors is neighbors
    assert np.array_equal(atlas.positions, Umap(min_dist=0.5, seed=1, epochs=20).lay_out(features, neighbors))


def test_the_process_finds_the_neighbors_of_large_collections(process: LayoutProcess, clustered: Clustered) -> None:
    features, _, exact = clustered
    told: list[Progress] = []
    found = finish(process.find_neighbors(features, 15), told.append)
    alike = [len(np.intersect1d(one, other)) for one, other in zip(exact.rows[:, :15], found.rows)]
    assert np.mean(alike) / 15 > 0.99
    assert {p.stage for p in told} <= {"Preparing", "Comparing"}


def test_what_a_library_raises_is_a_sentence(process: LayoutProcess) -> None:
    with pytest.raises(Problem, match=r"^t-SNE stopped before it was done: .*perplexity.*PCA\.$"):
        finish(process.run(Tsne(perplexity=-1.0), np.eye(40, dtype=np.float32), None))


@on_linux
def test_a_crash_is_a_sentence_and_a_fresh_process_gets_ready(process: LayoutProcess) -> None:
    work = process.run(Umap(), np.eye(40, dtype=np.float32), None)
    next(work)
    (before,) = process.pids
    os.kill(before, signal.SIGKILL)
    with pytest.raises(Problem, match=r"^UMAP stopped before it was done: its process was ended .*PCA\.$"):
        finish(work)
    (after,) = process.pids
    assert after != before
    assert alive(after)


@on_linux
def test_canceling_ends_the_work_at_once_and_a_fresh_process_gets_ready(
    process: LayoutProcess, clustered: Clustered
) -> None:
    features, _, neighbors = clustered
    work = process.run(Umap(epochs=10_000_000), features, neighbors)
    while next(work).done == 0:
        pass
    (before,) = process.pids
    work.close()
    assert ends(before, within=2.0)
    (after,) = process.pids
    assert alive(after)


@on_linux
def test_canceling_while_it_gets_ready_keeps_the_process() -> None:
    process = LayoutProcess()
    work = process.run(Umap(), np.ones((40, 3), np.float32), None)
    next(work)
    (before,) = process.pids
    work.close()
    assert process.pids == (before,)
    process.close()
    assert ends(before, within=2.0)


def test_a_closed_process_says_so() -> None:
    process = LayoutProcess()
    work = process.run(Umap(), np.ones((40, 3), np.float32), None)
    next(work)
    process.close()
    with pytest.raises(Problem, match="the session was closed"):
        finish(work)
    with pytest.raises(Problem, match="the session was closed"):
        finish(process.run(Umap(), np.ones((40, 3), np.float32), None))
    assert process.pids == ()


@on_linux
def test_a_forgotten_process_ends() -> None:
    process = LayoutProcess()
    process.start()
    (pid,) = process.pids
    del process
    assert ends(pid, within=2.0)


def test_windows_way_of_talking_works_also_beside_files_with_the_names_of_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clustered: Clustered
) -> None:
    for name in ("umap.py", "json.py"):
        (tmp_path / name).write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    features, _, neighbors = clustered
    process = LayoutProcess(loopback=True)
    try:
        assert finish(process.run(Umap(epochs=5), features, neighbors)).shape == (240, 2)
    finally:
        process.close()


PARENT = """
import sys, time
import numpy as np
from napari_micromap.layouts.process import LayoutProcess
from napari_micromap.layouts.umap import Umap
process = LayoutProcess()
process.start()
print(process.pids[0], flush=True)
if sys.argv[1] == "busy":
    work = process.run(Umap(epochs=10_000_000), np.random.default_rng(0).normal(size=(300, 9)).astype("f4"), None)
    while next(work).done == 0:
        pass
print("now", flush=True)
time.sleep(600)
"""


@on_linux
@pytest.mark.parametrize("state", ["starting", "busy"])
def test_the_process_ends_with_a_parent_that_is_killed(state: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, state], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == "now\n"
    assert alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    # A child that is still importing sees it once it listens.
    assert ends(child, within=20.0 if state == "starting" else 2.0)

"""Galleries in several windows, in windows that close, and through the proxy that docks are given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QApplication

from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.layer_links import LayerLinks
from napari_micromap.work import finish


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


@pytest.fixture
def files(tmp_path: Path) -> Session:
    """A session of five files."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(5):
        noise = np.random.default_rng(seed).integers(0, 256, (60, 80)).astype(np.uint8)
        tifffile.imwrite(folder / f"m{seed}.tif", noise)
    session = Session(cache=tmp_path)
    session.open(Folder(folder))
    return session


class Waiting:
    """Keeps work until it is told to do a step, as a thread would that is slow."""

    def __init__(self) -> None:
        self.jobs: deque[tuple[Any, Any, Any]] = deque()

    def __call__(self, start: Any, *, lane: str, done: Any, progress: Any = None) -> None:
        if lane == "gallery":
            self.jobs.clear()
        self.jobs.append((start(), done, progress))

    def cancel(self, lane: str) -> None:
        self.jobs.clear()

    def finish(self) -> None:
        while self.jobs:
            work, done, progress = self.jobs.popleft()
            done(finish(work, progress))


def test_a_viewer_that_is_closed_in_mid_work_is_no_trouble(
    make_napari_viewer: Callable[..., Any], files: Session
) -> None:
    viewer = make_napari_viewer(show=True)
    files.run = waiting = Waiting()
    gallery = Gallery(viewer, files)
    files.selection.replace([0, 1])
    waiting.finish()
    settle()
    files.selection.replace([2, 3, 4])
    viewer.close()
    settle()
    waiting.finish()
    settle()
    assert gallery.mode == "closed"
    gallery.dispose()


def test_two_viewers_do_not_disturb_each_other(
    make_napari_viewer: Callable[..., Any], files: Session, tmp_path: Path
) -> None:
    one, two = make_napari_viewer(show=True), make_napari_viewer(show=True)
    other = Session(cache=tmp_path / "other")
    other.open(Folder(tmp_path / "pictures"))
    galleries = Gallery(one, files), Gallery(two, other)
    files.selection.replace([0, 1])
    other.selection.replace([2, 3, 4])
    other.open_micrograph(3)
    settle()
    assert [gallery.mode for gallery in galleries] == ["gallery", "opened"]
    assert [len(viewer.layers) for viewer in (one, two)] == [3, 4]
    galleries[0].close()
    assert [len(viewer.layers) for viewer in (one, two)] == [0, 4]
    for gallery in galleries:
        gallery.dispose()


def test_it_works_through_the_proxy_that_docks_are_given(
    make_napari_viewer_proxy: Callable[..., Any], files: Session
) -> None:
    viewer = make_napari_viewer_proxy()
    gallery, links = Gallery(viewer, files), LayerLinks(viewer, files)
    files.selection.replace([0, 1])
    files.open_micrograph(0)
    gallery.back()
    assert viewer.layers[0].name == "Micrographs"
    gallery.dispose()
    links.dispose()

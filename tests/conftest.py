"""Fixtures that the tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("calm", deadline=None)  # a busy machine is no failure
settings.load_profile("calm")
# One binding for napari and for pytest-qt, which would else load the first it finds, and then the other cannot load.
os.environ.setdefault("QT_API", "pyqt6" if find_spec("PyQt6") else "pyside6")
os.environ["PYTEST_QT_API"] = os.environ["QT_API"]

_OF_WINDOWS = {"qtbot", "qapp", "make_napari_viewer", "make_napari_viewer_proxy"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens windows: those tests run with each Qt binding."""
    for item in items:
        if _OF_WINDOWS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.window)


def pytest_collection_finish() -> None:
    """Spare the collector what was imported: napari has it look at everything for each layer that is removed."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real micrographs beside the project; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "manifest.csv").exists():
        pytest.skip("the real micrographs are not beside this checkout")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own cache out of the tests."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MICROMAP_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def shared_window(qapp: Any) -> Iterator[Any]:
    """One napari window for all tests of a module, where each would wait seconds for its own.

    It has an application model of its own, as napari's own fixture gives to each test.
    """
    from unittest.mock import patch

    import napari
    from app_model import Application
    from napari._app_model._app import NapariApplication, _napari_names
    from napari._qt._qapp_model.qactions import init_qactions
    from napari._qt.threads.status_checker import StatusChecker
    from napari.plugins import _initialize_plugins

    model = NapariApplication("shared_window")
    model.injection_store.namespace = _napari_names
    with (
        patch.object(NapariApplication, "get_app_model", return_value=model),
        patch.object(StatusChecker, "start"),
    ):
        _initialize_plugins.cache_clear()
        init_qactions.cache_clear()
        viewer = napari.Viewer(show=True, show_welcome_screen=False)
        viewer.window._qt_window.resize(1400, 900)
        yield viewer
        viewer.close()
        qapp.processEvents()
        del viewer
        gc.collect()
        Application.destroy("shared_window")
        _initialize_plugins.cache_clear()
        init_qactions.cache_clear()


@pytest.fixture
def linked_atlas() -> Any:
    """Micrographs without pixels whose embeddings go along with Jc, with a map."""
    import numpy as np
    import pandas as pd

    from napari_micromap.atlas import OWN_COLUMNS, Atlas
    from napari_micromap.neighbors import Neighbors

    samples, images, link = 20, 3, 0.9
    rng = np.random.default_rng(0)
    n = samples * images
    sample = np.repeat(np.arange(samples), images)
    latent = rng.standard_normal((samples, 3))
    shown = latent[sample] + 0.2 * rng.standard_normal((n, 3))
    embeddings = (shown @ rng.standard_normal((3, 24))).astype(np.float32)
    jc = np.sqrt(link) * latent[:, 0] + np.sqrt(1 - link) * rng.standard_normal(samples) + 3
    columns = pd.DataFrame({name: [None] * n for name in OWN_COLUMNS})
    columns = columns.assign(
        file=[f"{i}.tif" for i in range(n)], bar_rows=0, um_per_px=np.tile([0.02, 0.1, 0.5], n)[:n], width=512,
        film=[f"F{i:03d}" for i in sample], **{"Jc (MA/cm²)": jc[sample], "made": np.where(sample % 2, "a", "b")},
    )  # fmt: skip
    distance = 1 - np.corrcoef(embeddings)
    np.fill_diagonal(distance, 9)
    near = np.argsort(distance, axis=1)[:, :10].astype(np.int32)
    roles = {"film": "sample", "Jc (MA/cm²)": "property", "um_per_px": "imaging", "made": "batch"}
    return Atlas(
        columns, np.array([f"id{i:04d}" for i in range(n)]), np.full(n, ""), np.zeros(n, np.int32), roles=roles,
        embeddings=embeddings, made_by={"backbone": "Made()", "weights_sha256": "abc123"},
        features=embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
        neighbors=Neighbors(near, np.take_along_axis(distance, near, axis=1).astype(np.float32)),
        positions=shown[:, :2].astype(np.float32), layout="Pca()",
    )  # fmt: skip

"""Fixtures that the tests share."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

# One binding for napari and for pytest-qt, which would else load the first it finds, and then the other cannot load.
os.environ.setdefault("QT_API", "pyqt6" if find_spec("PyQt6") else "pyside6")
os.environ["PYTEST_QT_API"] = os.environ["QT_API"]

_OF_WINDOWS = {"qtbot", "qapp", "make_napari_viewer", "make_napari_viewer_proxy"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens windows: those tests run with each Qt binding."""
    for item in items:
        if _OF_WINDOWS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.window)


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

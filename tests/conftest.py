"""Fixtures that the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


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

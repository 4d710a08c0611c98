"""The scripts in examples/ run as they stand, on a small folder."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_micromap.session import Session

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))
LONGEST = 15  # lines that are neither empty nor part of the docstring


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 16 pictures of 8 films, their table, and a map of them."""
    folder = tmp_path_factory.mktemp("examples")
    rng = np.random.default_rng(0)
    lines = ["film,Jc (MA/cm²)"]
    for film in range(8):
        (folder / "films" / f"F{film:03}").mkdir(parents=True)
        grain = (2, 4, 8, 16)[film % 4]
        lines.append(f"F{film:03},{1 + 0.1 * grain + 0.01 * film}")
        for view in range(2):
            coarse = rng.integers(0, 255, (96 // grain, 96 // grain))
            picture = np.kron(coarse, np.ones((grain, grain))).astype(np.uint8)
            tifffile.imwrite(folder / "films" / f"F{film:03}" / f"{view}.tif", picture)
    (folder / "jc.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    session = Session(cache=folder / "own cache")
    from napari_micromap.sources.folder import Folder

    session.open(Folder(folder / "films"))
    session.make_map()
    session.save(folder / "films.micromap")
    session.workshop.close()
    return folder


def run(script: str, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    where = tmp_path / "here"
    shutil.copytree(films, where)
    monkeypatch.setenv("MICROMAP_CACHE", str(films / "own cache"))
    monkeypatch.chdir(where)
    found = runpy.run_path(str(EXAMPLES / script))
    found["s"].workshop.close()
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_is_short(script: str) -> None:
    text = (EXAMPLES / script).read_text(encoding="utf-8")
    assert text.startswith('"""')
    lines = [line for line in text.split('"""', 2)[2].splitlines() if line.strip()]
    assert len(lines) <= LONGEST


def test_a_folder_is_mapped(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    found = run("map_a_folder.py", films, tmp_path, monkeypatch)
    assert np.isfinite(found["s"].map.positions).all()
    assert "F007" in capsys.readouterr().out


def test_figures_are_colored_by_a_property(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("color_by_a_property.py", films, tmp_path, monkeypatch)
    assert "Jc (MA/cm²)" in (tmp_path / "here" / "map.svg").read_text(encoding="utf-8")
    assert (tmp_path / "here" / "map with images.pdf").stat().st_size > 10_000


def test_a_cluster_is_exported(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    run("select_a_cluster.py", films, tmp_path, monkeypatch)
    table = (tmp_path / "here" / "coarse.csv").read_text(encoding="utf-8-sig")
    assert len(table.splitlines()) == 1 + 6
    assert "all 16 images" in capsys.readouterr().out
    assert (tmp_path / "here" / "coarse.png").exists()


def test_a_question_gets_its_answer(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    found = run("does_structure_go_with_jc.py", films, tmp_path, monkeypatch)
    assert found["answer"].units.samples is not None
    assert capsys.readouterr().out.strip()


def test_arrays_are_mapped(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run("own_images.py", films, tmp_path, monkeypatch)
    assert found["s"].map.positions.shape == (12, 2)
    assert found["s"].atlas.columns["um_per_px"].tolist() == pytest.approx([0.05] * 12)


def test_a_collection_grows(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    more = tmp_path / "more"
    shutil.copytree(films, more)
    rng = np.random.default_rng(9)
    tifffile.imwrite(more / "films" / "F001" / "9.tif", rng.integers(0, 255, (96, 96)).astype(np.uint8))
    run("grow_a_collection.py", more, tmp_path, monkeypatch)
    assert "1 new images" in capsys.readouterr().out

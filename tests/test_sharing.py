"""What is handed to others, read back as others would."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from browser import browser_program, browsing
from napari_micromap.figures.exemplars import matched
from napari_micromap.figures.map import map_figure
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.session.scope import Filter
from napari_micromap.sharing import (
    Snapshot,
    gallery_of,
    map_of,
    methods_of,
    page_of,
    save_bundle,
    save_csv,
    save_figure_of,
    save_page,
    script_of,
)
from napari_micromap.sharing.script import roots_of
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

JC = "Jc (MA/cm²)"
N = 24
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A map of 24 pictures of 8 films; two excluded, one film without Jc, some with a scale, a name and a tag."""
    folder = tmp_path_factory.mktemp("shared")
    rng = np.random.default_rng(0)
    lines = [f"film,{JC},remark"]
    for film in range(8):
        grain = (2, 4, 8, 16)[film % 4]
        lines.append(f"F{film:03},{'' if film == 3 else 1.25 + film / 8},</script><b>{film}")
        for view in range(3):
            picture = np.kron(rng.integers(0, 255, (96 // grain, 120 // grain)), np.ones((grain, grain)))
            place = folder / "films" / f"F{film:03}" / f"F{film:03}_{view}.tif"
            place.parent.mkdir(parents=True, exist_ok=True)
            scale = {"imagej": True, "resolution": (20, 20), "metadata": {"unit": "um"}} if view else {}
            tifffile.imwrite(place, picture.astype(np.uint8), **scale)
    (folder / "jc.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    session = Session(cache=folder / "cache")
    session.open(Folder(folder / "films"))
    session.tables.add(folder / "jc.csv")
    session.exclude([4, 7], "charging")
    session.embed(recipe=Recipe(views=1))
    session.lay_out(Pca())
    session.color_by = JC
    session.name_selection("coarse", [0, 1, 2])
    session.tag([5], "nice")
    session.selection.replace([0, 1, 9, 10])
    yield session
    session.workshop.close()


@pytest.fixture
def shared(mapped: Session) -> Snapshot:
    return Snapshot.of(mapped)


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return dict(json.loads(found[1]))


# ---------------------------------------------------------------------------- page


def test_a_page_holds_positions_values_and_pictures(shared: Snapshot, tmp_path: Path) -> None:
    page = finish(save_page(shared, tmp_path / "map.html"))
    assert page.sentence.startswith("The page contains all 24 images, 0.")
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    data = data_of(text)
    step = np.ptp(shared.positions, axis=0).max() / 65535
    x, y = np.array(data["x"]), np.array(data["size"][1]) - np.array(data["y"])
    low = shared.positions.min(axis=0)
    assert np.abs(np.stack([x, y], axis=1) * step + low - shared.positions).max() <= step
    color = next(column for column in data["columns"] if column["name"] == JC)
    assert [color["texts"][code] for code in color["text"]][:3] == ["1.25"] * 3
    assert color["missing"] == [9, 10, 11]
    assert data["reasons"] == {"4": "charging", "7": "charging"}
    with Image.open(io.BytesIO(base64.b64decode(data["images"][0]))) as picture:
        assert picture.format == "JPEG"


def test_a_page_names_no_address(shared: Snapshot) -> None:
    text = finish(page_of(shared)).text
    assert not re.search(r"https?:|(src|href)=\"(?!data:)", text)
    assert "default-src 'none'" in text
    assert str(Path.home()) not in text


def test_a_page_says_before_it_is_written_how_many_images_fit(shared: Snapshot) -> None:
    whole = finish(page_of(shared))
    bound = len(whole.text.encode()) - 12_000
    less = finish(page_of(shared, largest=bound))
    assert len(less.text.encode()) <= bound
    assert 0 < less.images < N
    assert less.sentence.startswith(f"The page contains {less.images} of 24 images")
    data = data_of(less.text)
    assert sum(map(bool, data["images"])) == less.images
    # Of every film first: what does not fit are second and third images.
    shown = {name for name, image in zip(data["samples"], data["images"]) if image}
    assert len(shown) == min(8, less.images)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    program = browser_program()
    if program is None or os.name == "nt":
        pytest.skip("no Chromium is installed (Debian: apt install chromium; or MICROMAP_CHROMIUM=/path/to/it)")
    with browsing(program, tmp_path_factory.mktemp("browser")) as tab:
        yield tab


@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_without_a_network_shows_the_right_picture_under_the_pointer(
    shared: Snapshot, tab: Any, tmp_path: Path, dark: bool
) -> None:
    text = finish(save_page(shared, tmp_path / "map.html")).text
    images = data_of(text)["images"]
    tab.requests.clear()
    tab.open(tmp_path / "map.html", dark=dark)
    for row in (0, 9, 17, 4):
        tab.point_at(3, 200)
        tab.point_at(*tab.value(f"window.micromap.at({row})"))
        tab.wait_for(f"document.querySelector('#card strong')?.textContent === 'F{row // 3:03}_{row % 3}.tif'")
        tab.wait_for("document.querySelector('#card img').naturalWidth > 0")
        source = tab.value("document.querySelector('#card img').src")
        assert source == "data:image/jpeg;base64," + images[row]
    assert tab.value("document.querySelector('#card').textContent.includes('excluded: charging')")
    assert [url for url in tab.requests if not url.startswith("data:")] == [(tmp_path / "map.html").as_uri()]
    assert not tab.errors


def test_search_and_color_choice_work_in_a_browser(shared: Snapshot, tab: Any, tmp_path: Path) -> None:
    finish(save_page(shared, tmp_path / "map.html"))
    tab.open(tmp_path / "map.html")
    tab.value("search.value = 'f002'; search.dispatchEvent(new Event('input')); 1")
    assert tab.value("document.getElementById('found').textContent") == "3 found"
    assert tab.value("[...choice.options].map(one => one.value)")[0] == JC
    tab.value("choice.value = 'film'; choice.dispatchEvent(new Event('change')); 1")
    said = tab.value("document.getElementById('legend').innerText")
    assert "F007" in said and "excluded" in said
    # A value that looks like markup is text.
    tab.value("choice.value = 'remark'; choice.dispatchEvent(new Event('change')); 1")
    assert tab.value("document.getElementById('legend').innerText.includes('</script><b>3')")
    assert not tab.errors


def test_missing_is_a_ring_and_a_value_its_color_in_a_browser(shared: Snapshot, tab: Any, tmp_path: Path) -> None:
    finish(save_page(shared, tmp_path / "map.html"))
    tab.open(tmp_path / "map.html")
    picture = np.asarray(Image.open(io.BytesIO(tab.picture())).convert("RGB"))
    drawn = finish(map_of(shared))
    for row in (0, 23, 10):
        x, y = (round(place) for place in tab.value(f"window.micromap.at({row})"))
        near = shared.positions - shared.positions[row]
        alone = np.sort(np.hypot(*near.T))[1] > 0.05 * np.ptp(shared.positions)
        wanted = (255, 255, 255) if row == 10 else drawn.coloring.rgb[row].tolist()
        if alone:
            assert picture[y, x].tolist() == pytest.approx(list(wanted), abs=2)


# ---------------------------------------------------------------------------- zip, table, words


def test_a_zip_opens_where_it_is_unpacked(mapped: Session, shared: Snapshot, tmp_path: Path) -> None:
    finish(save_bundle(shared, tmp_path / "all.zip"))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = archive.namelist()
        assert not any(name.startswith("/") or ".." in name for name in names)
        archive.extractall(tmp_path / "elsewhere")
    assert "films/images/F001/F001_2.tif" in names
    again = Session(cache=tmp_path / "other cache")
    again.restore(tmp_path / "elsewhere" / "films" / "films.micromap")
    assert again.atlas.ids.tolist() == mapped.atlas.ids.tolist()
    assert again.map.positions.tobytes() == mapped.map.positions.tobytes()
    assert all(str(path).startswith(str(tmp_path / "elsewhere")) for path in again.atlas.paths)
    assert again.atlas[5].pixels().shape == (96, 120)
    assert again.scope.reasons(again.atlas) == {"charging": 2}
    again.workshop.close()
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("comma", [False, True])
def test_a_table_for_plotting_has_places_values_and_reasons(shared: Snapshot, tmp_path: Path, comma: bool) -> None:
    path = save_csv(shared, tmp_path / "t.csv", decimal_comma=comma)
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if comma else ","))
    assert len(rows) == N
    number = (lambda said: float(said.replace(",", "."))) if comma else float
    assert [number(row["PCA 1"]) for row in rows] == pytest.approx(shared.positions[:, 0].tolist(), abs=1e-5)
    assert rows[0][JC] == ("1,25" if comma else "1.25")
    assert [row["film"] for row in rows[:4]] == ["F000"] * 3 + ["F001"]
    assert rows[9][JC] == ""
    assert [row["excluded because"] for row in rows].count("charging") == 2
    assert rows[5]["tags"] == "nice"
    assert [row["in coarse"] for row in rows[:4]] == ["inside"] * 3 + ["outside"]


def test_the_methods_paragraph_says_what_is_needed_to_do_it_again(mapped: Session, shared: Snapshot) -> None:
    said = methods_of(shared)
    weights = str(mapped.atlas.made_by["weights_sha256"])
    for expected in (
        "22 images of 8 films", "EfficientNet-Lite0", "https://doi.org/10.48550/arXiv.1905.11946", weights[:16],
        "224 × 224", "principal components", "PCA", "2 images excluded: charging (2)", "torch ", JC, "1752 numbers",
    ):  # fmt: skip
        assert expected in said, said
    assert "flips" not in said


def test_the_methods_paragraph_says_what_was_done_to_the_contrast(shared: Snapshot) -> None:
    from dataclasses import replace

    from napari_micromap.recipe import Recipe

    def said(recipe: Recipe) -> str:
        made_by = {**shared.atlas.made_by, "recipe": repr(recipe)}
        return methods_of(replace(shared, atlas=replace(shared.atlas, made_by=made_by)))

    for expected in ("wider than about 0.5 of its shorter side", "(CLAHE, 8 × 8 parts, limit 0.01)", "exchanged"):
        assert expected in said(Recipe(even_light=0.5, local_contrast=0.01, invert=True))
        assert expected not in said(Recipe())
    at_scale = Recipe(scale="chosen", um_per_px=0.2)
    assert "windows of 224 × 224 pixels were taken from it at 0.2 µm a pixel" in said(at_scale)


def test_filters_are_part_of_what_is_said(mapped: Session) -> None:
    mapped.use_only(Filter("film", values=("F000", "F001", "F002")))
    try:
        shared = Snapshot.of(mapped)
        assert "film: F000, F001, F002" in methods_of(shared)
        assert len(data_of(finish(page_of(shared)).text)["x"]) == 9
        assert finish(map_of(shared)).counts == "7 images of 3 films · 2 excluded (×)"
    finally:
        mapped.scope.drop_filters()


def test_without_a_map_there_is_nothing_to_share() -> None:
    with pytest.raises(Problem, match="Make the map first"):
        Snapshot.of(Session())


# ---------------------------------------------------------------------------- script


def test_the_script_gives_the_same_positions_to_the_last_bit(
    mapped: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = script_of(mapped)
    monkeypatch.setenv("MICROMAP_CACHE", str(tmp_path / "fresh"))  # nothing comes from the cache
    said: dict[str, Any] = {}
    exec(compile(script, "script", "exec"), said)
    again = said["s"]
    assert again.map.positions.tobytes() == mapped.map.positions.tobytes()
    assert again.atlas.embeddings.tobytes() == mapped.atlas.embeddings.tobytes()
    assert again.color_by == JC
    assert again.sample_column == mapped.sample_column
    assert again.scope.reasons(again.atlas) == {"charging": 2}
    assert again.selection.rows.tolist() == mapped.selection.rows.tolist()
    assert [one.name for one in again.named] == ["coarse"]
    assert script_of(again) == script
    again.workshop.close()


def test_corrected_bars_and_a_later_exclusion_are_in_the_script(mapped: Session, tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "cache")
    session.open(Folder(Path(roots_of(mapped.atlas)[0])))
    session.bars.correct([0, 1], 12)
    session.embed(recipe=Recipe(views=1))
    session.lay_out(Pca())
    session.exclude([3], "crack")
    said: dict[str, Any] = {}
    exec(compile(script_of(session), "script", "exec"), said)
    again = said["s"]
    assert again.atlas.columns["bar_rows"].tolist() == session.atlas.columns["bar_rows"].tolist()
    assert again.map.positions.tobytes() == session.map.positions.tobytes()
    assert again.map_is_of_others
    for one in (session, again):
        one.workshop.close()


# ---------------------------------------------------------------------------- figures


def test_a_gallery_has_true_scale_bars_where_the_scale_is_known(shared: Snapshot, tmp_path: Path) -> None:
    from napari_micromap.figures.gallery import gallery_figure

    drawn = finish(gallery_of(shared, np.array([0, 1, 9])))
    assert [tile.um_per_px is None for tile in drawn.tiles] == [True, False, True]
    figure = gallery_figure(drawn, 85)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts.count("no scale") == 2
    bars = [patch for axes in figure.axes for patch in axes.patches if patch.get_gid() == "scale bar"]
    assert len(bars) == 1
    # 120 px of 0.05 µm are 6 µm across a tile.
    length = float(next(text for text in texts if text.endswith("µm")).split()[0])
    tile = next(axes for axes in figure.axes if bars[0] in axes.patches).get_xlim()[1]
    assert bars[0].get_width() / tile == pytest.approx(length / 6, rel=1e-3)
    assert "F000" in texts and "1.25 MA/cm²" in texts


def test_too_many_or_no_selected_images_are_refused(shared: Snapshot) -> None:
    with pytest.raises(Problem, match="Select some"):
        finish(gallery_of(shared, np.array([], np.intp)))


def test_random_dots_of_the_saved_figure_have_the_color_of_their_value(shared: Snapshot, tmp_path: Path) -> None:
    finish(save_figure_of(shared, tmp_path / "map.svg"))
    svg = ElementTree.parse(tmp_path / "map.svg").getroot()
    uses = [use for g in svg.iter(f"{SVG}g") if g.get("id") == "dots" for use in g.iter(f"{SVG}use")]
    drawn = finish(map_of(shared))
    figure = map_figure(drawn)
    dots = next(c for axes in figure.axes for c in axes.collections if c.get_gid() == "dots")
    assert len(uses) == len(dots.get_offsets())
    # The drawing order of the figure, by position: which row each dot is.
    placed = np.array([[float(use.get("x")), float(use.get("y"))] for use in uses])
    low, high = placed.min(axis=0), placed.max(axis=0)
    rows = [row for row in shared.used if not drawn.coloring.missing[row]]
    there = shared.positions[rows] * [1, -1]
    scaled = (there - there.min(axis=0)) / np.ptp(there, axis=0) * (high - low) + low
    for row, place in zip(rows, scaled):
        nearest = uses[int(np.argmin(np.hypot(*(placed - place).T)))]
        expected = "#{:02x}{:02x}{:02x}".format(*drawn.coloring.rgb[row])
        assert f"fill: {expected}" in nearest.get("style")


def test_excluded_images_are_crosses_in_the_figure(shared: Snapshot) -> None:
    figure = map_figure(finish(map_of(shared)))
    crosses = [c for axes in figure.axes for c in axes.collections if c.get_gid() == "excluded"]
    assert [len(c.get_offsets()) for c in crosses] == [2]


@pytest.mark.parametrize("width", [85.0, 170.0])
@pytest.mark.parametrize("count", [5, 8, 12])
def test_lines_to_pictures_do_not_cross(shared: Snapshot, width: float, count: int) -> None:
    figure = map_figure(finish(map_of(shared, count)), width)
    lines = [line.get_xydata() for axes in figure.axes for line in axes.lines if line.get_gid() == "leader"]
    assert len(lines) >= 4
    assert not any(crosses(*one, *other) for k, one in enumerate(lines) for other in lines[:k])


def test_the_shortest_lines_never_cross() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        dots, anchors = rng.uniform(20, 60, (12, 2)), rng.uniform(0, 80, (14, 2))
        lines = [(dots[dot], anchors[anchor]) for dot, anchor in matched(dots, anchors)]
        assert not any(crosses(*one, *other) for k, one in enumerate(lines) for other in lines[:k])


def crosses(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < -1e-9 and side(c, d, a) * side(c, d, b) < -1e-9


# ---------------------------------------------------------------------------- windows


def test_the_figure_window_copies_a_figure_of_the_chosen_width(mapped: Session, qtbot: Any) -> None:
    from qtpy.QtGui import QGuiApplication

    from napari_micromap.views.panels.share import FigureWindow

    window = FigureWindow(mapped)
    qtbot.addWidget(window)
    assert window.what.currentData() == "gallery"  # images are selected
    window.what.setCurrentIndex(0)
    assert float(window.width_mm.currentData()) == 85
    window.copy()
    qtbot.waitUntil(lambda: window.told.text() == "On the clipboard.")
    assert QGuiApplication.clipboard().image().width() == pytest.approx(85 / 25.4 * 300, abs=1)


def test_the_share_window_shows_the_methods_and_copies_the_script(mapped: Session, qtbot: Any) -> None:
    from qtpy.QtGui import QGuiApplication

    from napari_micromap.views.panels.share import ShareWindow

    window = ShareWindow(mapped)
    qtbot.addWidget(window)
    assert window.methods.toPlainText() == methods_of(Snapshot.of(mapped))
    window.copy_script()
    assert QGuiApplication.clipboard().text() == script_of(mapped)


def test_without_a_map_the_windows_say_what_to_do(qtbot: Any) -> None:
    from napari_micromap.views.panels.share import FigureWindow, ShareWindow

    figure, share = FigureWindow(Session()), ShareWindow(Session())
    qtbot.addWidget(figure)
    qtbot.addWidget(share)
    figure.copy()
    assert "Make the map first" in figure.told.text()
    assert "Make the map first" in share.methods.toPlainText()

"""Maps for paper, read back from what was written."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.colors import MISSING, colors_of, plain
from napari_micromap.figures.exemplars import Exemplar, typical_rows
from napari_micromap.figures.map import RASTER_ABOVE, MapToDraw, map_figure, save_map
from napari_micromap.figures.paper import without_unit
from napari_micromap.problems import Problem

SVG = "{http://www.w3.org/2000/svg}"
MM_PER_PX = 25.4 / 100  # of a Figure at its own 100 dpi


@pytest.fixture
def jc() -> pd.Series:
    values = np.random.default_rng(1).uniform(0.8, 4.1, 60)
    values[[5, 7, 20]] = np.nan
    return pd.Series(values, name="Jc (MA/cm²)")


@pytest.fixture
def drawn(jc: pd.Series) -> MapToDraw:
    positions = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32) * [3, 2]
    return MapToDraw(positions, colors_of(jc), samples=12)


def svg_of(drawn: MapToDraw, folder: Path, width_mm: float = 85.0) -> ElementTree.Element:
    return ElementTree.parse(save_map(folder / "map.svg", drawn, width_mm)).getroot()


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def group(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    found = [element for element in svg.iter(f"{SVG}g") if element.get("id") == name]
    return [use for element in found for use in element.iter(f"{SVG}use")]


def style(element: ElementTree.Element, key: str) -> str:
    return dict(part.strip().split(": ") for part in element.get("style", "").split(";") if part.strip())[key]


def places(drawn: MapToDraw, **options: object) -> np.ndarray:
    """Where the dots stand on the figure, in order of rows, in mm."""
    figure = map_figure(drawn, **options)
    found = {}
    order = np.random.default_rng(0).permutation(np.flatnonzero(drawn.placed))
    missing = drawn.coloring.missing
    for name, rows in (("missing", order[missing[order]]), ("dots", order[~missing[order]])):
        for axes in figure.axes:
            for collection in axes.collections:
                if collection.get_gid() == name:
                    where = axes.transData.transform(collection.get_offsets())
                    found.update(zip(rows.tolist(), where * MM_PER_PX))
    return np.array([found[row] for row in sorted(found)])


def test_text_in_svg_is_text(drawn: MapToDraw, tmp_path: Path) -> None:
    said = texts(svg_of(drawn, tmp_path))
    for expected in (
        "Jc (MA/cm²)",
        "60 images of 12 samples",
        "UMAP · neighbors count, gaps do not",
        "no Jc (3)",
        "1",
        "4",
    ):
        assert expected in said


def test_dots_have_the_colors_of_their_values(drawn: MapToDraw, tmp_path: Path) -> None:
    svg = svg_of(drawn, tmp_path)
    fills = sorted(style(dot, "fill") for dot in group(svg, "dots"))
    wanted = sorted("#{:02x}{:02x}{:02x}".format(*color) for color in drawn.coloring.rgb[~drawn.coloring.missing])
    assert fills == wanted


def test_missing_values_are_hollow_rings_below_the_dots(drawn: MapToDraw, tmp_path: Path) -> None:
    svg = svg_of(drawn, tmp_path)
    rings = group(svg, "missing")
    assert len(rings) == 3
    for ring in rings:
        assert style(ring, "fill") == "none"
        assert style(ring, "stroke") == "#{:02x}{:02x}{:02x}".format(*MISSING)
    names = [element.get("id") for element in svg.iter(f"{SVG}g")]
    assert names.index("missing") < names.index("dots")


@pytest.mark.parametrize("width", [85.0, 170.0])
def test_the_sheet_is_as_wide_as_asked_and_all_lies_on_it(drawn: MapToDraw, width: float) -> None:
    figure = map_figure(drawn, width)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(width)
    up = figure.get_size_inches()[1] * 25.4
    where = places(drawn, width_mm=width)
    assert (where > 1).all()
    assert (where < [width - 1, up - 1]).all()
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        for text in axes.texts:
            box = text.get_window_extent(renderer)
            assert box.x0 >= -1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y0 >= -1


def test_distances_are_to_scale_in_both_directions(drawn: MapToDraw) -> None:
    where, positions = places(drawn), drawn.positions
    spread = np.ptp(where, axis=0) / np.ptp(positions, axis=0)
    assert spread[0] == pytest.approx(spread[1], rel=1e-4)
    np.testing.assert_allclose(where - where[0], (positions - positions[0]) * spread[0], atol=1e-2)


def test_a_made_up_quantity_says_so_in_the_figure(drawn: MapToDraw, tmp_path: Path) -> None:
    made_up = MapToDraw(drawn.positions, drawn.coloring, synthetic=True)
    assert "Jc (MA/cm²) – synthetic" in texts(svg_of(made_up, tmp_path))
    assert not any("synthetic" in text for text in texts(svg_of(drawn, tmp_path)))


def test_pca_does_not_warn_of_gaps(drawn: MapToDraw, tmp_path: Path) -> None:
    said = texts(svg_of(MapToDraw(drawn.positions, drawn.coloring, layout="PCA"), tmp_path))
    assert "PCA" in said
    assert not any("gaps" in text for text in said)


def test_names_are_listed_with_their_counts(drawn: MapToDraw, tmp_path: Path) -> None:
    batches = pd.Series(["A", "B", "C"] * 20, name="batch")
    said = texts(svg_of(MapToDraw(drawn.positions, colors_of(batches)), tmp_path))
    assert [text for text in said if text in ("A (20)", "B (20)", "C (20)")] == ["A (20)", "B (20)", "C (20)"]


@pytest.mark.parametrize("width", [85.0, 170.0])
def test_long_names_are_cut_and_stay_on_the_sheet(drawn: MapToDraw, width: float) -> None:
    names = pd.Series([f"{'very ' * 20}long name {row % 25}" for row in range(60)], name="Jc(77 K, self-field) " * 4)
    figure = map_figure(MapToDraw(drawn.positions, colors_of(names)), width)
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        for text in axes.texts:
            assert text.get_window_extent(renderer).x1 <= figure.bbox.x1


def test_rows_without_a_position_are_left_out(drawn: MapToDraw, tmp_path: Path) -> None:
    positions = drawn.positions.copy()
    positions[30:40] = np.nan
    svg = svg_of(MapToDraw(positions, drawn.coloring), tmp_path)
    assert len(group(svg, "dots")) + len(group(svg, "missing")) == 50
    assert "50 images" in texts(svg)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_or_identical_micrographs_make_a_figure(count: int, tmp_path: Path) -> None:
    positions = np.ones((count, 2), np.float32)
    same = svg_of(MapToDraw(positions, colors_of(pd.Series([1.5] * count, name="x"))), tmp_path)
    positions[:, 0] = np.arange(count)
    apart = svg_of(MapToDraw(positions, plain(count)), tmp_path)
    assert len(group(same, "dots")) == len(group(apart, "dots")) == count


def test_a_map_without_positions_asks_for_a_map(drawn: MapToDraw) -> None:
    with pytest.raises(Problem, match="Make the map"):
        map_figure(MapToDraw(np.full((60, 2), np.nan, np.float32), drawn.coloring))


def test_many_dots_are_pixels_and_text_stays_text(tmp_path: Path) -> None:
    n = RASTER_ABOVE + 1
    positions = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    many = MapToDraw(positions, colors_of(pd.Series(positions[:, 0], name="x (µm)")))
    path = save_map(tmp_path / "map.svg", many, dpi=150)
    assert path.stat().st_size < 1_000_000
    svg = ElementTree.parse(path).getroot()
    assert not group(svg, "dots")
    assert "x (µm)" in texts(svg)


def test_the_same_map_is_the_same_file(drawn: MapToDraw, tmp_path: Path) -> None:
    for ending in ("png", "svg", "pdf"):
        first, again = (save_map(tmp_path / f"{name}.{ending}", drawn, dpi=100) for name in ("first", "again"))
        assert first.read_bytes() == again.read_bytes()


def test_pdf_has_its_text_as_truetype(drawn: MapToDraw, tmp_path: Path) -> None:
    content = save_map(tmp_path / "map.pdf", drawn).read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", content)
    assert float(box.group(1)) == pytest.approx(85 / 25.4 * 72, abs=0.01)


def test_png_has_the_resolution_that_was_asked_for(drawn: MapToDraw, tmp_path: Path) -> None:
    with Image.open(save_map(tmp_path / "map.png", drawn, dpi=300)) as image:
        assert image.width == pytest.approx(85 / 25.4 * 300, abs=1)
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_settings_of_the_user_change_nothing(drawn: MapToDraw, tmp_path: Path) -> None:
    import matplotlib

    first = save_map(tmp_path / "a.svg", drawn).read_bytes()
    with matplotlib.rc_context(
        {"font.size": 20, "svg.fonttype": "path", "savefig.dpi": 20, "figure.facecolor": "black"}
    ):
        assert save_map(tmp_path / "b.svg", drawn).read_bytes() == first
        assert matplotlib.rcParams["svg.fonttype"] == "path"


def test_an_ending_that_is_no_picture_is_refused_with_those_that_are(drawn: MapToDraw, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"\.png, \.svg, \.pdf"):
        save_map(tmp_path / "map.docx", drawn)
    with pytest.raises(Problem, match="cannot be written"):
        save_map(tmp_path / "nowhere" / "map.png", drawn)


def test_no_window_toolkit_is_touched(drawn: MapToDraw, tmp_path: Path) -> None:
    before = "matplotlib.pyplot" in sys.modules
    save_map(tmp_path / "map.png", drawn, dpi=72)
    assert ("matplotlib.pyplot" in sys.modules) == before


@pytest.mark.parametrize(("width", "count"), [(85.0, 1), (85.0, 6), (170.0, 5), (170.0, 16)])
def test_pictures_around_the_map_do_not_cover_one_another_or_it(drawn: MapToDraw, width: float, count: int) -> None:
    rows = typical_rows(drawn.positions, count)
    gray = np.random.default_rng(0).integers(0, 65535, (90, 120)).astype(np.uint16)
    with_pictures = MapToDraw(
        drawn.positions, drawn.coloring, exemplars=[Exemplar(int(row), gray, f"F{row}") for row in rows]
    )
    figure = map_figure(with_pictures, width)
    boxes = [
        axes.get_window_extent() for axes in figure.axes if axes.images and axes.images[0].get_array().shape[0] > 1
    ]
    assert len(boxes) == len(rows)
    for index, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[:index])
        for x, y in places(with_pictures, width_mm=width) / MM_PER_PX:
            assert not box.contains(x, y)


def test_typical_rows_are_spread_and_of_different_samples() -> None:
    rng = np.random.default_rng(3)
    middles = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    positions = (middles[np.arange(80) % 4] + rng.normal(0, 0.5, (80, 2))).astype(np.float32)
    rows = typical_rows(positions, 4)
    assert sorted(rows % 4) == [0, 1, 2, 3]
    samples = pd.Series([f"S{row // 40}" for row in range(80)])
    assert samples[typical_rows(positions, 2, samples)].nunique() == 2
    assert typical_rows(positions[:3], 10).tolist() == [0, 1, 2]


def test_an_atlas_gives_counts_and_what_is_made_up(drawn: MapToDraw, jc: pd.Series) -> None:
    columns = pd.DataFrame({name: [None] * 60 for name in OWN_COLUMNS}).assign(
        film=[f"F{row // 5}" for row in range(60)]
    )
    columns[jc.name] = jc
    atlas = Atlas(
        columns,
        ids=np.array([str(row) for row in range(60)]),
        paths=np.full(60, ""),
        pages=np.zeros(60, np.int32),
        roles={"film": "sample"},
        synthetic=(str(jc.name),),
    )
    with pytest.raises(Problem, match="Make the map"):
        MapToDraw.of(atlas, None, "UMAP")
    placed = atlas.with_positions(drawn.positions.astype(np.float32), "Umap()")
    taken = MapToDraw.of(placed, str(jc.name), "UMAP")
    assert taken.counts == "60 images of 12 films", "as the table calls them"
    assert taken.synthetic
    assert not MapToDraw.of(placed, "film", "UMAP").synthetic
    with pytest.raises(Problem, match="no column"):
        MapToDraw.of(placed, "Tc", "UMAP")


@pytest.mark.parametrize(
    ("quantity", "name"),
    [("Jc (MA/cm²)", "Jc"), ("T [°C]", "T"), ("Jc(77 K, self-field) (MA/cm²)", "Jc(77 K, self-field)"), ("(x)", "(x)")],
)
def test_units_are_told_from_names(quantity: str, name: str) -> None:
    assert without_unit(quantity) == name

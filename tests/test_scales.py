"""Scales where no header tells them: burnt-in bars, drawn lines, columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.microscopy.bar import find_bar
from napari_micromap.microscopy.pixels import read_header, read_pixels
from napari_micromap.microscopy.scale_bar import ScaleBar, find_scale_bar, same_bar
from napari_micromap.problems import Problem
from napari_micromap.scaling import MEANINGS, BarGroups, in_um, read_bars, rows_scaled_alike, rows_without_scale
from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

# The width of a field in nanocomp times its magnification, in mm: what is printed in its bars, 120 mm to a picture.
NANOCOMP_MM = 120.0
# What each of its bars says, by the length of the line in pixels.
NANOCOMP_BARS = {37: 1.0, 39: 1.0, 107: 1.0, 160: 10.0, 213: 10.0, 288: 100.0}
# The magnification printed there, by the same.
NANOCOMP_MAGNIFICATIONS = {37: 3500, 39: 3700, 107: 10000, 160: 1500, 213: 2000, 288: 270}


def panel(
    length: int,
    text: str,
    *,
    beside: bool = True,
    ends: bool = False,
    left: int = 300,
    rows: int = 40,
    shape: tuple[int, int] = (300, 640),
    more: str = "",
) -> NDArray[np.uint8]:
    """Draw a picture with a data bar: noise, and below it a panel with a line and text."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    rng = np.random.default_rng(length)
    bar = Image.new("L", (shape[1], rows))
    draw = ImageDraw.Draw(bar)
    font = ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 12)
    draw.text((10, 4), "SE   5.0 kV   WD 5.1 mm", 255, font)
    draw.text((10, 22), more, 255, font)
    middle = rows // 2
    draw.rectangle((left, middle - 1, left + length - 1, middle), 255)
    if ends:
        for x in (left, left + length - 1):
            draw.line((x, middle - 6, x, middle + 5), 255, 1)
    if beside:
        draw.text((left + length + 8, middle), text, 255, font, anchor="lm")
    else:
        draw.text((left + length / 2, middle + 4), text, 255, font, anchor="ma")
    specimen = rng.integers(40, 200, (shape[0], shape[1])).astype(np.uint8)
    return np.vstack([specimen, np.asarray(bar)])


def found(picture: NDArray[np.uint8]) -> ScaleBar:
    bar = seen(picture)
    assert bar is not None
    return bar


def seen(picture: NDArray[Any]) -> ScaleBar | None:
    bar = find_bar(picture)
    return find_scale_bar(picture, bar.rows, bar.side)


# ---------------------------------------------------------------------- the line


@pytest.mark.parametrize("length", [23, 60, 101, 250])
@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("ends", [True, False])
def test_a_drawn_line_is_measured_to_a_pixel(length: int, beside: bool, ends: bool) -> None:
    bar = found(panel(length, "10 µm", beside=beside, ends=ends))
    assert bar.length == pytest.approx(length, abs=0.6)
    assert bar.place == "bar"


def test_lossy_files_and_other_depths_change_no_length(tmp_path: Path) -> None:
    from PIL import Image

    picture = panel(101, "2 µm")
    Image.fromarray(picture).save(tmp_path / "lossy.jpg", quality=80)
    lossy = read_pixels(tmp_path / "lossy.jpg")
    assert found(lossy).length == pytest.approx(101, abs=0.6)
    assert same_bar(found(lossy), found(picture))
    deep = picture.astype(np.uint16) * 257
    assert found(deep).length == pytest.approx(101, abs=0.6)
    assert found(255 - picture).length == pytest.approx(101, abs=0.6)
    assert found(np.dstack([picture] * 3)).length == pytest.approx(101, abs=0.6)


def test_bars_are_the_same_only_with_the_same_line_and_the_same_words() -> None:
    one = found(panel(101, "2 µm"))
    assert same_bar(one, found(panel(101, "2 µm", more="film 7")))  # the rest of the panel may differ
    assert same_bar(one, found(panel(101, "2 µm", left=320)))
    for other in ("5 µm", "2 nm", "20 µm", "2.0 µm", "3 µm"):
        assert not same_bar(one, found(panel(101, other))), other
    assert not same_bar(one, found(panel(103, "2 µm")))
    assert not same_bar(one, found(panel(101, "2 µm", shape=(300, 700))))


def test_digits_that_look_alike_are_told_apart() -> None:
    for one, other in (("3 µm", "8 µm"), ("5 µm", "6 µm"), ("1 µm", "7 µm"), ("100 µm", "10.0 µm"), ("8 µm", "9 µm")):
        assert not same_bar(found(panel(90, one)), found(panel(90, other))), (one, other)


def test_pictures_without_a_drawn_line_have_none() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (300, 400)).astype(np.uint8)
    flat = np.full((300, 400), 90, np.uint8)
    stripes = np.repeat((np.arange(300) // 7 % 2 * 255).astype(np.uint8)[:, None], 400, axis=1)
    words = panel(101, "2 µm")
    words[300:, 290:] = 0
    for picture in (noise, flat, stripes, words, flat[:4, :4], np.full((50, 60), np.nan)):
        assert seen(picture) is None


def test_a_line_on_a_drawn_patch_in_the_corner_is_found() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(60, 180, (300, 400)).astype(np.uint8)
    picture[250:, 270:] = 255
    picture[280:288, 290:371] = 0
    bar = find_scale_bar(picture)
    assert bar is not None and bar.place == "corner"
    assert bar.length == pytest.approx(81, abs=0.6)


# ---------------------------------------------------------------------- real ones


def test_no_scale_bar_is_seen_where_none_is_drawn(real_data: Path) -> None:
    wrong = []
    for name in ("nasa_ebc", "nasa_super", "nasa_xsection", "raw_vendor"):
        for path in sorted(p for p in (real_data / name).rglob("*") if p.suffix.lower() in (".png", ".tif", ".jpg")):
            if seen(read_pixels(path)) is not None:
                wrong.append(path.name)
    assert not wrong


def test_tag_table_and_scale_bar_agree_within_two_percent_on_the_41_tiffs(real_data: Path) -> None:
    with (real_data / "uhcs" / "micrographs.csv").open(newline="", encoding="utf-8") as stream:
        table = {row["file"]: float(row["um_per_px"]) for row in csv.DictReader(stream) if row["um_per_px"]}
    apart, measured = [], []
    tiffs = sorted((real_data / "uhcs").glob("*.tif"))
    for path in tiffs:
        tag = read_header(path).um_per_px
        assert tag is not None
        apart.append(abs(tag / table[path.name] - 1))
        pixels = read_pixels(path)
        length = found(pixels).length * table[path.name]
        # Bars are labeled 1, 2 or 5 times a power of ten.
        labels = np.array([digit * 10.0**power for power in range(4) for digit in (1, 2, 5)])
        measured.append(float(np.abs(length / labels - 1).min()))
    assert len(tiffs) == 41
    assert max(apart) < 0.02 and max(measured) < 0.02, (max(apart), max(measured))


@pytest.fixture(scope="module")
def nanocomp(real_data: Path) -> Atlas:
    return finish(Folder(real_data / "nanocomp")())


@pytest.fixture(scope="module")
def groups(nanocomp: Atlas) -> BarGroups:
    return finish(read_bars(nanocomp, rows_without_scale(nanocomp)))


def test_six_entries_give_all_32_images_their_scale_within_two_percent(nanocomp: Atlas, groups: BarGroups) -> None:
    session = Session()
    session.open_atlas(nanocomp)
    assert len(rows_without_scale(nanocomp)) == 32
    entries = list(groups)
    assert [len(group.rows) for group in entries] == [16, 7, 6, 1, 1, 1] and not groups.without
    for group in entries:
        session.scales.by_bar(group.rows, group.pixels, NANOCOMP_BARS[round(group.pixels)], "µm")
    sizes = session.atlas.columns["um_per_px"].to_numpy(float)
    for group in entries:
        true = NANOCOMP_MM * 1000 / NANOCOMP_MAGNIFICATIONS[round(group.pixels)] / 1280
        assert np.abs(sizes[group.rows] / true - 1).max() < 0.02
    assert (session.atlas.columns["scale_from"] == "bar: typed").all()
    assert not len(rows_without_scale(session.atlas))
    # Names of files tell the magnification of some.
    for row, name in enumerate(nanocomp.columns["file"]):
        told = re.match(r"(2000|3500|10000)\b", name)
        if told:
            assert sizes[row] == pytest.approx(NANOCOMP_MM * 1000 / int(told[1]) / 1280, rel=0.02)


# ---------------------------------------------------------------------- verbs


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    from PIL import Image

    folder = tmp_path / "films"
    folder.mkdir()
    for k in range(6):
        text, length = ("2 µm", 101) if k < 4 else ("500 nm", 88)
        Image.fromarray(panel(length, text, more=f"film {k}")).save(folder / f"F{k}.png")
    session = Session(cache=tmp_path / "cache")
    session.open(Folder(folder))
    yield session
    session.workshop.close()


def sizes_of(session: Session) -> list[float]:
    return [round(float(size), 9) for size in session.atlas.columns["um_per_px"].fillna(0)]


def test_what_a_group_of_bars_says_is_typed_once_and_can_be_undone(session: Session) -> None:
    told: list[BarGroups] = []
    session.scales.look_for_bars(told.append, lambda _: None)
    first, second = told[-1]
    assert first.rows == [0, 1, 2, 3] and second.rows == [4, 5]
    session.scales.by_bar(first.rows, first.pixels, 2, "µm")
    session.scales.by_bar(second.rows, second.pixels, 500, "nm")
    assert sizes_of(session)[0] == pytest.approx(2 / 101, rel=0.01)
    assert sizes_of(session)[5] == pytest.approx(0.5 / 88, rel=0.01)
    before = sizes_of(session)
    session.undo()
    assert sizes_of(session)[4:] == [0, 0] and sizes_of(session)[:4] == before[:4]
    assert session.atlas.columns["scale_from"].tolist() == ["bar: typed"] * 4 + [""] * 2
    session.redo()
    assert sizes_of(session) == before
    session.selection.replace([1])
    session.undo()
    assert sizes_of(session) == before and not len(session.selection)


def test_a_drawn_line_speaks_for_one_image_or_for_all_of_its_kind(session: Session) -> None:
    session.scales.by_line(2, 50.0, 1, "µm")
    assert sizes_of(session) == [0, 0, 0.02, 0, 0, 0]
    session.undo()
    session.scales.by_line(2, 50.0, 1, "µm", whole_kind=True)
    assert sizes_of(session) == [0.02] * 6
    assert set(session.atlas.columns["scale_from"]) == {"line: drawn"}
    with pytest.raises(Problem, match="too short"):
        session.scales.by_line(2, 1.0, 1, "µm")


def test_a_line_never_speaks_for_images_of_another_magnification(session: Session) -> None:
    columns = session.atlas.columns.assign(magnification=[1000.0, 1000, 1000, np.nan, 5000, 5000])
    session.open_atlas(session.atlas.with_columns(columns))
    assert rows_scaled_alike(session.atlas, 1).tolist() == [0, 1, 2]
    assert rows_scaled_alike(session.atlas, 3).tolist() == [3]


@pytest.mark.parametrize(("meaning", "value", "wanted"), [
    ("µm per px", 0.02, 0.02), ("nm per px", 20.0, 0.02), ("field width in µm", 12.8, 0.02),
    ("field width in mm", 0.0128, 0.02), ("field width in nm", 12800.0, 0.02),
])  # fmt: skip
def test_a_column_gives_scales_by_pixel_or_by_field(
    session: Session, meaning: str, value: float, wanted: float
) -> None:
    told = pd.Series([value, value, np.nan, -1.0, value, value])
    session.open_atlas(session.atlas.with_columns(session.atlas.columns.assign(size=told)))
    session.scales.by_column("size", meaning)  # type: ignore[arg-type]
    assert sizes_of(session) == pytest.approx([wanted, wanted, 0, 0, wanted, wanted])
    assert session.atlas.columns["scale_from"].tolist() == ["table", "table", "", "", "table", "table"]


def test_a_magnification_is_never_a_pixel_size(session: Session) -> None:
    columns = session.atlas.columns.assign(**{"Magnification (x)": 5000.0, "size": "big"})
    session.open_atlas(session.atlas.with_columns(columns))
    for meaning in MEANINGS:
        with pytest.raises(Problem, match="magnification"):
            session.scales.by_column("Magnification (x)", meaning)
    with pytest.raises(Problem, match="holds no"):
        session.scales.by_column("size", "nm per px")
    with pytest.raises(Problem, match="no column"):
        session.scales.by_column("field", "nm per px")
    assert sizes_of(session) == [0] * 6


def test_units_are_nanometers_micrometers_and_millimeters() -> None:
    assert [in_um(2, unit) for unit in ("nm", "µm", "um", "μm", "mm")] == [0.002, 2, 2, 2, 2000]
    for length, unit in ((0, "µm"), (-1, "µm"), (float("nan"), "µm"), (1, "inch")):
        with pytest.raises(Problem):
            in_um(length, unit)


def test_a_given_scale_is_kept_in_a_saved_session(session: Session, tmp_path: Path) -> None:
    session.scales.by_bar([0, 1], 101, 2, "µm")
    session.scales.by_line(4, 88, 500, "nm")
    session.save(tmp_path / "films.micromap")
    other = Session(cache=tmp_path / "cache")
    other.restore(tmp_path / "films.micromap")
    assert sizes_of(other) == sizes_of(session)
    assert other.atlas.columns["scale_from"].fillna("").tolist() == ["bar: typed"] * 2 + ["", "", "line: drawn", ""]
    other.workshop.close()


def test_absurd_sizes_are_refused(session: Session) -> None:
    with pytest.raises(Problem, match="beyond any microscope"):
        session.scales.by_bar([0], 10, 1000 * 1000, "mm")
    assert sizes_of(session) == [0] * 6
    session.undo()  # nothing was done


def test_a_map_stays_when_scales_come(session: Session) -> None:
    atlas = session.atlas.with_positions(np.zeros((6, 2), np.float32), "by hand")
    session.open_atlas(atlas)
    session.scales.give([0, 1], 0.5)
    assert session.atlas.positions is atlas.positions and session.map is not None


def test_a_script_tells_the_scales_that_a_user_gave(session: Session) -> None:
    from napari_micromap.sharing.script import script_of

    session.scales.by_bar([0, 1], 101, 2, "µm")
    text = script_of(session)
    assert "s.scales.give(s.atlas.rows_of(" in text and "'bar: typed'" in text


def test_a_map_made_at_one_scale_goes_when_scales_change_and_another_stays(session: Session) -> None:
    from napari_micromap.recipe import Recipe

    made = {"name": "efficientnet-lite0", "backbone": "EfficientNetLite0()", "weights_sha256": "0", "precision": "f"}
    for recipe, kept in ((Recipe(), True), (Recipe(scale="coarsest"), False)):
        session.undo()
        atlas = session.atlas.with_embeddings(np.zeros((6, 4), np.float32), {**made, "recipe": repr(recipe)})
        session.open_atlas(atlas.with_positions(np.zeros((6, 2), np.float32), "by hand"))
        session.scales.give([0, 1], 0.5)
        assert (session.map is not None) == (session.atlas.embeddings is not None) == kept

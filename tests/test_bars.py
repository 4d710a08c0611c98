"""Data bars on any side, what is drawn onto specimens, and what a user says of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ImageDraw import Draw

from napari_micromap.microscopy.annotations import annotation
from napari_micromap.microscopy.bar import BY_USER, FROM_HEADER, FROM_PIXELS, agreed_bar, find_bar, is_doubtful
from napari_micromap.microscopy.cropping import SIDES, Side, crop_bar, side_of, specimen_box
from napari_micromap.microscopy.pixels import read_header, read_pixels
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.session.before import bars_of
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

TABLE = Path(__file__).with_name("real_micrographs.csv")
TURNS: dict[Side, int] = {"bottom": 0, "right": 1, "top": 2, "left": 3}


def specimen(height: int = 240, width: int = 320, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(20, 235, (height, width)).astype(np.uint8)


def barred(picture: Any, rows: int, side: Side = "bottom") -> Any:
    """Put a black bar with white writing on a side."""
    turned = np.rot90(picture, -TURNS[side])
    bar = Image.new("L", (turned.shape[1], rows), 0)
    Draw(bar).text((6, 2), "15.0 kV  x5,000  SE  WD 9.8 mm", fill=255)
    Draw(bar).line((160, rows - 5, 220, rows - 5), fill=255, width=2)
    return np.rot90(np.vstack([turned, np.asarray(bar)]), TURNS[side])


# ---------------------------------------------------------------------- found


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("rows", [18, 40])
def test_a_bar_is_found_on_any_side_and_leaves_the_specimen_whole(side: Side, rows: int) -> None:
    picture = barred(specimen(), rows, side)
    found = find_bar(picture)
    assert (found.rows, found.side, found.reason) == (rows, side, FROM_PIXELS)
    np.testing.assert_array_equal(crop_bar(picture, found.rows, found.side), specimen())
    top, left, height, width = specimen_box(*picture.shape, rows, side)
    np.testing.assert_array_equal(picture[top : top + height, left : left + width], specimen())


def test_what_is_not_cut_has_a_reason() -> None:
    rim = specimen()
    rim[-40:] = 3
    reasons = {find_bar(pixels).reason for pixels in (specimen(), rim, np.full((200, 200), 90, np.uint8), rim[:9, :9])}
    assert len(reasons) == 4 and all(reason.startswith("none: ") for reason in reasons)
    assert find_bar(rim).reason == "none: a plain rim without writing"


def test_a_header_and_pixels_that_disagree_are_to_be_looked_at() -> None:
    picture = barred(specimen(), 38)
    said = {rows: agreed_bar(rows, picture) for rows in (38, 70, 0, None)}
    assert said[38].reason == FROM_HEADER and said[None].reason == FROM_PIXELS
    assert [bar.rows for bar in said.values()] == [38] * 4
    assert [is_doubtful(bar.reason) for bar in said.values()] == [False, True, True, False]
    cut_before = agreed_bar(38, specimen())
    assert cut_before.rows == 0 and is_doubtful(cut_before.reason)
    assert agreed_bar(0, specimen()).reason == "none: header and pixels"


def truths(data: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    with TABLE.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield from ((path, row) for path in sorted(data.glob(row["file"].replace("[", "[[]"))))


def test_size_scale_bar_and_annotation_of_all_real_micrographs_are_as_header_and_eye_say(real_data: Path) -> None:
    count = 0
    for path, row in truths(real_data):
        header, pixels = read_header(path), read_pixels(path)
        bar = agreed_bar(header.bar_rows, pixels)
        assert pixels.shape[:2] == (header.height, header.width), path
        assert not row["height"] or pixels.shape[:2] == (int(row["height"]), int(row["width"])), path
        assert (bar.rows, bar.side if bar.rows else "") == (int(row["bar_rows"]), row["bar_side"]), path
        written, burnt = row["um_per_px_in_header"], row["um_per_px_of_burnt_bar"]
        assert header.um_per_px == (pytest.approx(float(written), rel=1e-5) if written else None), path
        if written and burnt:
            assert header.um_per_px == pytest.approx(float(burnt), rel=0.04), "a bar's ends are a pixel or two wide"
        assert bool(annotation(crop_bar(pixels, bar.rows, bar.side))) == bool(row["annotated"]), path
        count += 1
    assert count == 1534


# ---------------------------------------------------------------------- headers of vendors without real files here

FEI = (
    "[User]\r\n[Scan]\r\nPixelWidth=2.5e-008\r\n[Image]\r\nResolutionX=320\r\nResolutionY=240\r\n"
    "[PrivateFei]\r\nDatabarHeight=0\r\n"
)
PHENOM = '<?xml version="1.0"?><FeiImage><pixelWidth unit="um">0.03</pixelWidth><databarHeight>38</databarHeight>'
PHENOM += "</FeiImage>"
TESCAN = "[MAIN]\nDevice=TESCAN\nPixelSizeX=2.5e-08\nImageStripSize=38\n"
JEOL = "$CM_FORMAT JEOL\n$CM_MAG 2000\n$CM_FULL_SIZE 320 240\n$$SM_MICRON_BAR 50\n$$SM_MICRON_MARKER 1um\n"
HITACHI = "[SemImageFile]\nInstructName=SU8200\nPixelSize=9.9\nMagnification=10000\n"


@pytest.mark.parametrize(
    ("vendor", "tag", "sidecar", "reason"),
    [
        ("FEI", (34682, FEI), None, FROM_HEADER), ("Phenom", (34683, PHENOM), None, FROM_HEADER),
        ("Tescan", None, (".hdr", TESCAN), FROM_HEADER), ("JEOL", None, (".txt", JEOL), FROM_HEADER),
        ("Hitachi", None, (".txt", HITACHI), FROM_PIXELS),
    ],
)  # fmt: skip
def test_the_bar_of_each_vendor_is_cut_by_what_it_writes_or_shows(
    vendor: str, tag: Any, sidecar: Any, reason: str, tmp_path: Path
) -> None:
    tags = [] if tag is None else [(tag[0], "s", 0, tag[1], True)]
    tifffile.imwrite(tmp_path / "a.tif", barred(specimen(), 38), metadata=None, extratags=tags)
    if sidecar:
        (tmp_path / f"a{sidecar[0]}").write_text(sidecar[1])
    atlas = finish(Folder(tmp_path)())
    told = atlas.columns.iloc[0]
    assert (told["vendor"], told["bar_rows"], told["bar_side"], told["bar_from"]) == (vendor, 38, "bottom", reason)
    np.testing.assert_array_equal(atlas[0].specimen(), specimen())


# ---------------------------------------------------------------------- drawn onto the specimen


def drawn(what: str) -> Any:
    picture = np.random.default_rng(3).normal(120, 25, (300, 400)).clip(10, 245).astype(np.uint8)
    image = Image.fromarray(picture).convert("RGB")
    pen = Draw(image)
    if what == "boxed scale bar":
        pen.rectangle((290, 255, 385, 292), fill="white")
        pen.rectangle((300, 282, 372, 287), fill="black")
    elif what == "bare scale bar":
        pen.rectangle((300, 280, 372, 285), fill="black")
    elif what == "letters":
        pen.rectangle((10, 10, 80, 50), fill="white")
        pen.text((20, 15), "(b2)", fill="black", font_size=26)
    elif what == "marks":
        pen.line((50, 50, 120, 130), fill=(0, 90, 255), width=4)
    return np.asarray(image)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("boxed scale bar", "scale bar"),
        ("bare scale bar", "scale bar"),
        ("letters", "letters"),
        ("marks", "colored marks"),
    ],
)
def test_what_is_drawn_onto_a_specimen_is_named_and_never_altered(what: str, said: str) -> None:
    picture = drawn(what)
    before = picture.copy()
    assert annotation(picture) == said
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_bare_specimen_has_no_annotation(dtype: Any) -> None:
    for seed in range(4):
        assert annotation(specimen(seed=seed).astype(dtype)) is None
    pores = specimen()
    pores[np.random.default_rng(0).random(pores.shape) < 0.3] = 0
    assert annotation(pores) is None
    assert annotation(np.full((100, 100), np.nan, np.float32)) is None
    assert annotation(np.zeros((3, 3), np.uint8)) is None


# ---------------------------------------------------------------------- said by the user


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Six pictures: two with a bar below, two with one on the right, two without."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k in range(6):
        picture = barred(specimen(seed=k), 40, "right") if k in (2, 3) else specimen(280, 320, seed=k)
        picture = barred(specimen(seed=k), 40) if k < 2 else picture
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / f"{k}.png")
    session = Session(cache=tmp_path / "cache")
    session.open(Folder(folder))
    return session


def bars(session: Session) -> list[tuple[int, str]]:
    return [(one.bar_rows, one.bar_side) for one in session.atlas]


def test_one_or_all_of_a_kind_are_corrected_and_it_comes_back_with_the_session(
    session: Session, tmp_path: Path
) -> None:
    assert bars(session) == [(40, "bottom")] * 2 + [(40, "right")] * 2 + [(0, "bottom")] * 2
    session.bars.correct(session.atlas.rows_of_kind(2), 44, "right")
    session.bars.correct([5], 30, "top")
    session.bars.correct([0], 0)
    expected = [(0, "bottom"), (40, "bottom"), (44, "right"), (44, "right"), (0, "bottom"), (30, "top")]
    assert bars(session) == expected
    said = session.atlas.columns["bar_from"].tolist()
    assert [reason == BY_USER for reason in said] == [True, False, True, True, False, True]
    assert session.atlas[5].specimen().shape == (250, 320) and session.atlas[2].specimen().shape == (240, 316)
    with pytest.raises(Problem, match="leaves nothing"):
        session.bars.correct([0], 320, "left")
    session.save(tmp_path / "s.micromap")
    again = Session(cache=tmp_path / "other")
    again.restore(tmp_path / "s.micromap")
    assert bars(again) == expected and again.atlas.columns["bar_from"].tolist() == said
    assert dict(again.bars.corrected) == dict(session.bars.corrected)


def test_what_is_kept_of_a_picture_depends_on_the_side_of_its_bar(session: Session) -> None:
    keys = {session.workshop.thumbnails.key_of(session.atlas[0])}
    for side in SIDES[1:]:
        session.bars.correct([0], 40, side)
        keys.add(session.workshop.thumbnails.key_of(session.atlas[0]))
    assert len(keys) == 4


def test_who_corrected_one_image_is_not_asked_of_it_again(session: Session) -> None:
    assert bars_of(session.atlas).to_check.tolist() == [0, 1], "others of their size have none"
    session.bars.correct([0], 38)
    assert bars_of(session.atlas).to_check.tolist() == [1]


def test_a_session_from_before_there_were_sides_opens_with_bars_below(session: Session, tmp_path: Path) -> None:
    session.bars.correct([0, 1], 38)
    session.save(tmp_path / "s.micromap")
    entry = tmp_path / "s.micromap" / "open.micromap"
    content = json.loads(entry.read_text())
    gone = {"bar_side", "bar_from", "annotation", "scale_from"}
    table = tmp_path / "s.micromap" / content["files"]["table"]
    with table.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    names = [name for name in rows[0] if name not in gone]
    with table.open("w", newline="", encoding="utf-8-sig") as lines:
        writer = csv.DictWriter(lines, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    content["columns"] = [one for one in content["columns"] if one["name"] not in gone]
    entry.write_text(json.dumps(content))
    again = Session(cache=tmp_path / "other")
    again.restore(tmp_path / "s.micromap")
    assert bars(again)[:3] == [(38, "bottom"), (38, "bottom"), (40, "bottom")]
    assert gone <= set(again.atlas.columns)
    assert side_of(None) == side_of(np.nan) == side_of("nonsense") == "bottom"

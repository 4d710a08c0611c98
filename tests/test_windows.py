"""Windows of large micrographs: read alone, each a micrograph of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_micromap import pipeline
from napari_micromap.microscopy import decoding
from napari_micromap.microscopy.parts import Wholes, read_part
from napari_micromap.microscopy.pixels import read_pixels
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import samples_of
from napari_micromap.recipe import Recipe
from napari_micromap.session import Session
from napari_micromap.sources.folder import Folder
from napari_micromap.sources.layers import Layers
from napari_micromap.sources.windows import Cut, Windows, whole_id
from napari_micromap.work import finish

BOXES = [(0, 0, 300, 417), (10, 20, 100, 50), (250, 400, 50, 17), (63, 63, 2, 2), (299, 416, 5, 9)]
WRITTEN: list[tuple[Any, tuple[int, ...], dict[str, Any]]] = [
    (np.uint8, (300, 417), {}),
    (np.uint16, (300, 417), {"compression": "zlib", "predictor": True}),
    (np.uint16, (300, 417), {"byteorder": ">"}),
    (np.uint8, (300, 417), {"tile": (64, 64), "compression": "lzw"}),
    (np.uint8, (300, 417, 3), {"tile": (64, 64), "compression": "jpeg"}),
    (np.uint8, (3, 300, 417), {"planarconfig": "separate", "photometric": "rgb", "compression": "zlib"}),
    (np.uint8, (300, 417), {"photometric": "miniswhite", "rowsperstrip": 7}),
    (np.bool_, (300, 417), {}),
    (np.float32, (300, 417), {"rowsperstrip": 11}),
]


@pytest.mark.parametrize(("dtype", "shape", "how"), WRITTEN)
def test_a_part_is_the_same_as_cut_from_the_whole(
    tmp_path: Path, dtype: Any, shape: tuple[int, ...], how: dict[str, Any]
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, (np.random.default_rng(0).random(shape) * 200).astype(dtype), **how)
    whole = read_pixels(path)
    for box in BOXES:
        part = read_part(path, 0, box)
        expected = whole[box[0] : box[0] + box[2], box[1] : box[1] + box[3]]
        assert part.dtype == expected.dtype
        assert np.array_equal(part, expected)


def test_other_formats_are_decoded_once_for_many_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from napari_micromap.microscopy import plain

    pixels = np.random.default_rng(0).integers(0, 255, (90, 120)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    decoded: list[int] = []
    decode = plain._decoded
    monkeypatch.setattr(plain, "_decoded", lambda image: decoded.append(1) or decode(image))  # type: ignore[func-returns-value]
    wholes = Wholes()
    for box in ((0, 0, 30, 30), (60, 90, 30, 30), (10, 10, 5, 5)):
        assert np.array_equal(
            read_part(tmp_path / "a.png", 0, box, wholes), pixels[box[0] :, box[1] :][: box[2], : box[3]]
        )
    assert len(decoded) == 1


def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count what is read of TIFF files."""
    read: list[int] = []
    handle = tifffile.FileHandle
    plain, array = handle.read, handle.read_array
    monkeypatch.setattr(handle, "read", lambda self, size=-1, /: read.append(len(d := plain(self, size))) or d)  # type: ignore[func-returns-value]

    def counted(self: Any, dtype: Any, count: int = -1, *args: Any, **how: Any) -> Any:
        numbers = array(self, dtype, count, *args, **how)
        read.append(numbers.nbytes)
        return numbers

    monkeypatch.setattr(handle, "read_array", counted)
    return read


@pytest.mark.parametrize("how", [{}, {"tile": (256, 256), "compression": "zlib"}])
def test_of_a_large_tiff_only_the_window_is_read(
    tmp_path: Path, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, shape = tmp_path / "large.tif", (4096, 6144)
    pixels = np.zeros(shape, np.uint8)
    pixels[1000:1512, 3000:3512] = np.random.default_rng(0).integers(0, 255, (512, 512))
    tifffile.imwrite(path, pixels, **how)
    read = bytes_read(monkeypatch)
    part = read_part(path, 0, (1000, 3000, 512, 512))
    assert np.array_equal(part, pixels[1000:1512, 3000:3512])
    assert sum(read) < 0.15 * pixels.nbytes  # its 512 rows are an eighth of all, its tiles less


def test_a_picture_too_large_for_memory_is_mapped_by_its_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, side = tmp_path / "huge.tif", 600
    pixels = np.zeros((side, side), np.uint8)
    for top, left in ((0, 0), (300, 200), (500, 500)):
        pixels[top : top + 100, left : left + 100] = np.arange(0, 200, 20)[:, None].repeat(10, 0)
    tifffile.imwrite(path, pixels)
    monkeypatch.setattr(decoding, "LARGEST_BYTES", 2**17)  # as 30000 x 30000 pixels are for the real limit
    with pytest.raises(Problem, match="map its windows"):
        finish(Folder(path)())
    atlas = finish(Windows(Folder(path), Cut(window_px=100))())
    assert atlas.windows is not None
    assert atlas.windows[:, :2].tolist() == [[0, 0], [300, 200], [500, 500]]
    assert np.array_equal(atlas[1].specimen(), pixels[300:400, 200:300])


# ---------------------------------------------------------------------- each a micrograph


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one half blank, with a scale."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in ("a", "b"):
        pixels = np.zeros((240, 360), np.uint8)
        pixels[:, : 240 if name == "a" else 360] = (
            rng.integers(0, 255, (30, 45)).astype(np.uint8).repeat(8, 0).repeat(8, 1)[:, : 240 if name == "a" else 360]
        )
        tifffile.imwrite(folder / f"{name}.tif", pixels, imagej=True, resolution=(10, 10), metadata={"unit": "um"})
    return folder


def test_windows_of_one_length_are_cut_and_blank_ones_left_out(folder: Path) -> None:
    atlas = finish(Windows(Folder(folder), Cut(window_um=12.0))())
    assert atlas.windows is not None
    assert atlas.columns["micrograph"].value_counts().to_dict() == {"a.tif": 4, "b.tif": 6}
    assert (atlas.windows[:, 2:] == 120).all() and (atlas.columns["width"] == 120).all()
    assert atlas.columns["x in image (µm)"].iloc[0] == 6.0
    whole = finish(Folder(folder)())
    assert set(map(whole_id, atlas.ids.tolist())) == set(whole.ids.tolist())
    for micrograph in atlas:
        top, left, height, width = micrograph.window  # type: ignore[misc]
        cut = read_pixels(Path(micrograph.path))[top : top + height, left : left + width]
        assert np.array_equal(micrograph.specimen(), cut)
    again = finish(Windows(Folder(folder), Cut(window_um=12.0))())
    assert np.array_equal(again.ids, atlas.ids)


def test_windows_never_count_as_samples_of_their_own(folder: Path) -> None:
    atlas = finish(Windows(Folder(folder), Cut(window_px=60, drop_blank=False))())
    assert atlas.sample_column == "micrograph"
    by_window = atlas.with_columns(atlas.columns.assign(number=np.arange(len(atlas)).astype(str)))
    for sample in (None, "number", "micrograph"):
        units = samples_of(by_window.with_sample_column(sample))
        assert units is not None and units.nunique() == 2
    half = np.where(np.arange(len(atlas)) % 2, "x", "y")
    shared = atlas.with_columns(atlas.columns.assign(half=half)).with_sample_column("half")
    assert set(samples_of(shared)) == {"x + y"}  # type: ignore[arg-type]


def test_a_map_of_windows_is_saved_grown_and_taken_back(folder: Path, tmp_path: Path) -> None:
    session = Session(cache=tmp_path / "kept")
    session.open(Folder(folder))
    session.windows.cut(Cut(window_px=120))
    windows = session.atlas
    assert len(windows) == 10 and session.windows.cut_by == Cut(window_px=120)
    session.embed(recipe=Recipe(views=1, depths="last"))
    session.lay_out()
    session.save(tmp_path / "s")
    embeddings = np.array(session.atlas.embeddings)

    opened = Session(cache=tmp_path / "other")
    opened.restore(tmp_path / "s.micromap")
    assert np.array_equal(opened.atlas.windows, windows.windows)  # type: ignore[arg-type]
    assert isinstance(opened.source, Windows) and opened.source.cut == Cut(window_px=120)
    assert np.array_equal(opened.atlas[3].specimen(), windows[3].specimen())
    tifffile.imwrite(folder / "c.tif", np.random.default_rng(2).integers(0, 255, (120, 240)).astype(np.uint8))
    opened.grow()
    assert len(opened.atlas) == len(windows) + 2 and opened.atlas.windows is not None
    np.testing.assert_array_equal(opened.atlas.embeddings[: len(windows)], embeddings)  # type: ignore[index]
    opened.windows.uncut()
    assert opened.atlas.windows is None and len(opened.atlas) == 3
    session.windows.uncut()
    assert session.atlas.windows is None and len(session.atlas) == 2
    for one in (session, opened):
        one.workshop.close()


def test_windows_of_equal_pixels_have_equal_embeddings_and_each_its_own_memo(folder: Path, tmp_path: Path) -> None:
    workshop = pipeline.Workshop(tmp_path / "kept")
    atlas = finish(Windows(Folder(folder), Cut(window_px=120, drop_blank=False))())
    done = finish(pipeline.embed(atlas, None, Recipe(views=1), workshop, "cpu"))
    again = finish(pipeline.embed(atlas, None, Recipe(views=1), workshop, "cpu"))
    assert np.array_equal(done.embeddings, again.embeddings)  # type: ignore[arg-type]
    assert again.made_by["device"] == "cache"
    assert len(set(pipeline.contents(atlas, workshop))) == len({p.specimen().tobytes() for p in atlas})
    workshop.close()


def test_an_open_layer_is_cut_into_windows(folder: Path) -> None:
    from napari.layers import Image

    pixels = np.random.default_rng(0).integers(0, 255, (64, 96)).astype(np.uint8)
    layer = Image(pixels, name="large")
    atlas = finish(Windows(Layers((layer,)), Cut(window_px=32, drop_blank=False))())
    assert len(atlas) == 6
    assert np.array_equal(atlas[4].specimen(), pixels[32:64, 32:64])

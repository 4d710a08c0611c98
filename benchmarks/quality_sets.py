"""Collections with known classes: real micrographs beside the project, drawn films, textures, folders given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_micromap.atlas import Atlas
from napari_micromap.pipeline import gather
from napari_micromap.sources.films import Films
from napari_micromap.sources.films.recipes import make_films
from napari_micromap.sources.folder import Folder
from napari_micromap.work import finish

REAL = Path(__file__).resolve().parents[2] / "shared" / "data"
FILMS, IMAGES = 24, 4
NONE = -1


@dataclass(frozen=True, eq=False)
class Known:
    """Micrographs whose classes are known, row by row.

    Parameters
    ----------
    classes : (n,) int
        What a neighbor must have in common to be right.
    samples : (n,) int or None
        Whose pictures do not answer; -1 where a picture has no sample.
    series, numbers : (n,) int or None
        Files numbered as they were taken.
    """

    name: str
    about: str
    atlas: Atlas
    classes: np.ndarray
    samples: np.ndarray | None = None
    series: np.ndarray | None = None
    numbers: np.ndarray | None = None

    def taken(self, rows: np.ndarray, atlas: Atlas) -> Known:
        """Return some of its rows, with an atlas that holds just those."""
        parts = [None if one is None else one[rows] for one in (self.samples, self.series, self.numbers)]
        return Known(self.name, self.about, atlas, self.classes[rows], *parts)

    @property
    def groups(self) -> np.ndarray:
        """What is drawn again as a whole: a sample, ten numbers of a series, else a picture."""
        own = np.arange(len(self.classes))
        if self.samples is not None:
            return np.where(self.samples >= 0, self.samples, self.samples.max() + 1 + own)
        if self.series is not None and self.numbers is not None:
            return codes(pd.Series(self.series).astype(str) + "/" + pd.Series(self.numbers // 10).astype(str))
        return own


def codes(names: pd.Series) -> np.ndarray:
    return np.asarray(pd.factorize(names)[0], np.intp)


def known_sets(scratch: Path, folders: list[Path], most: int) -> dict[str, Callable[[], Known]]:
    """Name all collections at hand; each is read when it is called."""
    sets: dict[str, Callable[[], Known]] = {}
    if (REAL / "manifest.csv").is_file():
        sets |= {
            "uhcs": uhcs, "nanocomp": nanocomp, "steel_hv": steel, "nasa_ebc": lambda: by_sample("nasa_ebc"),
            "nasa_super": lambda: by_sample("nasa_super"), "nasa_xsection": lambda: by_sample("nasa_xsection"),
            "xsdd": lambda: folder_of_classes(REAL / "xsdd", most),
        }  # fmt: skip
    sets["films"] = lambda: films(scratch)
    sets["textures"] = lambda: textures(scratch, lit=False)
    sets["textures-lit"] = lambda: textures(scratch, lit=True)
    for folder in folders:
        sets[folder.name] = lambda folder=folder: folder_of_classes(folder, most)  # type: ignore[misc]
    return sets


def table_of(atlas: Atlas) -> pd.DataFrame:
    """Return what the manifest says of each micrograph, row by row."""
    manifest = pd.read_csv(REAL / "manifest.csv").set_index("path")
    return manifest.reindex([Path(path).relative_to(REAL).as_posix() for path in atlas.paths.tolist()])


def uhcs() -> Known:
    atlas = finish(gather(Folder(REAL / "uhcs")))
    told = pd.read_csv(REAL / "uhcs" / "micrographs.csv").set_index("file").reindex(atlas.columns["file"])
    columns = atlas.columns.assign(um_per_px=told["um_per_px"].to_numpy(float))
    return Known("uhcs", "microconstituent (6), no pictures of the same sample", atlas.with_columns(columns),
                 codes(told["primary_microconstituent"]), codes(told["sample"]))  # fmt: skip


def nanocomp() -> Known:
    atlas = finish(gather(Folder(REAL / "nanocomp")))
    return Known("nanocomp", "sample (7)", atlas, codes(table_of(atlas)["sample"]))


def steel() -> Known:
    atlas = finish(gather(Folder(REAL / "steel_hv")))
    sample = table_of(atlas)["sample"]
    return Known("steel_hv", "heat treatment (4), no pictures of the same sample", atlas,
                 codes(sample.str.split("_").str[0]), codes(sample))  # fmt: skip


def by_sample(name: str) -> Known:
    atlas = finish(gather(Folder(REAL / name)))
    sample = table_of(atlas)["sample"]
    sample = sample.fillna(pd.Series(atlas.columns["file"].to_numpy(), index=sample.index))
    return Known(name, f"sample ({sample.nunique()})", atlas, codes(sample))


def folder_of_classes(folder: Path, most: int) -> Known:
    """Read a folder with one subfolder a class; of each class the first ``most`` files."""
    atlas = finish(gather(Folder(folder)))
    names = atlas.columns["folder"].astype(str).str.split("/").str[0]
    numbers = atlas.columns["file"].astype(str).str.extract(r"(\d+)\D*$")[0]
    numbered = bool(numbers.notna().all())
    rows = np.flatnonzero(names.groupby(names).cumcount().to_numpy() < most) if most else np.arange(len(atlas))
    classes = codes(names)
    series, values = (classes, numbers.astype(int).to_numpy()) if numbered else (None, None)
    about = f"subfolder ({names.nunique()})" + (", none within ±5 files" if numbered else "")
    return Known(folder.name, about, atlas, classes, None, series, values).taken(rows, some(atlas, rows))


def some(atlas: Atlas, rows: np.ndarray) -> Atlas:
    """Return a collection of some of the rows."""
    return Atlas(columns=atlas.columns.iloc[rows].reset_index(drop=True), ids=atlas.ids[rows], paths=atlas.paths[rows],
                 pages=atlas.pages[rows], roles=atlas.roles)  # fmt: skip


def films(scratch: Path) -> Known:
    """Drawn films, of which porosity and needles are known: the four quarters that their medians make."""
    atlas = finish(gather(Films(FILMS, IMAGES, 0, scratch / "films")))
    made = {one.name: one.film for one in make_films(FILMS, 0)}
    names = atlas.columns["film"].astype(str)
    porous, needled = (
        np.array([getattr(made[name], what) for name in names]) for what in ("porosity", "needles")
    )  # fmt: skip
    quarter = 2 * (porous > np.median(porous)) + (needled > np.median(needled))
    return Known("films", "quarter of porosity and needles (4), no pictures of the same film", atlas,
                 quarter.astype(np.intp), codes(names))  # fmt: skip


# ---------------------------------------------------------------------- textures that scikit-image brings


def textures(scratch: Path, lit: bool) -> Known:
    """Pieces of brick, grass and gravel, and blobs of three sizes and two amounts; ``lit`` as microscopes differ."""
    folder = scratch / ("textures-lit" if lit else "textures")
    if not folder.is_dir():
        write_textures(folder, lit)
    atlas = finish(gather(Folder(folder)))
    told = atlas.columns["file"].astype(str).str.extract(r"^(\D+[\d.x]*)_(\d+)_")
    about = "texture (9), none of the same quarter" + (", each piece turned and lit otherwise" if lit else "")
    return Known(folder.name, about, atlas, codes(told[0]), codes(told[0] + told[1]))


def write_textures(folder: Path, lit: bool) -> None:
    import imageio.v3 as iio
    from skimage import data

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("brick", "grass", "gravel"):
        whole = getattr(data, name)().astype(np.float32) / 255
        for number in range(16):
            row, column = divmod(number, 4)
            piece = whole[row * 128 :, column * 128 :][:128, :128]
            quarter = 2 * (row // 2) + column // 2
            iio.imwrite(folder / f"{name}_{quarter}_{number:02d}.png", eight_bit(changed(piece, rng) if lit else piece))
    for size in (0.05, 0.1, 0.2):
        for share in (0.2, 0.5):
            for number in range(16):
                piece = blobs(size, share, rng)
                path = folder / f"blobs{size}x{share}_{number}_0.png"
                iio.imwrite(path, eight_bit(changed(piece, rng) if lit else piece))


def blobs(size: float, share: float, rng: np.random.Generator) -> np.ndarray:
    from skimage.data import binary_blobs

    drawn = binary_blobs(128, blob_size_fraction=size, volume_fraction=share, rng=rng).astype(np.float32)
    return (0.3 + 0.4 * drawn + 0.05 * rng.standard_normal(drawn.shape)).clip(0, 1)


def changed(piece: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn a piece, and light it as another session would: exposure, gamma, a slope of brightness."""
    piece = np.rot90(piece, int(rng.integers(4)))
    ramp = np.linspace(-0.5, 0.5, len(piece))
    angle = rng.uniform(0, 2 * np.pi)
    slope = rng.uniform(0, 0.5) * (np.cos(angle) * ramp[:, None] + np.sin(angle) * ramp[None])
    return (rng.uniform(0.5, 1.0) * piece ** rng.uniform(0.7, 1.4) + slope + rng.uniform(-0.1, 0.1)).clip(0, 1)


def eight_bit(piece: np.ndarray) -> np.ndarray:
    return np.rint(piece * 255).astype(np.uint8)

"""Tables as users bring them: read, matched, joined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.tables import (
    best_match,
    guess_sample,
    join,
    matches,
    name_pieces,
    read_table,
    sample_candidates,
    with_guessed_sample,
    with_sample,
)


def atlas_of(paths: list[str]) -> Atlas:
    """Return an atlas of files that need not exist."""
    columns = pd.DataFrame({name: [np.nan] * len(paths) for name in OWN_COLUMNS})
    columns["file"] = [Path(path).name for path in paths]
    columns["folder"] = [str(Path(path).parent) for path in paths]
    columns["bar_rows"] = 0
    ids = np.array([f"id{k}" for k in range(len(paths))], np.str_)
    return Atlas(columns=columns, ids=ids, paths=np.array(paths, np.str_), pages=np.zeros(len(paths), np.int32))


def table_from(tmp_path: Path, text: str | bytes, name: str = "table.csv") -> pd.DataFrame:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path)


# ---------------------------------------------------------------------- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_reads_the_same_in_every_encoding_and_with_every_separator(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    text = separator.join(["film", "Größe (µm)"]) + "\r\n" + separator.join(["Ä1", "2.5"]) + "\r\n"
    table = table_from(tmp_path, text.encode(encoding))
    assert table.columns.tolist() == ["film", "Größe (µm)"]
    assert table.iloc[0].tolist() == ["Ä1", 2.5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;2,25\n", [1.5, 2.25]),
        ("a;b\n1.234,5;1.000\n", [1234.5, 1000.0]),
        ("a;b\n1.5;1.000\n", [1.5, 1.0]),
        ('a,b\n"1,234",2.5\n', [1234.0, 2.5]),
        ("a;b\n1,234;x\n", [1.234, "x"]),
        ("a,b\n1e-3,−2\n", [0.001, -2]),
        ('a,b\n"1,5","2,5"\n', [1.5, 2.5]),
    ],
)
def test_decimals_are_what_the_whole_table_says(tmp_path: Path, text: str, expected: list[Any]) -> None:
    assert table_from(tmp_path, text).iloc[0].tolist() == expected


def test_a_table_that_contradicts_itself_keeps_doubtful_numbers_as_text(tmp_path: Path) -> None:
    table = table_from(tmp_path, "a;b;c\n1,5;2.5;1,234\n1,6;2.6;1,235\n")
    assert table["a"].tolist() == [1.5, 1.6]
    assert table["b"].tolist() == [2.5, 2.6]
    assert table["c"].tolist() == ["1,234", "1,235"]


def test_identifiers_with_leading_zeros_or_too_many_digits_stay_text(tmp_path: Path) -> None:
    table = table_from(tmp_path, "id,long,n\n007,12345678901234567,0\n10,2,0.5\n")
    assert table["id"].tolist() == ["007", "10"]
    assert table["long"].tolist() == ["12345678901234567", "2"]
    assert table["n"].tolist() == [0, 0.5]


def test_missing_words_are_missing_and_elements_are_not(tmp_path: Path) -> None:
    table = table_from(tmp_path, "jc,dopant,treatment\n1.5,Na,none\nn.d.,Nd,etched\n-,,NA\nnone,Y,none\n")
    assert table["jc"].isna().tolist() == [False, True, True, True]
    assert table["dopant"].tolist()[:2] == ["Na", "Nd"]
    assert table["dopant"].isna().tolist() == [False, False, True, False]
    assert table["treatment"].tolist()[:2] == ["none", "etched"]


def test_a_limit_is_never_a_number(tmp_path: Path) -> None:
    table = table_from(tmp_path, "film,jc\nA,<0.1\nB,2.1\n")
    assert table["jc"].isna().tolist() == [True, False] and table["jc"][1] == 2.1
    assert table["jc limit"][0] == "<0.1" and pd.isna(table["jc limit"][1])


def test_quotes_blank_lines_empty_and_equal_headers_are_read(tmp_path: Path) -> None:
    table = table_from(tmp_path, 'sep=;\nname;;x;x;\n\n"a;b";1;2;3;\n')
    assert table.columns.tolist() == ["name", "column 2", "x", "x (2)"]
    assert table.iloc[0].tolist() == ["a;b", 1, 2, 3]


def test_a_single_column_is_a_table(tmp_path: Path) -> None:
    assert table_from(tmp_path, "film\nF1\nF2\n")["film"].tolist() == ["F1", "F2"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("header.csv", b"a,b\n", "at least one line"),
        ("picture.csv", bytes(range(256)) * 8, "not a table"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "Line 3"),
        ("book.xlsx", b"PK", "save it as CSV"),
    ],
)
def test_what_is_no_table_is_told_with_the_remedy(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        table_from(tmp_path, data, name)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=20))
def test_every_number_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.mktemp("numbers") / "t.csv"
    rounded = [float(f"{value:.6g}") for value in values]
    pd.DataFrame({"x": rounded, "name": "a"}).to_csv(path, index=False)
    assert read_table(path)["x"].tolist() == rounded


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_plain_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "t.csv"
    path.write_bytes(data)
    try:
        read_table(path)
    except Unreadable as problem:
        assert "t.csv" in str(problem)


# ---------------------------------------------------------------------- matching


def rows_of(**columns: list[Any]) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    table.attrs["path"] = "/t.csv"
    return table


def joined(atlas: Atlas, table: pd.DataFrame) -> Atlas:
    return join(atlas, table, best_match(atlas, table))


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (["/d/x/a.tif", "/d/y/a.tif", "/d/y/b.tif"], "path"),
        (["x/a.tif", "y/a.tif", "y/b.tif"], "path"),
        (["C:\\else\\X\\a.TIF", "C:\\else\\Y\\A.tif", "C:\\else\\y\\b.tif"], "path"),
        (["x/a", "y/a", "y/b"], "path"),
    ],
)
def test_paths_match_also_from_another_machine(written: list[str], key: str) -> None:
    atlas = atlas_of(["/d/x/a.tif", "/d/y/a.tif", "/d/y/b.tif"])
    match = best_match(atlas, rows_of(which=written, value=[1.5, 2.5, 3.5]))
    assert match.micrograph_key == key
    assert join(atlas, rows_of(which=written, value=[1.5, 2.5, 3.5]), match).columns["value"].tolist() == [
        1.5,
        2.5,
        3.5,
    ]


@pytest.mark.parametrize("ending", [".tif", ".TIF", "", ".png"])
def test_file_names_match_whatever_their_case_and_ending(ending: str) -> None:
    atlas = atlas_of(["/d/Alpha_0.5.tif", "/d/beta.tif", "/d/gamma.tif"])
    table = rows_of(image=[f"alpha_0.5{ending}", f"BETA{ending}", f"other{ending}"], jc=[1.5, 2.5, 9.9])
    match = best_match(atlas, table)
    assert match.matched.tolist() == [0, 1]
    assert match.unmatched_micrographs.tolist() == [2]
    assert match.unmatched_rows.tolist() == [2]
    assert "2 of 3 images" in match.sentence and "1 image and 1 of 3 rows" in match.sentence


def test_a_folder_above_and_a_piece_of_the_name_are_found_as_samples() -> None:
    atlas = atlas_of([f"/d/{film}/{mode}/{k}.tif" for film in ("F1", "F2") for mode in ("SE", "BSE") for k in range(3)])
    table = rows_of(film=["F2", "F1"], jc=[2.0, 1.0])
    assert best_match(atlas, table).micrograph_key == "folder 1 above"
    done = joined(atlas, table)
    assert done.columns["jc"].tolist() == [1.0] * 6 + [2.0] * 6
    assert done.sample_column == "film"
    flat = atlas_of([f"/d/{film}_10kx_{k:02}.tif" for film in ("F1", "F2") for k in range(3)])
    assert best_match(flat, table).micrograph_key == "piece 1 of the name"
    assert joined(flat, table).columns["jc"].tolist() == [1.0] * 3 + [2.0] * 3


def test_a_sample_of_several_pieces_is_found_and_the_longest_wins() -> None:
    atlas = atlas_of([f"/d/{sample}_10kx_{k}.tif" for sample in ("AC1_970Q", "AC1_800Q", "AC1") for k in range(2)])
    table = rows_of(sample=["AC1-970Q", "AC1", "ac1_800q"], jc=[1.0, 3.0, 2.0])
    done = joined(atlas, table)
    assert done.columns["jc"].tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


def test_the_key_may_be_a_pair_of_columns() -> None:
    atlas = atlas_of([f"/d/{folder}/{k}.tif" for folder in ("x", "y") for k in (1, 2)])
    table = rows_of(folder=["y", "x", "y", "x"], file=["1.tif", "1.tif", "2.tif", "2.tif"], jc=[3.0, 1.0, 4.0, 2.0])
    assert joined(atlas, table).columns["jc"].tolist() == [1.0, 2.0, 3.0, 4.0]


@dataclass
class Slice:
    layer_name: str
    index: tuple[int, ...]
    height: int = 4

    def read(self, max_side: int | None = None) -> Any:
        return np.zeros((4, 4))


def test_layers_match_by_name_and_by_slice() -> None:
    atlas = atlas_of(["a", "b", "c", "d"])
    pixels = [Slice("Stack", (0,)), Slice("Stack", (1,)), Slice("Alone", ()), Slice("Other", ())]
    atlas = Atlas(
        columns=atlas.columns.assign(file=["Stack [0]", "Stack [1]", "Alone", "Other"], folder=""),
        ids=atlas.ids, paths=np.array([""] * 4), pages=np.array([0, 1, 0, 0], np.int32),
        live=MappingProxyType(dict(zip(atlas.ids.tolist(), pixels))),
    )  # fmt: skip
    assert joined(atlas, rows_of(layer=["alone", "stack"], jc=[1.5, 2.5])).columns["jc"].tolist()[:3] == [2.5, 2.5, 1.5]
    slices = rows_of(layer=["Stack", "Stack"], slice=[1, 0], jc=[1.5, 2.5])
    assert joined(atlas, slices).columns["jc"].tolist()[:2] == [2.5, 1.5]


def test_near_misses_are_not_joined() -> None:
    atlas = atlas_of([f"/d/{film}_{k}.tif" for film in ("F012", "F013") for k in range(2)])
    with pytest.raises(Problem, match="F12"):
        best_match(atlas, rows_of(film=["F12", "f-13"], jc=[1.0, 2.0]))


def test_when_nothing_fits_both_sides_are_shown() -> None:
    atlas = atlas_of(["/d/one.tif", "/d/two.tif"])
    with pytest.raises(Problem, match=r"“film” says F1, F2; the images are called one\.tif, two\.tif"):
        best_match(atlas, rows_of(jc=[1.5, 2.5], film=["F1", "F2"]))


def test_a_named_key_is_taken_or_refused_with_what_there_is() -> None:
    atlas = atlas_of([f"/d/{film}/{k}.tif" for film in ("1", "2") for k in (1, 2)])
    table = rows_of(no=[1, 2], jc=[1.0, 2.0])
    assert best_match(atlas, table, "folder", "no").micrograph_key == "folder"
    assert best_match(atlas, table, "stem").micrograph_key == "file name without its ending"
    with pytest.raises(Problem, match="it has: no, jc"):
        best_match(atlas, table, None, "film")
    with pytest.raises(Problem, match="file name"):
        best_match(atlas, table, "color")


def test_a_column_that_names_all_alike_does_not_win_over_the_file_name() -> None:
    atlas = atlas_of([f"/d/Q_{k}.tif" for k in range(6)])
    table = rows_of(cool=["Q"] * 5, file=[f"Q_{k}.tif" for k in range(5)], jc=np.arange(5.0).tolist())
    assert best_match(atlas, table).table_column == "file"
    assert len(matches(atlas, table)) > 1


@given(st.permutations(range(8)), st.integers(1, 8))
def test_the_order_of_rows_changes_nothing(order: list[int], many: int) -> None:
    atlas = atlas_of([f"/d/film{k}.tif" for k in range(8)])
    rows = order[:many]
    table = rows_of(file=[f"film{k}.tif" for k in rows], jc=[float(k) + 0.5 for k in rows])
    got = joined(atlas, table).columns["jc"]
    assert [got[k] for k in rows] == [k + 0.5 for k in rows]
    assert int(got.notna().sum()) == many


# ---------------------------------------------------------------------- joining


def test_columns_whose_names_are_taken_get_table_behind() -> None:
    atlas = atlas_of(["/d/a.tif", "/d/b.tif"])
    done = joined(atlas, rows_of(file=["a.tif", "b.tif"], width=[1.5, 2.5], detector=["SE", "BSE"]))
    assert done.columns["width (table)"].tolist() == [1.5, 2.5]
    assert done.columns["detector (table)"].tolist() == ["SE", "BSE"]
    assert "file (table)" not in done.columns
    assert done.columns[list(OWN_COLUMNS)].equals(atlas.columns[list(OWN_COLUMNS)])


def test_several_rows_of_a_key_become_their_mean_and_that_is_said() -> None:
    atlas = atlas_of(["/d/a.tif", "/d/b.tif"])
    table = rows_of(file=["a.tif", "b.tif", "a.tif"], jc=[1.0, 5.5, 2.0], lab=["x", "y", "z"], n=[3, 4, 3])
    match = best_match(atlas, table)
    done = join(atlas, table, match)
    assert "1 stand in several rows" in match.sentence
    assert done.columns["jc"].tolist() == [1.5, 5.5]
    assert done.columns["lab"].tolist() == ["x / z", "y"]
    assert done.columns["n"].tolist() == [3, 4]


def test_an_edited_table_replaces_its_columns_and_keeps_what_was_said_of_them() -> None:
    atlas = atlas_of(["/d/a.tif", "/d/b.tif"])
    once = joined(atlas, rows_of(file=["a.tif", "b.tif"], jc=[1.0, 2.0], old=["p", "q"]))
    once = once.with_columns(once.columns, {"jc": "processing"})
    again = joined(once, rows_of(file=["a.tif", "b.tif"], jc=[1.0, 7.0], new=["r", "s"]))
    assert again.columns["jc"].tolist() == [1.0, 7.0]
    assert again.columns["new"].tolist() == ["r", "s"]
    assert "old" not in again.columns and "jc (table)" not in again.columns
    assert again.roles["jc"] == "processing"
    other = rows_of(file=["a.tif", "b.tif"], jc=[8.5, 9.5])
    other.attrs["path"] = "/other.csv"
    assert joined(again, other).columns["jc (table)"].tolist() == [8.5, 9.5]


def test_a_second_table_may_be_keyed_by_a_column_of_the_first() -> None:
    atlas = atlas_of(["/d/a.tif", "/d/b.tif", "/d/c.tif"])
    once = joined(atlas, rows_of(file=["a.tif", "b.tif", "c.tif"], specimen=["S1", "S1", "S2"]))
    second = rows_of(specimen=["S2", "S1"], jc=[2.0, 1.0])
    second.attrs["path"] = "/second.csv"
    done = joined(once, second)
    assert done.columns["jc"].tolist() == [1.0, 1.0, 2.0]


def test_a_micrograph_without_a_row_keeps_its_own_sample_name() -> None:
    atlas = atlas_of([f"/d/{film}/{k}.tif" for film in ("F1", "F2", "F3") for k in (1, 2)])
    done = joined(atlas, rows_of(sample=["F1", "F2"], jc=[1.0, 2.0]))
    assert done.sample_column == "sample"
    assert done.columns["sample"].tolist() == ["F1", "F1", "F2", "F2", "F3", "F3"]
    assert done.columns["jc"].isna().tolist() == [False] * 4 + [True] * 2


def test_roles_are_guessed_from_names() -> None:
    atlas = atlas_of(["/d/a.tif", "/d/b.tif"])
    done = joined(
        atlas,
        rows_of(
            file=["a.tif", "b.tif"], film=["F1", "F2"], anneal_temperature_C=[800.0, 900.0], lot=["p", "q"],
            **{"Jc(77 K, self-field) (MA/cm²)": [1.5, 2.5], "acc. voltage (kV)": [5.0, 10.0], "remark": ["x", "y"]},
        ),
    )  # fmt: skip
    assert {name: done.roles[name] for name in done.roles} == {
        "film": "sample", "anneal_temperature_C": "processing", "lot": "batch",
        "Jc(77 K, self-field) (MA/cm²)": "property", "acc. voltage (kV)": "imaging", "remark": "other",
    }  # fmt: skip


def test_a_number_that_only_counts_lines_is_no_property() -> None:
    atlas = atlas_of([f"/d/{n}.tif" for n in range(6)])
    with_an_empty_cell = np.array([1.0, 2, 3, 4, 5, 6, np.nan])
    table = rows_of(
        file=[*(f"{n}.tif" for n in range(6)), "mean"],
        count=with_an_empty_cell, **{"Lfd. Nr.": [7.0, 7, 7, 9, 9, 9, np.nan], "wt": [0.5, 2, 5, 10, 10, 2, 4]},
        rating=[1.0, 2, 2, 3, 1, 3, np.nan],
    )  # fmt: skip
    done = joined(atlas, table)
    assert {name: done.roles[name] for name in ("count", "Lfd. Nr.", "rating")} == {
        "count": "other", "Lfd. Nr.": "other", "rating": "property",
    }  # fmt: skip


def test_joining_keeps_the_map() -> None:
    atlas = atlas_of(["/d/a.tif", "/d/b.tif"])
    positions = np.zeros((2, 2), np.float32)
    assert joined(atlas.with_positions(positions, "x"), rows_of(file=["a.tif"], jc=[1.0])).positions is positions


# ---------------------------------------------------------------------- names


def test_names_are_cut_into_pieces_and_those_that_never_vary_are_left_out() -> None:
    pieces = name_pieces(["AC1_970Q_8H_10kx_SE_03.tif", "AC1_800Q_8H_50kx_SE_04.tif", "AC2_800Q_8H_10kx_SE.tif"])
    assert pieces.columns.tolist() == ["piece 1", "piece 2", "piece 4", "piece 6"]
    assert pieces["piece 2"].tolist() == ["970Q", "800Q", "800Q"]
    assert pieces["piece 6"].isna().tolist() == [False, False, True]
    assert pieces["piece 6"].tolist()[:2] == ["03", "04"]


def test_a_decimal_point_does_not_cut_a_name() -> None:
    assert name_pieces(["0.5wt-C3.jpg", "10wt-un.jpg"])["piece 1"].tolist() == ["0.5wt", "10wt"]


@pytest.mark.parametrize(
    ("paths", "guess"),
    [
        ([f"/d/{film}/{k}.tif" for film in "abc" for k in range(3)], "folder"),
        ([f"/d/{mode}/F{film:03}_{k}.tif" for mode in ("SE", "BSE") for film in range(4) for k in range(2)], "piece 1"),
        ([f"/d/2024_F{film:03}_10kx_{k:03}.tif" for film in range(5) for k in range(3)], "piece 2"),
        ([f"/d/micrograph{k}.tif" for k in range(9)], None),
        ([f"/d/SE_{mag}kx_{k}.tif" for mag in (10, 50) for k in range(4)], None),
        ([], None),
    ],
)
def test_the_sample_is_guessed_from_folders_or_names(paths: list[str], guess: str | None) -> None:
    assert guess_sample(atlas_of(paths)) == guess


def test_a_piece_of_the_name_can_be_the_sample() -> None:
    atlas = atlas_of([f"/d/F{film:03}_{k}.tif" for film in range(3) for k in range(3)])
    assert sample_candidates(atlas)[0] == "piece 1"
    assert with_guessed_sample(atlas).samples.tolist() == ["F000"] * 3 + ["F001"] * 3 + ["F002"] * 3
    assert with_sample(atlas, "folder").sample_column == "folder"
    with pytest.raises(Problem, match="piece 9"):
        with_sample(atlas, "piece 9")


# ---------------------------------------------------------------------- real tables


def files_in(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.suffix in (".tif", ".png", ".jpg"))


def test_the_steel_micrographs_all_find_their_row(real_data: Path) -> None:
    atlas, table = atlas_of(files_in(real_data / "uhcs")), read_table(real_data / "uhcs" / "micrographs.csv")
    match = best_match(atlas, table)
    assert (len(match.matched), len(match.unmatched_micrographs), len(match.unmatched_rows)) == (43, 0, 0)
    done = join(atlas, table, match)
    truth = pd.read_csv(real_data / "uhcs" / "micrographs.csv").set_index("file").loc[done.columns["file"]]
    assert done.columns["primary_microconstituent"].tolist() == truth["primary_microconstituent"].tolist()
    np.testing.assert_array_equal(done.columns["anneal_temperature_C"], truth["anneal_temperature_C"])
    np.testing.assert_array_equal(done.columns["um_per_px (table)"], truth["um_per_px"])
    assert done.sample_column == "sample"
    assert done.roles["hardness_HV"] == "property"
    assert done.roles["anneal_time_min"] == "processing"


def test_the_nanocomposites_find_their_sample_by_folder(real_data: Path) -> None:
    atlas, table = atlas_of(files_in(real_data / "nanocomp")), read_table(real_data / "nanocomp" / "samples.csv")
    assert guess_sample(atlas) == "folder"
    match = best_match(atlas, table)
    assert (match.micrograph_key, match.table_column) == ("folder", "sample")
    assert (len(match.matched), len(match.unmatched_micrographs), len(match.unmatched_rows)) == (32, 0, 0)
    done = join(atlas, table, match)
    assert done.columns["sample"].nunique() == 7
    assert done.samples.tolist() == [Path(path).parent.name for path in done.paths.tolist()]


@pytest.mark.parametrize(("name", "unmatched"), [("steel_hv", 0), ("nasa_ebc", 0)])
def test_other_real_tables_join_whole(real_data: Path, name: str, unmatched: int) -> None:
    atlas, table = atlas_of(files_in(real_data / name)), read_table(real_data / name / "micrographs.csv")
    match = best_match(atlas, table)
    assert len(match.unmatched_micrographs) == unmatched, match.sentence
    assert match.table_column == "file"

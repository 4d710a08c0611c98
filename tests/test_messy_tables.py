"""Tables as they come: sheets, titles, merged and two-row headers, errors, limits, duplicates, near misses."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QTreeWidget, QWidget

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.session import Session
from napari_micromap.tables import Wanted, preview_table, read_table
from napari_micromap.tables.values import measurement
from napari_micromap.views.panels.findings import list_unmatched
from napari_micromap.views.panels.table_choices import TableChoices

JC, TC, THICK = "Jc 77 K (MA/cm²)", "Tc (K)", "thickness (nm)"
# film: Jc as written, value, error, limit; Tc as written, value; thickness as written, value
TRUTH: dict[str, tuple[Any, float, float, Any, Any, float, Any, float]] = {
    "F001": ("2,1 ± 0,3", 2.1, 0.3, None, 91.2, 91.2, "1.234,5", 1234.5),
    "F002": ("n.d.", np.nan, np.nan, None, "90,7 ", 90.7, 200, 200.0),
    "F003": ("<0,1", np.nan, np.nan, "<0.1", "n/a", np.nan, "210", 210.0),
    "F004": ("2,13(12)", 2.13, 0.12, None, "-", np.nan, 220.5, 220.5),
    "F005": (" 3,5", 3.5, np.nan, None, 89.9, 89.9, None, np.nan),
    "F006": (">5", np.nan, np.nan, ">5", 90, 90.0, 190, 190.0),
    "F007": (4.25, 4.25, np.nan, None, "88,0", 88.0, 185, 185.0),
}
TWICE = [("F007", "4,75", "89,0", 195, "11.04.2026"), ("F007", "3,75", "87,0", 175, "01.02.2026")]
STRANGERS = ["F099", "reference"]


def write_book(path: Path) -> None:
    """Write two sheets; the second has a title, a merged two-line header, a line of units and all that goes wrong."""
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "Notes"
    notes.append(["Measured in winter, see notebook 12"])
    sheet = book.create_sheet("Values")
    sheet.append(["Critical currents 2026"])
    sheet.append([])
    sheet.append(["Film", "Jc", None, "Tc", "thickness", "date", "remark"])
    sheet.append([None, "77 K", "4 K", None, None, None, None])
    sheet.append([None, "MA/cm²", "MA/cm²", "K", "nm", None, None])
    for film, (jc, _, _, _, tc, _, thickness, _) in TRUTH.items():
        sheet.append([f"{film} ", jc, None, tc, thickness, "03.03.2026", "ok "])
    for film, jc, tc, thickness, date in TWICE:
        sheet.append([film, jc, "11", tc, thickness, date, "again"])
    for stranger in STRANGERS:
        sheet.append([stranger, "1,0", None, None, None, None, None])
    for merged in ("A1:G1", "A3:A5", "B3:C3", "D3:D4", "E3:E4", "F3:F5"):
        sheet.merge_cells(merged)
    book.save(path)


def atlas_of(names: list[str]) -> Atlas:
    columns = pd.DataFrame({name: np.full(len(names), None, object) for name in OWN_COLUMNS})
    columns["file"], columns["folder"], columns["bar_rows"] = names, "", 0
    paths = np.array([f"/films/{name}" for name in names])
    return Atlas(columns, np.array([f"id{k}" for k in range(len(names))]), paths, np.zeros(len(names), np.int32))


@pytest.fixture
def session() -> Session:
    opened = Session()
    opened.open_atlas(atlas_of([f"{film}_{k}.tif" for film in [*TRUTH, "F050"] for k in range(2)]))
    return opened


@pytest.fixture
def book(tmp_path: Path) -> Path:
    write_book(tmp_path / "films.xlsx")
    return tmp_path / "films.xlsx"


def value(session: Session, film: str, column: str) -> Any:
    columns = session.atlas.columns
    values = columns.loc[columns["file"].str.startswith(film), column]
    assert values.nunique(dropna=False) == 1
    return values.iloc[0]


def test_every_value_of_a_messy_book_equals_the_truth(session, book) -> None:
    session.tables.add(book)
    for film, (_, jc, error, limit, _, tc, _, thickness) in TRUTH.items():
        if film != "F007":
            np.testing.assert_equal(float(value(session, film, JC)), jc)
            np.testing.assert_allclose(float(value(session, film, "Jc 77 K error (MA/cm²)")), error)
            assert (
                value(session, film, "Jc 77 K limit (MA/cm²)") is limit
                or value(session, film, "Jc 77 K limit (MA/cm²)") == limit
                or (limit is None and pd.isna(value(session, film, "Jc 77 K limit (MA/cm²)")))
            )
            np.testing.assert_equal(float(value(session, film, TC)), tc)
            np.testing.assert_equal(float(value(session, film, THICK)), thickness)
    assert value(session, "F007", JC) == pytest.approx((4.25 + 4.75 + 3.75) / 3)
    assert value(session, "F007", TC) == pytest.approx(88.0)
    roles = session.atlas.roles
    assert roles[JC] == "property" and roles["Jc 77 K error (MA/cm²)"] == roles["Jc 77 K limit (MA/cm²)"] == "other"


def test_every_row_without_a_partner_is_listed(session, book) -> None:
    session.tables.add(book)
    match, table = session.tables.joined.match, session.tables.joined.table
    assert table["Film"].iloc[match.unmatched_rows].tolist() == STRANGERS
    assert session.atlas.columns["file"].iloc[match.unmatched_micrographs].tolist() == ["F050_0.tif", "F050_1.tif"]
    assert "2 images and 2 of 11 rows" in session.tables.joined.sentence


def test_a_left_over_row_with_empty_cells_is_listed(qtbot, session, tmp_path) -> None:
    path = tmp_path / "with a mean.csv"
    path.write_text("no;Film;Jc\n1;F001;2,1\n2;F002;3,5\n;;\n;mean;2,8\n", encoding="utf-8")
    session.tables.add(path)
    window = list_unmatched(session.atlas, session.tables.joined)
    qtbot.addWidget(window)
    rows = window.findChildren(QTreeWidget)[-1]
    last = rows.topLevelItem(rows.topLevelItemCount() - 1)
    assert [last.text(column) for column in range(3)] == ["", "mean", "2.8"]


@pytest.mark.parametrize(("several", "jc"), [("newest", 4.75), ("first", 4.25)])
def test_of_several_rows_the_one_that_is_asked_for_is_taken(session, book, several, jc) -> None:
    session.tables.add(book, several=several)
    assert value(session, "F007", JC) == jc


def test_a_mean_with_a_limit_among_its_values_is_no_number(session, tmp_path) -> None:
    (tmp_path / "t.csv").write_text("film;Jc\nF001;<0,1\nF001;0,5\nF002;1,5\n")
    session.tables.add(tmp_path / "t.csv")
    assert np.isnan(value(session, "F001", "Jc")) and value(session, "F001", "Jc limit") == "<0.1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2.1 ± 0.3", (2.1, 0.3, "")), ("2.1+/-0.3", (2.1, 0.3, "")), ("2.1(3)", (2.1, 0.3, "")),
        ("12(3)", (12.0, 3.0, "")), ("2.10(0.25)", (2.1, 0.25, "")), ("−1.5", (-1.5, None, "")),
        ("<0.1", (None, None, "<0.1")), (">= 5", (None, None, "≥5")), ("≤1e-3", (None, None, "≤0.001")),
    ],
)  # fmt: skip
def test_a_cell_is_value_error_and_limit(text: str, said: tuple[Any, Any, str]) -> None:
    read = measurement(text, ".")
    assert read is not None and read.limit == said[2]
    for number, wanted in zip(read[:2], said[:2]):
        np.testing.assert_allclose(number, np.nan if wanted is None else wanted)


@pytest.mark.parametrize("text", ["cracked", "2.1 ±", "F12(3)", "<LOD", "1/2"])
def test_words_are_no_values(text: str) -> None:
    assert measurement(text, ".") is None


def test_near_misses_are_proposed_and_joined_only_when_asked(tmp_path) -> None:
    session = Session()
    session.open_atlas(atlas_of([f"{film}_{k}.tif" for film in ("F012", "F013", "F014") for k in range(2)]))
    (tmp_path / "t.csv").write_text("film,Jc\nF12,1.5\nf-13,2.5\nF014,3.5\n")
    session.tables.add(tmp_path / "t.csv")
    assert np.isnan(value(session, "F012", "Jc")) and value(session, "F014", "Jc") == 3.5
    assert {(near.table, near.micrograph) for near in session.tables.joined.match.near_misses} == {
        ("F12", "F012"), ("f-13", "F013"),
    }  # fmt: skip
    session.tables.add(tmp_path / "t.csv", near=True)
    assert [value(session, film, "Jc") for film in ("F012", "F013", "F014")] == [1.5, 2.5, 3.5]


def test_a_table_is_read_again_and_taken_away_while_the_selection_stays(session, tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("film,Jc\nF001,1.5\nF002,2.5\n")
    before = session.atlas.columns
    session.selection.replace([1, 3])
    session.tables.add(path)
    path.write_text("film,Jc\nF001,9.5\nF002,2.5\n")
    session.tables.reload()
    assert value(session, "F001", "Jc") == 9.5 and session.selection.rows.tolist() == [1, 3]
    session.tables.remove()
    assert session.atlas.columns.equals(before) and not session.atlas.tables and session.tables.joined is None
    assert session.selection.rows.tolist() == [1, 3]
    with pytest.raises(Problem, match="No table"):
        session.tables.remove()


def test_taken_names_and_choices_hold_when_a_session_is_opened_again(session, book, tmp_path) -> None:
    (tmp_path / "t.csv").write_text("file,width\nF001_0.tif,1.5\nF001_1.tif,2.5\n")
    session.tables.add(tmp_path / "t.csv")
    session.tables.add(book, several="newest")
    session.save(tmp_path / "s.micromap")
    again = Session()
    again.restore(tmp_path / "s.micromap")
    names = list(again.atlas.columns)
    assert "width (table)" in names and "width (table) (table)" not in names
    again.tables.reload("t.csv")
    again.tables.reload("films.xlsx [Values]")
    assert sorted(again.atlas.columns) == sorted(names) and value(again, "F007", JC) == 4.75


def test_a_sheet_and_a_header_can_be_named(session, book) -> None:
    assert read_table(book, sheet="Values", header_rows=(4, 5)).columns[1] == "77 K (MA/cm²)"
    with pytest.raises(Unreadable, match="it has: Notes, Values"):
        read_table(book, sheet="Jc")
    seen = preview_table(session.atlas, book)
    assert seen.wanted.sheet == "Values" and seen.wanted.header_rows == (3, 4, 5)
    assert seen.lines[0][1][0] == "Critical currents 2026"
    assert {spread.name for spread in seen.spreads} == {"F007"} and seen.date_column == "date"


def test_a_plain_table_leaves_nothing_to_ask(session, tmp_path) -> None:
    (tmp_path / "t.csv").write_text("film,Jc\n" + "".join(f"F00{k},{k}.5\n" for k in range(1, 8)))
    assert preview_table(session.atlas, tmp_path / "t.csv").doubts == ()


def test_other_spreadsheets_and_parquet_read_the_same(tmp_path) -> None:
    truth = pd.DataFrame({"film": ["F001", "F002"], "Jc": [1.5, 2.25]})
    truth.to_parquet(tmp_path / "t.parquet")
    truth.to_excel(tmp_path / "t.ods", engine="odf", index=False)
    for name in ("t.parquet", "t.ods"):
        assert read_table(tmp_path / name).equals(truth), name


# A sheet "Jc" as Excel wrote it until 2003: film, Jc (MA/cm2), made; F002 with the limit <0.1. Zlib, base 85.
OLD_EXCEL = (
    "c-rk)O-NKx6#nj;|4GLg8v_kw5HdBXQ8z8pmq8kVVr_~DYW@OoW{jatEy}W420^Q$jo_w@)utb6QM(p_QHvl5W@;6#f}$2WuXE44&&HaC10^"
    "N*8{WC+o^!u@&fLHE^J+0tn!Ddt#xEFx3l%E>Z<S5Z6>utHkl(VT>Xd%EERFvP0Y6Qo*MldGFMV<j<$RZ6;GX+AN#FxrCvg_z)A>wn195<JN"
    "C=t3AW4DSWC@{_vub9UV!4&&U2gf5<$ktYV>w7|OX36;&GDYSY84+hI@lM2?Drva-m#?*EqEbU@ulm+ZtKBtVKR~ZHy!Qn2F!!zZ8Ve56cX7"
    "IqBMc?_-e&~FV0SV7Sr~PwF{8_`&zrNhW&=&24-NL<^^6v5T9JqW8iRV8HcEDAGp-&%w#sV1!RwPjScTf<@&qHm`kKHRE)&qeY7wVw%Sj{zW"
    "8owN!peH?uR#ec+Ey{<PFe3GL0tIBfJg5bd)dO`TTk;Iboh+%M2gx_AOwC%o-LhO9qic>~XV{>Gv>W7t1T$>vq=LSVn2_QrS7tqLh(YZgZ8r"
    "ofKz)@y6U)rFW5DTsrcoz4+1WCVgSFd?C8<)|^8JjZm8S@;8fK(JOA<lz419rBKJkdzP)g9UXonta7*1eXa>BJocdRkg#iVbi``SP-7+8q6S"
    "+qTaL#?BgolBu;haBNw!<DjT&r&*&Y?mo*D0IO|pH8?W)0cG25?VyO{k=K>3{5Lq;<m$Ut;p{zMQO8X6iJ8X6iJn;3#0W$g!d`B3OluLeH#U"
    "1x=^ivCQpX>k<O^gBl{rU#LyvVik-t)Ff12&XTxPLA`vP~sRxFJKBu&SR?X^-HgIqWb@=n;8CcTd3anm3s30%kh5z4wlh^"
)


def test_a_spreadsheet_of_the_old_format_reads_the_same(tmp_path) -> None:
    (tmp_path / "t.xls").write_bytes(zlib.decompress(base64.b85decode(OLD_EXCEL)))
    table = read_table(tmp_path / "t.xls")
    assert table["film"].tolist() == ["F001", "F002", "F003"] and table["made"].tolist() == ["a", "b", "a"]
    values = table["Jc (MA/cm2)"]
    assert values[0] == 2.5 and np.isnan(values[1]) and values[2] == 1.25, "a limit is no number"


def test_the_dialog_shows_what_each_choice_leads_to(qtbot, session, book) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    dialog = TableChoices(session, preview_table(session.atlas, book, Wanted()), window)
    dialog.show()
    assert (dialog.first.value(), dialog.count.value()) == (3, 3) and "2 sheets" in dialog.doubts.text()
    dialog.first.setValue(4)
    assert dialog.seen.wanted.header_rows == (4, 5, 6)
    dialog.first.setValue(3)
    dialog.several.picked.emit("newest")
    assert "the newest is taken" in dialog.told.text()
    dialog.sheet.picked.emit("Notes")
    assert not dialog.add.isEnabled()
    dialog.sheet.picked.emit("Values")
    dialog.first.setFocus()
    qtbot.keyClick(dialog.first, Qt.Key.Key_Return)  # a number was typed
    assert not dialog.result() and dialog.isVisible()
    dialog.lines.setFocus()
    qtbot.keyClick(dialog.lines, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert value(session, "F007", JC) == 4.75

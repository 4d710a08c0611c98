"""The table of images and samples: order, search, selection both ways, thumbnails, size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtTest import QAbstractItemModelTester

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.session import Session
from napari_micromap.session.scope import Filter
from napari_micromap.sources.folder import Folder
from napari_micromap.views.table import TableDock
from napari_micromap.views.table_model import PICTURE, TableModel
from napari_micromap.wording import title_of


def atlas_of(n: int, samples: int = 4) -> Atlas:
    columns = pd.DataFrame({name: np.full(n, None, object) for name in OWN_COLUMNS})
    columns["file"] = [f"image {k}.png" for k in range(n)]
    columns["bar_rows"] = 0
    columns["film"] = [f"F{k % samples:03d}" for k in range(n)]
    columns["Jc"] = np.where(np.arange(n) % 5 == 0, np.nan, np.arange(n)[::-1] / 4)
    ids = np.array([f"id{k}" for k in range(n)])
    atlas = Atlas(columns, ids, np.array([""] * n), np.zeros(n, np.int32))
    return atlas.with_columns(columns, {"film": "sample", "Jc": "property"})


@pytest.fixture
def session() -> Session:
    opened = Session()
    opened.open_atlas(atlas_of(20))
    return opened


@pytest.fixture
def dock(session, qtbot) -> TableDock:
    made = TableDock(session)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    qtbot.waitExposed(made)
    return made


def column(dock: TableDock, name: str) -> int:
    names = [dock.model.headerData(k, Qt.Orientation.Horizontal) for k in range(dock.model.columnCount())]
    return names.index(title_of(name))


def texts(dock: TableDock, name: str) -> list[str]:
    place = column(dock, name)
    return [dock.model.data(dock.model.index(line, place)) for line in range(dock.model.rowCount())]


def click(qtbot, dock: TableDock, line: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    middle = dock.view.visualRect(dock.model.index(line, 1)).center()
    qtbot.mouseClick(dock.view.viewport(), Qt.MouseButton.LeftButton, keys, middle)


def test_the_model_keeps_the_rules_of_qt(qtbot) -> None:
    model = TableModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    table = atlas_of(50).columns
    model.show_table(table, np.zeros(50, bool))
    for name in ("Jc", "film", "file"):
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
            model.sort(table.columns.get_loc(name) + 1, order)
    model.show_rows(np.arange(0, 50, 3))
    model.strike(np.arange(50) < 7)
    model.show_current(6)
    model.show_rows(np.empty(0, np.intp))
    model.show_table(atlas_of(3).columns, np.zeros(3, bool))
    assert model.rowCount() == 3
    del tester


def test_the_rules_hold_as_pytest_qt_checks_them(qtmodeltester, dock) -> None:
    qtmodeltester.check(dock.model)


def test_it_sorts_numbers_as_numbers_names_as_people_do_and_missing_last(dock, session) -> None:
    dock.view.sortByColumn(column(dock, "Jc"), Qt.SortOrder.AscendingOrder)
    said = texts(dock, "Jc")
    assert [float(text) for text in said[:16]] == sorted(float(text) for text in said[:16]) and said[16:] == [""] * 4
    dock.view.sortByColumn(column(dock, "Jc"), Qt.SortOrder.DescendingOrder)
    assert texts(dock, "Jc")[-4:] == [""] * 4
    dock.view.sortByColumn(column(dock, "file"), Qt.SortOrder.AscendingOrder)
    assert texts(dock, "file") == [f"image {k}.png" for k in range(20)]


def test_clicks_select_and_what_is_not_shown_stays_selected(qtbot, dock, session) -> None:
    session.selection.replace([0, 1])
    dock.search.setText("F002")
    assert dock.model.rowCount() == 5
    click(qtbot, dock, 0)
    click(qtbot, dock, 2, Qt.KeyboardModifier.ControlModifier)
    assert session.selection.rows.tolist() == [0, 1, 2, 10]
    session.undo()
    assert session.selection.rows.tolist() == [0, 1, 2]
    assert dock.view.selected_lines.tolist() == [0]


def test_the_selection_is_shown_also_in_another_order_and_told_to_nobody(dock, session) -> None:
    told = []
    session.selection.replace([3, 4, 9])
    session.selection.changed.connect(told.append)
    dock.view.sortByColumn(column(dock, "Jc"), Qt.SortOrder.AscendingOrder)
    assert sorted(dock.model.order[dock.view.selected_lines].tolist()) == [3, 4, 9]
    session.selection.replace([5])
    assert dock.model.order[dock.view.selected_lines].tolist() == [5]
    assert len(told) == 1


def test_keys_select(qtbot, dock, session) -> None:
    click(qtbot, dock, 0)
    qtbot.keyClick(dock.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert session.selection.rows.tolist() == [0, 1]
    qtbot.keyClick(dock.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(session.selection) == 20


def test_out_of_scope_is_hidden_and_excluded_is_struck_through(dock, session) -> None:
    session.use_only(Filter("film", ("F001", "F002")))
    assert set(texts(dock, "film")) == {"F001", "F002"} and dock.model.rowCount() == 10
    session.exclude([1], "crack")
    fonts = {
        int(dock.model.order[line]): dock.model.data(dock.model.index(line, 1), Qt.ItemDataRole.FontRole)
        for line in range(10)
    }
    assert [row for row, font in fonts.items() if font is not None and font.strikeOut()] == [1]
    dock.which.setCurrentText("Excluded")
    assert dock.model.order.tolist() == [1]
    session.undo()
    assert dock.model.rowCount() == 0


def test_only_the_selected_ones_are_shown_on_demand(dock, session) -> None:
    dock.which.setCurrentText("Selected")
    session.selection.replace([2, 7])
    assert dock.model.order.tolist() == [2, 7]
    dock.which.setCurrentText("Not selected")
    assert dock.model.rowCount() == 18


def test_samples_have_means_and_stand_for_their_images(qtbot, dock, session) -> None:
    dock.what.setCurrentIndex(1)
    columns = session.atlas.columns
    assert texts(dock, "film") == ["F000", "F001", "F002", "F003"] and texts(dock, "images") == ["5"] * 4
    means = columns.groupby("film")["Jc"].mean()
    np.testing.assert_allclose([float(text) for text in texts(dock, "Jc")], means.to_numpy(), rtol=1e-5)
    click(qtbot, dock, 1)
    assert session.selection.rows.tolist() == [1, 5, 9, 13, 17]
    session.selection.replace([0, 4, 8, 12, 16, 1])
    assert dock.view.selected_lines.tolist() == [0]
    session.use_only(Filter("film", ("F001",)))
    assert texts(dock, "film") == ["F001"]


def test_a_double_click_opens_the_micrograph(qtbot, dock, session) -> None:
    opened = []
    session.opened.connect(opened.append)
    place = dock.view.visualRect(dock.model.index(3, 1)).center()
    qtbot.mouseClick(dock.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(dock.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened == [3] and session.current == 3


def test_lines_are_copied_as_a_spreadsheet_takes_them(qtbot, dock, session) -> None:
    dock.view.sortByColumn(column(dock, "file"), Qt.SortOrder.DescendingOrder)
    session.selection.replace([3, 4])
    qtbot.keyClick(dock.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert [line[lines[0].index("file")] for line in lines[1:]] == ["image 4.png", "image 3.png"]


@pytest.mark.parametrize("samples", [False, True])
def test_what_is_shown_is_written_as_csv_in_its_order(dock, session, tmp_path: Path, samples: bool) -> None:
    dock.what.setCurrentIndex(int(samples))
    dock.view.sortByColumn(column(dock, "Jc"), Qt.SortOrder.DescendingOrder)
    dock.search.setText("f001")
    dock.save_to(tmp_path / "t.csv")
    written = pd.read_csv(tmp_path / "t.csv")
    assert written["film"].unique().tolist() == ["F001"] and len(written) == (1 if samples else 5)
    assert written["Jc"].dropna().is_monotonic_decreasing


def test_a_right_click_speaks_of_the_selection_or_of_the_line(qtbot, dock, session) -> None:
    told = []
    dock.menu_wished.connect(lambda rows, place: told.append((rows.tolist(), type(place))))
    session.selection.replace([0, 1])
    for line in (1, 5):
        place = dock.view.visualRect(dock.model.index(line, 1)).center()
        qtbot.mousePress(dock.view.viewport(), Qt.MouseButton.RightButton, pos=place)
    assert told == [([0, 1], QPoint), ([5], QPoint)] and session.selection.rows.tolist() == [0, 1]


def test_thumbnails_come_for_what_is_in_sight_only(qtbot, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "films").mkdir()
    for k in range(40):
        Image.fromarray(rng.integers(0, 255, (30, 40), np.uint8)).save(tmp_path / "films" / f"{k:02}.png")
    session = Session(cache=tmp_path / "kept")
    session.open(Folder(tmp_path / "films"))
    dock = TableDock(session)
    qtbot.addWidget(dock)
    dock.resize(600, 300)
    dock.show()

    def shown(line: int) -> bool:
        return dock.model.data(dock.model.index(line, PICTURE), Qt.ItemDataRole.DecorationRole) is not None

    qtbot.waitUntil(lambda: shown(0) and shown(3), timeout=5000)
    assert not shown(39)
    dock.view.scrollToBottom()
    qtbot.waitUntil(lambda: shown(39), timeout=5000)
    session.workshop.close()


def test_a_hundred_thousand_lines_are_no_burden(qtbot) -> None:
    session = Session()
    session.open_atlas(atlas_of(100_000, samples=2_000))
    dock = TableDock(session)
    qtbot.addWidget(dock)
    dock.show()
    dock.view.sortByColumn(column(dock, "Jc"), Qt.SortOrder.AscendingOrder)
    dock.search.setText("f001")
    assert dock.model.rowCount() == 50 and set(texts(dock, "film")) == {"F001"}
    dock.search.clear()
    session.selection.replace(np.arange(0, 100_000, 2))
    assert len(dock.view.selected_lines) == 50_000
    dock.what.setCurrentIndex(1)
    assert dock.model.rowCount() == 2_000

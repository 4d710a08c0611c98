"""The report about a property: one file, true numbers, readable sentences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from napari_micromap.atlas import Atlas
from napari_micromap.cli import main
from napari_micromap.layouts.pca import Pca
from napari_micromap.problems import Problem
from napari_micromap.report import page_of, summary_of, write_report
from napari_micromap.session import Session
from napari_micromap.sources.films import Films

KEYS = {
    "verdict", "sentence", "p", "q2", "q2_chance_95", "samples", "micrographs", "minimum_r2", "within_batch",
    "new_batch", "adjusted", "confounders", "rests_on", "tests_so_far",
}  # fmt: skip


@pytest.fixture
def tested(linked_atlas: Atlas) -> Session:
    session = Session()
    session.open_atlas(linked_atlas, "PCA")
    session.questions.test("Jc (MA/cm²)")
    return session


def test_the_report_is_one_file_that_needs_no_network(tested: Session, tmp_path: Path) -> None:
    text = write_report(tmp_path / "r.html", tested, "Jc (MA/cm²)").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"?(https?:|//|file:)", text)
    assert text.count("data:image/png") >= 3
    for told in ("goes along with the structure", "not a cause", "60 images of 20 films", "abc123", ".questions.test("):
        assert told in text


def test_the_naive_numbers_stand_in_the_appendix_only_and_are_called_wrong(tested: Session) -> None:
    page = page_of(tested, "Jc (MA/cm²)")
    before, appendix = page.split("<section class=appendix>")
    assert "Permuting images" in appendix and "Random split" in appendix and "wrong" in appendix
    assert "Permuting images" not in before


def test_the_summary_has_all_keys_and_no_nan(tested: Session) -> None:
    summary = json.loads(json.dumps(summary_of(tested.questions.answers["Jc (MA/cm²)"]), allow_nan=False))
    assert set(summary) == KEYS
    assert summary["verdict"] == "real" and summary["samples"] == 20 and summary["micrographs"] == 60
    assert summary["within_batch"]["p"] == summary["p"] and summary["new_batch"]["batches"] == 2


def test_exclusions_stand_in_the_report_with_their_reasons(tested: Session) -> None:
    tested.exclude([0, 1], "charging")
    tested.questions.test("Jc (MA/cm²)")
    page = page_of(tested, "Jc (MA/cm²)")
    assert "Excluded: charging" in page and "58 images of 20 films" in page


def test_names_of_a_users_table_cannot_break_the_page(linked_atlas: Atlas) -> None:
    atlas = linked_atlas
    evil = "<script>alert(1)</script> (MA)"
    columns = atlas.columns.rename(columns={"Jc (MA/cm²)": evil})
    session = Session()
    session.open_atlas(atlas.with_columns(columns, {evil: "property"}), "PCA")
    session.questions.test(evil)
    assert "<script>" not in page_of(session, evil)


def test_a_property_that_was_not_tested_has_no_report(tested: Session, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="Test made first"):
        write_report(tmp_path / "r.html", tested, "made")


def test_the_command_prints_one_object_and_writes_the_page(
    linked_atlas: Atlas, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session()
    session.open_atlas(linked_atlas, "PCA")
    session.save(tmp_path / "s.micromap")
    out = tmp_path / "r.html"
    call = [
        "report",
        str(tmp_path / "s.micromap"),
        "--property",
        "Jc",
        "--adjust",
        "um_per_px",
        "-o",
        str(out),
        "--json",
    ]
    assert main(call) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == KEYS and out.stat().st_size > 50_000
    assert main([*call[:3], "Tc", *call[4:]]) == 1
    assert "There is no column “Tc”" in capsys.readouterr().err


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Real pictures of made-up films, tested for what they show."""
    session = Session(cache=tmp_path_factory.mktemp("cache"))
    session.open(Films(24, 2, seed=3, folder=tmp_path_factory.mktemp("films")))
    session.embed()
    session.lay_out(Pca())
    session.questions.test("Jc (MA/cm²)", batch="")
    return session


def test_the_report_shows_where_a_property_shows_with_a_scale_in_its_unit(films: Session) -> None:
    page = page_of(films, "Jc (MA/cm²)")
    before, shown = page.split("<h2>Where it shows</h2>")
    shown = shown.split("<h2>")[0]
    assert "raises" not in before and "no cause" in shown
    pairs = shown.count("<div class=pair>")
    assert pairs == 8 and shown.count("data:image/jpeg") == 2 * pairs and shown.count("data:image/png") == 1
    assert shown.count("against the mean") >= pairs


def test_the_report_says_why_no_place_is_shown(tested: Session) -> None:
    page = page_of(tested, "Jc (MA/cm²)")
    assert "Not shown: These vectors were not made from the images here" in page


def test_the_report_is_written_from_the_tab_beside_other_work_and_opened_on_request(
    linked_atlas: Atlas, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtGui import QDesktopServices

    from napari_micromap.views.panels.property import PropertyPanel
    from napari_micromap.views.threads import Lanes

    lanes = Lanes()
    session = Session(run=lanes)
    session.open_atlas(linked_atlas, "PCA")
    panel = PropertyPanel(session)
    qtbot.addWidget(panel)
    lanes.busy_changed.connect(lambda lane, busy: panel.report.show_busy(busy) if lane == "report" else None)
    assert panel.report.isHidden()
    session.questions.test("Jc (MA/cm²)")
    lanes.wait_idle()
    panel.report.write(tmp_path / "told.html")
    assert not panel.report.begin.isEnabled() and not panel.report.cancel.isHidden()
    lanes.wait_idle()
    assert "goes along with the structure" in (tmp_path / "told.html").read_text(encoding="utf-8")
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    panel.report.open.click()
    assert opened == [str(tmp_path / "told.html")] and panel.report.progress.text() == "told.html is written"
    failed: list[str] = []
    lanes.failed.connect(failed.append)
    panel.report.write(tmp_path / "nowhere" / "told.html")
    lanes.wait_idle()
    assert len(failed) == 1 and failed[0].startswith("Nothing can be written to") and panel.report.open.isHidden()
    lanes.shutdown()

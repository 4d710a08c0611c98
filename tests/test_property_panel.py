"""The tabs below the map, on real widgets."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from napari_micromap.atlas import Atlas
from napari_micromap.questions.inquiry import measuring_errors
from napari_micromap.session import Session
from napari_micromap.session.scope import Filter
from napari_micromap.views.controls import Choice, Roomy
from napari_micromap.views.map.view import MapView
from napari_micromap.views.panels.inside import InsidePanel
from napari_micromap.views.panels.property import PropertyPanel
from napari_micromap.views.panels.samples import SamplesPanel
from napari_micromap.views.plots import Scatter
from napari_micromap.views.tabs import Tabs

JC = "Jc (MA/cm²)"


@pytest.fixture
def session(linked_atlas: Atlas) -> Session:
    opened = Session()
    opened.open_atlas(linked_atlas, "PCA")
    opened.color_by = JC
    return opened


def test_one_click_tests_the_property_and_the_sentence_comes_first(qtbot: QtBot, session: Session) -> None:
    panel = PropertyPanel(session)
    qtbot.addWidget(panel)
    assert panel.test.text() == "Test Jc" and panel.sentence.isHidden()
    panel.test.click()
    assert panel.sentence.text().startswith("Jc goes along with the structure.")
    assert panel.details.isHidden() and not panel.prediction.isHidden() and not panel.null.isHidden()
    panel.unfold.click()
    assert not panel.details.isHidden() and "held-out Q²" in panel.details.text()


def test_a_long_name_takes_no_room_and_the_verdict_stays_in_sight(qtbot: QtBot, session: Session) -> None:
    columns = session.atlas.columns.rename(columns={JC: "critical current density in self-field"})
    panel = PropertyPanel(session)
    session.open_atlas(session.atlas.with_columns(columns, {"critical current density in self-field": "property"}))
    area = Roomy(panel)
    qtbot.addWidget(area)
    area.resize(330, 160)
    area.show()
    assert panel.minimumSizeHint().width() <= 330 and panel.test.text() == "Test"
    panel.test.setFocus()
    panel.test.click()
    assert not panel.sentence.isHidden() and area.verticalScrollBar().value() == 0


def test_with_few_samples_nothing_is_drawn(qtbot: QtBot, session: Session) -> None:
    panel = PropertyPanel(session)
    qtbot.addWidget(panel)
    few = session.atlas.samples.dropna().unique()[:4]
    session.use_only(Filter(session.atlas.sample_column, tuple(map(str, few))))
    session.questions.test(JC)
    assert panel.sentence.text().startswith("Too few") and panel.prediction.isHidden() and panel.null.isHidden()


def test_what_is_offered_becomes_a_filter(qtbot: QtBot, session: Session) -> None:
    rng = np.random.default_rng(0)
    atlas = session.atlas
    scale = atlas.columns["um_per_px"].to_numpy(float)
    shown = (atlas.embeddings + 8 * np.log(scale)[:, None] * rng.standard_normal(24)).astype(np.float32)
    session.open_atlas(atlas.with_embeddings(shown, {}))
    panel = PropertyPanel(session)
    qtbot.addWidget(panel)
    session.questions.test(JC)
    assert "sorted by pixel size" in panel.sentence.text() and panel.offer.text().startswith("Use only ")
    panel.offer.click()
    assert len(session.used) == 20


def test_a_lasso_shows_inside_against_outside_and_what_it_may_claim(qtbot: QtBot, session: Session) -> None:
    panel = InsidePanel(session)
    qtbot.addWidget(panel)
    assert panel.bars.isHidden() and panel.sentence.isHidden()
    session.selection.replace(np.argsort(session.atlas.columns[JC].to_numpy())[:18])
    assert not panel.bars.isHidden() and "of reshuffles some region as large" in panel.sentence.text()
    session.selection.clear()
    assert panel.bars.isHidden() and panel.sentence.isHidden()


def test_samples_are_one_dot_each_with_arrows_along_processing(qtbot: QtBot, session: Session) -> None:
    atlas = session.atlas
    steps = (np.arange(60) // 3 // 5).astype(float)  # four values
    session.open_atlas(atlas.with_columns(atlas.columns.assign(time_min=steps), {"time_min": "processing"}), "PCA")
    panel = SamplesPanel(session)
    qtbot.addWidget(panel)
    assert len(panel.plot.centers) == 20 and not panel.plot.arrows
    panel.along.show_choice(Choice("time_min", "time_min"))
    panel.show_now()
    assert len(panel.plot.arrows) == 3
    assert np.allclose(panel.plot.centers[0], session.map.positions[:3].mean(axis=0), atol=1e-5)


def test_only_the_page_of_the_chosen_tab_is_shown(qtbot: QtBot, session: Session) -> None:
    pages = [PropertyPanel(session), SamplesPanel(session)]
    tabs = Tabs([("Property", pages[0], ""), ("Samples", pages[1], "")])
    qtbot.addWidget(tabs)
    tabs.bar.setCurrentIndex(1)
    assert pages[0].isHidden() and not pages[1].isHidden()


def test_one_click_colors_the_map_by_where_it_can_be_read(qtbot: QtBot, session: Session) -> None:
    panel = SamplesPanel(session)
    qtbot.addWidget(panel)
    panel.reliable.click()
    assert session.color_by == "Map reliable here"
    assert "about 70 % is usual" in panel.told.text()


def test_how_images_were_taken_is_drawn_behind_the_details(qtbot: QtBot, session: Session) -> None:
    panel = PropertyPanel(session)
    qtbot.addWidget(panel)
    panel.test.click()
    assert panel.imaging.isHidden()
    panel.unfold.click()
    assert not panel.imaging.isHidden()
    drawn = [plot.toolTip() for plot in panel.imaging.findChildren(Scatter)]
    assert any("by pixel size" in tip for tip in drawn) and len(drawn) == len(session.questions.answers[JC].suspects)


def test_a_region_that_reshuffles_hardly_reach_is_outlined_and_noise_is_not(qtbot: QtBot, session: Session) -> None:
    view = MapView(session)
    qtbot.addWidget(view)
    inside = InsidePanel(session)
    qtbot.addWidget(inside)
    session.questions.test(JC)
    scan = session.questions.scan_of(JC)
    region = None if scan is None else scan.outlined()
    assert region is not None
    x, y, radius, words = view.canvas.region
    assert (np.linalg.norm(session.map.positions - (x, y), axis=1) <= radius + 1e-6).sum() >= len(region.rows)
    assert words.startswith("Jc ") and "here, p = " in words
    session.color_by = "um_per_px"
    assert view.canvas.region is None


def test_errors_of_measuring_are_found_beside_the_property(session: Session) -> None:
    atlas = session.atlas
    session.open_atlas(atlas.with_columns(atlas.columns.assign(**{"Jc_sd": 0.2}), {"Jc_sd": "other"}), "PCA")
    session.questions.test(JC)
    errors = measuring_errors(session.atlas, session.questions.answers[JC])
    assert errors is not None and np.allclose(errors, 0.2) and len(errors) == 20

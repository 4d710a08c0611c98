"""What users set in napari's Preferences, and what is kept on disk."""

from __future__ import annotations

import os

import numpy as np
import pytest
from npe2 import PluginManager
from qtpy.QtCore import Qt

from napari_micromap.backbones import BACKBONES
from napari_micromap.places import cache_bytes, cache_folder
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.store.embeddings import EmbeddingCache
from napari_micromap.store.room import kept_in
from napari_micromap.store.thumbnails import Thumbnails
from napari_micromap.streaming import processors
from napari_micromap.views import preferences
from napari_micromap.views.contributions import open_dock
from napari_micromap.views.panels.more import MorePanel
from napari_micromap.views.panels.storage import StorageWindow
from napari_micromap.views.preferences import PAGE, PLUGIN, follow_preferences, open_preferences

VARIABLES = ("MICROMAP_CACHE_GB", "MICROMAP_THREADS", "MICROMAP_DEVICE")


@pytest.fixture
def general(qapp, tmp_path, monkeypatch):
    """The plugin's settings as napari keeps them, in a folder of the test."""
    from napari import settings

    for variable in (*VARIABLES, preferences._OURS):
        monkeypatch.setenv(variable, "")  # so that it is put back
        monkeypatch.delenv(variable)
    PluginManager.instance().discover()
    settings.reset_plugin_settings() if hasattr(
        settings, "reset_plugin_settings"
    ) else settings._PLUGIN_SETTINGS.clear()
    found = settings.get_plugin_settings(PLUGIN, path_dir=tmp_path)
    follow_preferences()
    yield found.general
    found.general.events.disconnect()
    settings._PLUGIN_SETTINGS.clear()


def test_a_change_in_preferences_holds_at_once(general):
    general.threads, general.cache_gb, general.device = 1, 0.5, "cpu"
    assert processors() == 1
    assert cache_bytes() == 500_000_000
    assert os.environ["MICROMAP_DEVICE"] == "cpu"
    general.threads = 0
    assert "MICROMAP_THREADS" not in os.environ


def test_what_was_set_before_napari_started_wins(general, own_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROMAP_THREADS", "3")
    general.cache_folder, general.threads = str(tmp_path / "elsewhere"), 2
    assert cache_folder() == own_cache, "the test's own variable"
    assert os.environ["MICROMAP_THREADS"] == "3"


def test_preferences_are_kept_for_the_next_start(general, tmp_path):
    general.backbone = "resnet18"
    assert "resnet18" in (tmp_path / f"{PLUGIN}.yaml").read_text()


def test_the_preferred_feature_extractor_is_taken_where_nothing_else_is_chosen(general, qtbot):
    general.backbone = "resnet18"
    panel = MorePanel()
    qtbot.addWidget(panel)
    assert BACKBONES.name_of(panel.backbone) == "resnet18"
    panel.show()
    assert BACKBONES.name_of(panel.backbone) == "resnet18"


def test_every_network_that_preferences_offer_is_there(general):
    offered = type(general).model_json_schema()["properties"]["backbone"]["enum"]
    assert set(offered) <= set(BACKBONES)
    assert offered[0] == next(iter(BACKBONES)) == general.backbone


def test_preferences_open_at_the_plugins_page(general, make_napari_viewer_proxy):
    viewer = getattr(make_napari_viewer_proxy(show=True), "__wrapped__", None)
    dock = open_dock(viewer)
    assert "Preferences…" in [action.text() for action in dock.menu.actions()]
    open_preferences(viewer)
    dialog = viewer.window._pref_dialog
    assert dialog._list.currentItem().text() == PAGE
    dialog.close()


def test_clear_empties_the_cache_while_it_is_open_and_what_is_needed_is_made_again(own_cache):
    session = Session()
    embeddings, thumbnails = session.workshop.embeddings, session.workshop.thumbnails
    embeddings.put({str(k): np.ones(1280, np.float32) for k in range(500)})
    thumbnails.put("a", np.zeros((64, 64), np.uint8))
    (own_cache / "embeddings.damaged-20200101-000000.sqlite").write_bytes(b"x" * 100)
    before = kept_in(own_cache)
    assert before["embeddings"] > 500 * 1280 * 4 and before["thumbnails"] > 0 and before["other"] >= 100
    told = []
    session.cleared.connect(told.append)
    session.clear_kept()
    assert told[0] == kept_in(own_cache) and told[0]["embeddings"] < 100_000 and told[0].get("other", 0) == 0
    assert embeddings.get(["1"]) == {} and thumbnails.get("a") is None
    embeddings.put({"1": np.ones(8, np.float32)})
    assert "1" in embeddings.get(["1"])
    session.workshop.close()


def test_a_cache_that_another_program_holds_is_named_with_the_remedy(own_cache, monkeypatch):
    import sqlite3

    monkeypatch.setattr("napari_micromap.store.database.BUSY", 0.1)
    cache = EmbeddingCache(own_cache)
    cache.put({"a": np.ones(8, np.float32)})
    cache.close()
    with sqlite3.connect(own_cache / "embeddings.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Problem, match="wait until other windows"):
            Session().clear_kept()
        other.execute("ROLLBACK")
    other.close()
    assert "a" in cache.get(["a"])
    cache.close()


def test_the_storage_window_tells_place_and_sizes_and_clears_by_a_click(qtbot, own_cache):
    noise = np.random.default_rng(0).integers(0, 255, (800, 800), np.uint8)
    Thumbnails(own_cache).put("a", noise)
    session, asked = Session(), []
    window = StorageWindow(session, lambda: asked.append(1))
    qtbot.addWidget(window)
    window.show()
    assert str(own_cache) in window.told.text()
    assert window.sizes["thumbnails"].text() not in ("0 MB", "under 0.1 MB")
    qtbot.mouseClick(window.clear, Qt.MouseButton.LeftButton)
    assert Thumbnails(own_cache).get("a") is None
    assert window.sizes["thumbnails"].text() == "under 0.1 MB"

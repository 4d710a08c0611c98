"""What napari finds of the plugin: menus, reader, sample data, widget."""

from __future__ import annotations

from pathlib import Path

import napari
import numpy as np
import pytest
from npe2 import PluginManager, PluginManifest
from qtpy.QtWidgets import QFileDialog

import napari_micromap
from napari_micromap.views.contributions import PLUGIN, TITLE, films, open_dock, session_reader
from napari_micromap.views.dock import MicromapDock
from napari_micromap.views.sessions import lanes_of

MANIFEST = Path(napari_micromap.__file__).parent / "napari.yaml"


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    return getattr(viewer, "__wrapped__", viewer)


def test_the_manifest_is_valid_and_all_that_it_names_is_there():
    manifest = PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.name == PLUGIN


def test_the_link_in_the_root_is_the_manifest_of_the_package():
    link = MANIFEST.parents[2] / "napari.yaml"
    if not link.exists():
        pytest.skip("not a checkout")
    assert link.resolve() == MANIFEST.resolve()


@pytest.fixture(autouse=True)
def plugins() -> PluginManager:
    """Find the plugins that are installed, as napari does when it starts."""
    manager = PluginManager.instance()
    manager.discover()
    return manager


def test_napari_finds_the_installed_plugin(plugins):
    assert plugins.get_manifest(PLUGIN).display_name == TITLE


def test_a_dropped_folder_is_not_claimed_and_a_saved_map_is(tmp_path, plugins):
    def claimed(path: Path) -> bool:
        return any(reader.plugin_name == PLUGIN for reader in plugins.iter_compatible_readers([str(path)]))

    folder = tmp_path / "films.micromap"
    folder.mkdir()
    entry = folder / "open.micromap"
    entry.write_text("{}")
    image = tmp_path / "a.tif"
    image.write_bytes(b"")
    assert claimed(entry)
    assert not any(map(claimed, (folder, tmp_path, image)))
    assert session_reader(str(entry)) is not None
    assert session_reader(str(folder)) is None
    assert session_reader([str(entry), str(image)]) is None


def test_the_plugin_menu_opens_the_dock_and_asks_for_it_twice_without_making_two(viewer):
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    assert isinstance(dock, MicromapDock)
    assert open_dock(viewer) is dock
    assert dock.viewer is viewer


@pytest.mark.parametrize(
    ("menu", "command"),
    [
        ("napari/layers/visualize", "napari-micromap.map_selected_layers"),
        ("napari/layers/visualize", "napari-micromap.dock"),
        ("napari/file/io_utilities", "napari-micromap.open_folder"),
    ],
)
def test_the_commands_stand_in_napari_s_menus(viewer, menu, command):
    from napari._app_model import get_app_model

    assert command in [item.command.id for item in get_app_model().menus.get_menu(menu) if hasattr(item, "command")]


def test_map_selected_layers_opens_only_these(viewer, qtbot):
    from napari._app_model import get_app_model

    pictures = np.random.default_rng(0).integers(0, 255, (3, 40, 50), np.uint8)
    layers = [viewer.add_image(picture, name=f"film {k}") for k, picture in enumerate(pictures)]
    viewer.layers.selection = set(layers[:2])
    get_app_model().commands.execute_command("napari-micromap.map_selected_layers").result()
    session = open_dock(viewer).session
    lanes_of(session).wait_idle()
    assert sorted(session.atlas.columns["file"]) == ["film 0", "film 1"]


def test_open_folder_as_map_asks_for_a_folder(viewer, qtbot):
    from napari._app_model import get_app_model

    get_app_model().commands.execute_command("napari-micromap.open_folder").result()
    dialog = open_dock(viewer).findChild(QFileDialog)
    assert dialog is not None and dialog.isVisible()
    dialog.close()


def test_the_reader_opens_the_saved_map_in_the_current_viewer_and_adds_no_layer(viewer, tmp_path, qtbot):
    from napari_micromap.session import Session
    from napari_micromap.sources.films import Films

    saved = Session(cache=tmp_path / "cache")
    saved.open(Films(films=2, images=2, folder=tmp_path / "films"))
    saved.save(tmp_path / "mine.micromap")
    assert napari.current_viewer() is not None
    viewer.open(tmp_path / "mine.micromap" / "open.micromap", plugin=PLUGIN)
    session = open_dock(viewer).session
    lanes_of(session).wait_idle()
    assert session.saving.folder == tmp_path / "mine.micromap"
    assert len(session.atlas) == 4
    assert len(viewer.layers) == 0


def test_the_sample_data_is_one_stack_of_specimen_pixels(viewer):
    ((stack, looks, kind),) = films()
    assert kind == "image" and stack.ndim == 3 and len(stack) == 24
    assert looks["metadata"]["synthetic"]
    (layer,) = viewer.open_sample(PLUGIN, "films")
    assert layer.data.shape == stack.shape

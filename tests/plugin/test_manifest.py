"""What napari learns of the plugin."""

from __future__ import annotations

from importlib import import_module

import pytest
from app_model.types import KeyBinding
from napari._app_model.actions._layerlist_context_actions import LAYERLIST_CONTEXT_ACTIONS
from napari._qt._qapp_model.qactions import _file, _view
from napari.utils.shortcuts import default_shortcuts
from npe2 import PluginManifest

from napari_revsam2.plugin.layers import keys


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_distribution("napari-revsam2")


def test_the_manifest_is_valid_and_everything_it_names_can_be_imported(manifest):
    manifest.validate_imports()
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


def test_there_is_exactly_one_widget_so_that_napari_opens_it_without_asking(manifest):
    assert len(manifest.contributions.widgets) == 1


def test_nifti_is_read_and_labels_are_written_as_nifti_and_tiff(manifest):
    assert manifest.contributions.readers[0].filename_patterns == ["*.nii", "*.nii.gz"]
    endings = {end for writer in manifest.contributions.writers for end in writer.filename_extensions}
    assert endings == {".nii", ".nii.gz", ".tif", ".tiff"}


def test_shortcuts_take_no_key_of_napari():
    taken = {_parts(key) for keys in default_shortcuts.values() for key in keys}
    actions = [*_file.Q_FILE_ACTIONS, *_view.Q_VIEW_ACTIONS, *LAYERLIST_CONTEXT_ACTIONS]
    rules = [rule for action in actions for rule in action.keybindings or () if rule.primary]
    taken |= {_parts(KeyBinding.from_int(int(rule.primary))) for rule in rules}
    assert _parts("Alt+Shift+C") in taken  # copies a screenshot: the comparison sees such keys
    ours = {keys.NEXT_WORST, keys.PREVIOUS_WORST, keys.CONDITIONAL, keys.AGAIN}
    assert len(ours) == 4
    assert not {_parts(key) for key in ours} & taken


def _parts(key: object) -> frozenset[str]:
    return frozenset(str(key).split("+"))

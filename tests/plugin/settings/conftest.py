"""A form of settings that are kept in a file of the test's own."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QSettings

from napari_revsam2.plugin.settings.settings_form import SettingsForm


@pytest.fixture
def stored(tmp_path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def open_form(qtbot, stored):
    """Open the form as in a new session."""

    def open_form() -> SettingsForm:
        stored.sync()
        form = SettingsForm(QSettings(stored.fileName(), QSettings.Format.IniFormat))
        qtbot.addWidget(form)
        form.offer(100, 100)
        return form

    return open_form


@pytest.fixture
def form(open_form) -> SettingsForm:
    return open_form()

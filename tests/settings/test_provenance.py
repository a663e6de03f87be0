"""Where a result comes from."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from napari_revsam2.settings import provenance as module
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.provenance import plain_settings, provenance, versions


def test_the_grey_values_that_the_window_resolved_to_are_written_as_json_holds_them():
    limits = (np.float32(-160.0), np.float32(240.5))
    facts = json.loads(json.dumps(provenance(RevSAM2Config(), {"device": "cpu"}, limits, {0: (0.0, 90.0), 3: limits})))
    assert facts["limits"] == {"query": [-160.0, 240.5], "supports": {"0": [0.0, 90.0], "3": [-160.0, 240.5]}}
    assert facts["computed_with"] == {"device": "cpu"}


def test_grey_values_that_are_not_known_are_left_open():
    assert provenance(RevSAM2Config(), {})["limits"] == {"query": None, "supports": {}}


@pytest.mark.parametrize(
    "path",
    [
        "/home/patient_007/model.pt",
        "patient_007/model.pt",
        r"C:\patient_007\model.pt",
        "file:///patient_007/model.pt",
        "file://patient_007/model.pt",
        "file:///home%2Fpatient_007%2Fmodel.pt",
        "https://patient_007@host/model.pt?patient_007",
        "file://[patient_007/model.pt",
        "model.pt",
    ],
)
def test_of_a_checkpoints_path_only_the_files_name_is_told(path):
    assert plain_settings(RevSAM2Config(checkpoint=path))["checkpoint"] == "model.pt"


def test_packages_that_are_not_installed_are_left_out(monkeypatch):
    def version(package: str) -> str:
        if package == "monai":
            raise PackageNotFoundError(package)
        return "1"

    assert "monai" not in _versions_with(monkeypatch, version)
    assert {"python", "napari-revsam2", "torch", "sam2", "numpy"} <= set(versions())


def _versions_with(monkeypatch, version) -> dict[str, str]:
    monkeypatch.setattr(module, "version", version)
    return versions()

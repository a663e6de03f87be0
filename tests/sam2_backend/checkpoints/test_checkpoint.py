"""One notion of a checkpoint, wherever its weights come from."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.checkpoints.bundled import REVSAM2_MINI
from napari_revsam2.sam2_backend.checkpoints.checkpoint import find_checkpoint, known_checkpoints, sha256_of
from napari_revsam2.sam2_backend.checkpoints.published import PUBLISHED


def test_every_architecture_has_a_known_checkpoint_and_medsam2_is_one_more() -> None:
    assert list(known_checkpoints()) == [*(a.name for a in ARCHITECTURES), "medsam2"]


@pytest.mark.parametrize("name", known_checkpoints())
def test_a_known_one_is_found_by_its_name_and_told_about(name: str) -> None:
    checkpoint = find_checkpoint(name)
    assert checkpoint is known_checkpoints()[name]
    assert checkpoint.name == name
    assert not checkpoint.is_private
    assert checkpoint.about
    assert checkpoint.licence
    assert checkpoint.megabytes > 0


def test_only_the_bundled_one_is_available_at_first_and_knows_no_points() -> None:
    assert [c for c in known_checkpoints().values() if c.is_available] == [REVSAM2_MINI]
    assert [c for c in known_checkpoints().values() if not c.takes_points] == [REVSAM2_MINI]


def test_other_text_is_the_path_of_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    assert not find_checkpoint(str(path)).is_available
    path.touch()
    checkpoint = find_checkpoint(str(path))
    assert checkpoint.is_available
    assert checkpoint.is_private
    assert checkpoint.name == "weights.pt"
    assert checkpoint.takes_points
    with checkpoint.on_disk() as found:
        assert found == path


def test_a_file_named_like_a_known_one_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "medsam2").touch()
    assert find_checkpoint("medsam2") is PUBLISHED["medsam2"]
    assert find_checkpoint("./medsam2").is_private


def test_a_long_file_is_hashed_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "weights.pt").write_bytes(content)
    assert sha256_of(tmp_path / "weights.pt") == hashlib.sha256(content).hexdigest()


def test_to_list_checkpoints_loads_no_torch() -> None:
    script = (
        "import sys\n"
        "from napari_revsam2.sam2_backend.checkpoints.checkpoint import known_checkpoints\n"
        "print([c.is_available for c in known_checkpoints().values()], 'torch' in sys.modules)\n"
    )
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert printed.startswith("[True, False")
    assert printed.endswith("False\n")

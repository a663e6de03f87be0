"""A checkpoint in a file of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_revsam2.sam2_backend.checkpoints.from_file import FileCheckpoint
from napari_revsam2.vocabulary.errors import CheckpointError

NAMES = ("revsam2-mini", "sam2-hiera-tiny")


def test_a_file_tells_its_name_and_size(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(bytes(3_100_000))
    assert (FileCheckpoint(path).name, FileCheckpoint(path).megabytes) == ("weights.pt", 3)


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("revsam2_mini", r"did you mean revsam2-mini\?"),
        ("sam3", "choose a file, or one of revsam2-mini, sam2-hiera-tiny"),
    ],
)
def test_a_missing_file_may_be_a_name_that_was_meant(text: str, ending: str) -> None:
    with pytest.raises(CheckpointError, match=f"^There is no checkpoint '{text}': {ending}"):
        FileCheckpoint(Path(text), NAMES).on_disk()


def test_a_file_in_a_folder_that_cannot_be_looked_into_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "is_file", refuse)  # asks elsewhere in newer versions of Python
    checkpoint = FileCheckpoint(Path("weights.pt"))
    assert not checkpoint.is_available
    with pytest.raises(CheckpointError, match=r"^weights.pt can't be read \(Permission denied\): choose"):
        checkpoint.on_disk()

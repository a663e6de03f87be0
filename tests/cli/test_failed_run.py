"""A run that fails halfway leaves everything as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_revsam2.cli import main
from napari_revsam2.sam2_backend.cache.cache_folder import embedding_files
from napari_revsam2.sam2_backend.checkpoints.weights import load_model

from .conftest import Files


@pytest.mark.parametrize(
    ("name", "keeps_embeddings"),
    [("image_encoder.trunk.patch_embed.proj.bias", False), ("sam_mask_decoder.conv_s0.bias", True)],
)
def test_a_network_that_overflows_ends_with_1_and_one_sentence_and_nothing_is_written(
    name: str, keeps_embeddings: bool, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = load_model("revsam2-mini").state_dict()
    weights[name][...] = 3e38  # finite, but too large to compute with
    torch.save({"model": weights}, tmp_path / "large.pt")
    files.output.write_bytes(b"the old mask")
    scores, figure = tmp_path / "scores.csv", tmp_path / "figure.png"
    more = ["--checkpoint", str(tmp_path / "large.pt"), "--scores", str(scores), "--figure", str(figure)]
    assert main([*files.arguments(), *more]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("napari-revsam2: The network computed values that are NaN or infinite")
    assert files.output.read_bytes() == b"the old mask"
    assert not scores.exists()
    assert not figure.exists()
    assert bool(embedding_files()) is keeps_embeddings

"""A network whose numbers aren't finite gives no result: neither from its file nor from a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_revsam2.engine.propagator import MemoryBank, Remembered
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES, MINI
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.prompted_video import ArrayVideoPredictor, Points, PromptedVideo
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.vocabulary.errors import CheckpointError, RunError

LIMITS = (0.0, 1.0)
SLICES = list(np.random.default_rng(0).random((2, 20, 20)))
SMALL = [a for a in ARCHITECTURES if "tiny" in a.name or a is MINI]


def saved(weights: dict[str, torch.Tensor], path) -> str:
    if path.suffix == ".pt":
        torch.save({"model": weights}, path)
    else:
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    return str(path)


@pytest.mark.parametrize("architecture", SMALL, ids=lambda a: a.name)
@pytest.mark.parametrize(("ending", "number"), [(".pt", float("nan")), (".safetensors", -float("inf"))])
def test_a_single_weight_that_is_not_finite_is_refused_with_file_and_tensor(architecture, ending, number, tmp_path):
    weights = architecture.build(image_size=64).state_dict()
    name = "memory_encoder.out_proj.bias"
    weights[name] = weights[name].clone()
    weights[name][0] = number
    path = saved(weights, tmp_path / f"bad{ending}")
    with pytest.raises(CheckpointError, match=rf"^{path} can't be used: '{name}' has weights that are NaN or infinite"):
        load_model(path, image_size=64)


def test_weights_that_are_infinite_in_single_precision_are_refused(tmp_path):
    weights = {name: tensor.double() for name, tensor in MINI.build().state_dict().items()}
    weights["no_mem_embed"][...] = 1e300
    with pytest.raises(CheckpointError, match="'no_mem_embed' has weights that are NaN or infinite"):
        load_model(saved(weights, tmp_path / "large.pt"))


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64, torch.float8_e5m2])
@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_weights_of_a_type_that_is_no_floating_point_type_are_refused_with_file_and_tensor(kind, ending, tmp_path):
    weights = MINI.build().state_dict()
    weights["no_mem_embed"] = weights["no_mem_embed"].to(kind)
    path = saved(weights, tmp_path / f"bad{ending}")
    with pytest.raises(CheckpointError, match=rf"^{path} can't be used: 'no_mem_embed' is of type \w+, where weights"):
        load_model(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_weights_of_any_floating_point_type_are_loaded(kind, ending, tmp_path):
    weights = {name: tensor.to(kind) for name, tensor in MINI.build().state_dict().items()}
    loaded = load_model(saved(weights, tmp_path / f"good{ending}")).state_dict()
    torch.testing.assert_close(loaded["no_mem_embed"], weights["no_mem_embed"].float(), rtol=0, atol=0)


SPOILED = [
    "image_encoder.trunk.patch_embed.proj.bias",
    "memory_attention.norm.bias",
    "memory_encoder.out_proj.bias",
    "sam_mask_decoder.output_upscaling.0.bias",
]


@pytest.mark.parametrize("architecture", SMALL, ids=lambda a: a.name)
@pytest.mark.parametrize("name", SPOILED)
def test_a_run_whose_numbers_are_not_finite_anywhere_fails(architecture, name):
    torch.manual_seed(0)
    network = Sam2Propagator(architecture.build(64))
    with torch.no_grad():
        network.model.get_parameter(name)[0] = torch.nan
        if network.model.pred_obj_scores:  # the object is present; where it isn't, the decoder's logits aren't used
            network.model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias[...] = 100
    with pytest.raises(RunError, match=r"NaN or infinite, so there is no result: set the precision"):
        segment(network)


def segment(network: Sam2Propagator) -> None:
    """Segment the second slice from the first."""
    embeddings = network.embed(SLICES, [LIMITS] * 2)
    (memory,) = network.remember_masks(embeddings[:1], [np.ones((20, 20), bool)])
    network.segment(embeddings[1:], [MemoryBank(1, 2, (Remembered(0, memory),))])


@pytest.mark.parametrize("architecture", SMALL, ids=lambda a: a.name)
def test_a_prompted_slice_whose_numbers_are_not_finite_fails(architecture):
    predictor = architecture.build(64, ArrayVideoPredictor)
    with torch.no_grad():
        predictor.sam_mask_decoder.transformer.norm_final_attn.bias[0] = torch.nan
    clicks = Points(np.array([[3, 3]]), np.array([True]))
    with pytest.raises(RunError, match="NaN or infinite"):
        PromptedVideo(predictor).open_slice(SLICES[0], LIMITS).segment(clicks)

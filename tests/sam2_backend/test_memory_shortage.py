"""A device whose memory is too small, played by functions that refuse large batches as PyTorch does."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_revsam2.cli import main
from napari_revsam2.engine.events import RunFinished
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend import sam2_memory, sam2_propagator
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.device import translated_memory_errors
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError
from napari_revsam2.volume_files.file_problem import open_problem

CONFIG = RevSAM2Config(n_support=2, top_k=2)
STEPS = ["embed_slices", "remember_masks", "segment_from_memory"]


SHORTAGES = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB, max allowed: 9.07 GB)."),
    "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"),
    "windows": RuntimeError("[enforce fail at alloc_cpu.cpp:72] DefaultCPUAllocator: not enough memory: you tried"),
}


@pytest.fixture
def shrink(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a step of the network take no more than so many slices at once."""

    def shrink(step: str, most: int, shortage: str = "cuda") -> None:
        compute = getattr(sam2_memory, step)

        def limited(model: Any, batch: Any, *others: Any) -> Any:
            count = len(batch) if isinstance(batch, torch.Tensor) else len(batch.top)
            if count > most:
                raise SHORTAGES[shortage]
            return compute(model, batch, *others)

        monkeypatch.setattr(sam2_memory, step, limited)

    return shrink


def run(propagator: Sam2Propagator) -> RunFinished:
    """Run on a few slices of the sample data."""
    problem = open_problem(list(sample_supports()), sample_query()[0], CONFIG)
    query = type(problem.query)(problem.query.slices[12:17], problem.query.limits)
    *_, last = run_revsam2(propagator, problem.supports, query, CONFIG, (1,))
    assert isinstance(last, RunFinished)
    return last


@pytest.mark.parametrize("step", STEPS)
def test_short_of_memory_the_batch_is_halved_and_the_result_is_the_same(step: str, shrink: Callable[..., None]) -> None:
    model = load_model("revsam2-mini")
    expected = run(Sam2Propagator(model))
    propagator = Sam2Propagator(model, batch_size=4)
    shrink(step, 1)
    found = run(propagator)
    assert propagator.batch_size == 1
    np.testing.assert_array_equal(found.segmentation, expected.segmentation)


@pytest.mark.parametrize("shortage", SHORTAGES)
def test_the_shortage_of_every_device_is_known(shortage: str, shrink: Callable[..., None]) -> None:
    propagator = Sam2Propagator(load_model("revsam2-mini"), batch_size=4)
    shrink("embed_slices", 2, shortage)
    assert len(propagator.embed([np.zeros((20, 20))] * 4, [(0.0, 1.0)] * 4)) == 4
    assert propagator.batch_size == 2


def test_the_shortage_of_this_machine_is_known() -> None:
    with pytest.raises(NotEnoughMemoryError), translated_memory_errors():
        torch.empty(2**50)


def test_another_error_is_not_taken_for_one() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"), translated_memory_errors():
        raise RuntimeError("shapes differ")


def test_before_the_smaller_batch_the_memory_of_the_larger_one_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    compute, held = sam2_memory.embed_slices, []

    def limited(model: Any, images: torch.Tensor) -> Any:
        assert [reference() for reference in held] == [None] * len(held)
        if len(images) > 1:
            workspace = torch.zeros(1)
            held.append(weakref.ref(workspace))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return compute(model, images)

    monkeypatch.setattr(sam2_memory, "embed_slices", limited)
    Sam2Propagator(load_model("revsam2-mini"), batch_size=4).embed([np.zeros((20, 20))] * 4, [(0.0, 1.0)] * 4)
    assert len(held) == 2


@pytest.mark.parametrize("step", [*STEPS, "remember_prediction"])
def test_when_one_slice_is_too_much_it_says_what_to_choose(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(sam2_memory, step, refuse)
    with pytest.raises(NotEnoughMemoryError, match="choose a smaller checkpoint"):
        run(Sam2Propagator(load_model("revsam2-mini")))


def test_logits_too_large_for_the_device_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(sam2_propagator, "logits_to_size", refuse)
    with pytest.raises(NotEnoughMemoryError):
        run(Sam2Propagator(load_model("revsam2-mini")))


def test_the_command_line_says_it_in_one_line(
    tmp_path: Path, shrink: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    shrink("embed_slices", 0)
    assert main(["demo", "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())

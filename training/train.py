"""Train revsam2-mini on procedural episodes; stop and start it at will, it resumes where it was.

python -m training.train --run-dir DIR --size 128 --until 5900 --steps 5900
python -m training.train --run-dir OTHER --size 192 --until 1500 --steps 1500 --init FILE --begin 0.6
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn

from napari_revsam2.sam2_backend.checkpoints.architectures import MINI
from napari_revsam2.sam2_backend.checkpoints.weights import read_weights

from .alignment import align
from .curriculum import FEATURES_UNTIL, Lesson, lesson
from .episodes import Batch, EpisodeStream
from .losses import Losses, copy_dice, episode_losses, feature_loss

EMA_DECAY = 0.997
WARM_STEPS = 50
"""Steps until the optimiser's averages mean something."""


def plain_attention(query: Tensor, key: Tensor, value: Tensor, dropout_p: float = 0.0) -> Tensor:
    """Attention as two matrix products, whose backward pass in bfloat16 on a CPU is faster than the fused one's."""
    assert dropout_p == 0
    weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    return torch.softmax(weights, dim=-1).to(value.dtype) @ value


@cache
def training_dtype() -> torch.dtype:
    """Bfloat16 where this CPU multiplies such matrices faster than float32, else float32."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.randn(512, 512).to(dtype)
        matrix @ matrix
        started = time.perf_counter()
        for _ in range(3):
            matrix @ matrix
        seconds[dtype] = time.perf_counter() - started
    return min(seconds, key=seconds.__getitem__)


def autocast() -> torch.autocast:
    """Compute in `training_dtype`."""
    return torch.autocast("cpu", torch.bfloat16, enabled=training_dtype() is torch.bfloat16)


def learning_rate(progress: float, peak: float, step: int = WARM_STEPS) -> float:
    """Warm up, hold, and fall to zero over the second half; a new warm-up where the memory joins in."""
    warm = progress / 0.01 if progress < FEATURES_UNTIL else (progress - FEATURES_UNTIL) / 0.01
    return peak * min(1.0, warm + 0.05, 2 * (1 - progress), (step + 1) / WARM_STEPS)


def validation_batches(size: int, count: int = 12, seed: int = 10**6) -> list[Batch]:
    """Episodes of anatomies that training never draws, the same each time."""
    stream = EpisodeStream(seed, size, uses=4)
    return [stream.draw() for _ in range(count)]


@torch.no_grad()
def validate(model: SAM2Base, batches: list[Batch]) -> dict[str, float]:
    """Loss, Dice and invented area, means over the episodes of ``batches``; beside them what copying would give."""
    rng = np.random.default_rng(0)
    with autocast():
        rows = [episode_losses(model, batch, rng) for batch in batches]
    return {
        "val_matching": float(torch.stack([r.matching for r in rows]).mean()),
        "val_loss": float(torch.stack([r.loss for r in rows]).mean()),
        "val_copy_dice": float(torch.cat([copy_dice(batch) for batch in batches]).nanmean()),
        "val_forward_dice": float(torch.cat([r.forward_dice for r in rows]).nanmean()),
        "val_self_dice": float(torch.cat([r.self_dice for r in rows]).nanmean()),
        "val_false_area": float(torch.stack([r.false_area for r in rows]).nanmean()),
    }


@dataclass(frozen=True)
class Settings:
    """What the command line sets."""

    run_dir: str = "training/run"
    init: str = ""
    """Checkpoint file to start from; by default random weights."""
    size: int = 128
    until: int = 5900
    """Step at which this stage ends."""
    steps: int = 5900
    """Step at which the learning rate reaches zero and the curriculum ends."""
    begin: float = 0.0
    """How far through the curriculum the first step is, 0 to 1: weights of ``init`` have had the first lessons."""
    rate: float = 4e-4
    seed: int = 0
    processes: int = os.cpu_count() or 1
    """Each takes one core and its own episodes; gradients are averaged."""
    validate_every: int = 250


def train(settings: Settings) -> None:
    """Run or resume a training; leaves ``state.pt`` and ``curve.csv`` in the run directory."""
    Path(settings.run_dir).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_train_process, (settings, folder), nprocs=settings.processes)


def _train_process(rank: int, settings: Settings, folder: str) -> None:
    """One of the processes; the first one also validates, saves and reports."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=settings.processes)
    torch.manual_seed(settings.seed)
    model, average = MINI.build(settings.size), MINI.build(settings.size)
    if settings.init:
        model.load_state_dict(read_weights(Path(settings.init)))
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.01)
    state = Path(settings.run_dir) / "state.pt"
    step = _resume(state, model, average, optimizer)
    held_out = validation_batches(settings.size) if rank == 0 else []
    episodes = EpisodeStream(settings.seed + step, settings.size, rank)
    F.scaled_dot_product_attention = plain_attention
    rng = np.random.default_rng([settings.seed, rank, step])
    rows: list[tuple[float, ...]] = []
    if rank == 0 and step == 0 and settings.init:
        _log(state.with_name("curve.csv"), {"step": 0, "size": settings.size, **validate(average, held_out)})
    started = time.monotonic()
    while step < settings.until:
        progress = _progress(settings, step)
        if not settings.init and lesson(progress).features_only != lesson(_progress(settings, step - 1)).features_only:
            _align(model, average, settings)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress, settings.rate, step)
        rows.append(_step(model, average, optimizer, episodes, lesson(progress), rng))
        step += 1
        if rank == 0 and step % 25 == 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # parts that no step of the 25 had
                loss, matching, forward, followed, false_area = np.nanmean(rows[-25:], axis=0)
            print(
                f"{step} loss {loss:.3f} matching {matching:.3f} forward {forward:.3f} self {followed:.3f} "
                f"false {false_area:.4f} {(time.monotonic() - started) / len(rows):.2f} s/step",
                flush=True,
            )
        if rank == 0 and (step % settings.validate_every == 0 or step == settings.until):
            _save(state, step, model, average, optimizer)
            row = {"step": step, "size": settings.size, **validate(average, held_out)}
            _log(state.with_name("curve.csv"), row)
    dist.destroy_process_group()


def _progress(settings: Settings, step: int) -> float:
    return settings.begin + (1 - settings.begin) * step / settings.steps


def _align(model: SAM2Base, average: nn.Module, settings: Settings) -> None:
    """Begin with the memory: the same start in all processes."""
    batch = EpisodeStream(settings.seed, settings.size).draw(easy=0.5)
    torch.manual_seed(settings.seed)
    align(model, torch.cat([batch.supports.flatten(0, 1), batch.queries.flatten(0, 1)]))
    average.load_state_dict(model.state_dict())


def _step(
    model: SAM2Base,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    episodes: EpisodeStream,
    now: Lesson,
    rng: np.random.Generator,
) -> tuple[float, ...]:
    batch = episodes.draw(now.easy, now.blobs, now.warped)
    nan = torch.tensor(torch.nan)
    with autocast():
        if now.features_only:
            matching = feature_loss(model, batch)
            losses = Losses(matching, matching, nan, nan, nan)
        else:
            losses = episode_losses(model, batch, rng, follows=episodes.draw_share() < now.follows)
    optimizer.zero_grad(set_to_none=True)
    losses.loss.backward()
    _average_gradients(model)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        for mean, value in zip(average.parameters(), model.parameters(), strict=True):
            mean.lerp_(value, 1 - EMA_DECAY)
    parts = (losses.loss, losses.matching, losses.forward_dice.nanmean(), losses.self_dice.nanmean(), losses.false_area)
    return tuple(float(part.detach()) for part in parts)


def _average_gradients(model: nn.Module) -> None:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def _save(path: Path, step: int, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    part = path.with_suffix(".part")
    state = {"step": step, "model": model.state_dict(), "average": average.state_dict()}
    torch.save({**state, "optimizer": optimizer.state_dict()}, part)
    part.replace(path)


def _resume(path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def _log(path: Path, row: dict[str, float]) -> None:
    print(row, flush=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in asdict(Settings()).items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    arguments = vars(parser.parse_args())
    train(Settings(**{f.name: arguments[f.name] for f in fields(Settings)}))

"""Train revsam2-mini on procedural episodes; stop and start it at will, it resumes where it was.

python -m training.train --run-dir DIR --size 128 --until 5900 --steps 5900
python -m training.train --run-dir OTHER --size 192 --until 1500 --steps 1500 --init FILE --begin 0.6
python -m training.train --run-dir OTHER --init FILE --begin 0.6 --device cuda --workers 14 --slices 96 --minutes 9

The last one trains on one GPU for nine minutes; the same command resumes for another nine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from sam2.modeling.sam2_base import SAM2Base
from torch import nn
from torch.utils.data import DataLoader

from napari_revsam2.sam2_backend.checkpoints.architectures import MINI
from napari_revsam2.sam2_backend.checkpoints.weights import read_weights

from .alignment import align
from .curriculum import FEATURES_UNTIL, Lesson, Shares, lesson
from .episode_stream import EpisodeStream
from .episodes import Batch
from .losses import Losses, episode_losses, feature_loss
from .precision import autocast, quick_attention
from .run_state import RunState
from .validation import HeldOut, held_out, validate

EMA_DECAY = 0.997
WARM_STEPS = 50
"""Steps until the optimiser's averages mean something."""
REPORT_EVERY = 25


@dataclass(frozen=True)
class Settings:
    """What the command line sets."""

    run_dir: str = "training/run"
    init: str = ""
    """Checkpoint file to start from; by default random weights."""
    size: int = 128
    large_size: int = 0
    """Image size of a share of the batches; 0 for none."""
    until: int = 5900
    """Step at which this stage ends."""
    steps: int = 5900
    """Step at which the learning rate reaches zero and the curriculum ends."""
    begin: float = 0.0
    """How far through the curriculum the first step is, 0 to 1: weights of ``init`` have had the first lessons."""
    rate: float = 4e-4
    seed: int = 0
    slices: int = 24
    """About how many slices a batch has."""
    without: str = ""
    """Ingredients of `curriculum.Shares` to switch off, separated by commas."""
    device: str = "cpu"
    processes: int = os.cpu_count() or 1
    """On a CPU: each takes one core and its own episodes; gradients are averaged. A GPU has one."""
    workers: int = 0
    """Processes that draw episodes for each of these; 0 draws between the steps."""
    validate_every: int = 250
    validation_batches: int = 6
    save_every: int = 50
    minutes: float = 0.0
    """Stop after this time, saved, to be resumed; 0 for no limit."""

    @property
    def shares(self) -> Shares:
        """How often episodes have what makes them hard."""
        return Shares().without(*filter(None, self.without.split(",")))


def train(settings: Settings) -> None:
    """Run or resume a training; leaves ``state.pt`` and ``curve.csv`` in the run directory."""
    Path(settings.run_dir).mkdir(parents=True, exist_ok=True)
    if settings.device != "cpu":
        settings = replace(settings, processes=1)
    if settings.processes == 1:
        _train_process(0, settings)
        return
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_join_training, (settings, folder), nprocs=settings.processes)


def _join_training(rank: int, settings: Settings, folder: str) -> None:
    """Train as one of several processes, each on one core."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=settings.processes)
    _train_process(rank, settings)
    dist.destroy_process_group()


def _train_process(rank: int, settings: Settings) -> None:
    """Train; the first of several processes also validates, saves and reports."""
    deadline = time.monotonic() + 60 * settings.minutes if settings.minutes else np.inf
    device, folder = torch.device(settings.device), Path(settings.run_dir)
    state = start(settings, device)
    state.resume(folder)
    networks = {settings.size: state.model} | {size: shared(state.model, size) for size in _more_sizes(settings)}
    averages = {settings.size: state.average} | {size: shared(state.average, size) for size in _more_sizes(settings)}
    kinds = {size: _held_out(settings, size) for size in averages} if rank == 0 else {}
    report = _Report()
    with quick_attention(device), closing(_batches(settings, state.step, rank)) as batches:
        if rank == 0 and state.step == 0 and settings.init:
            _validate(state, averages, kinds)
        for step, batch in batches:
            if _begins_with_memory(settings, step):
                _align(state, settings)
            _set_rate(state.optimizer, learning_rate(_progress(settings, step), settings.rate, step))
            rng = np.random.default_rng([settings.seed, 3, step, rank])
            features_only = lesson_at(settings, step).features_only
            report.add(step + 1, _step(state, networks[batch.recipe.size], batch.to(device), features_only, rng), rank)
            state.step = step + 1
            ends = _all_agree(state.step == settings.until or time.monotonic() > deadline)
            if rank == 0 and (state.step % settings.validate_every == 0 or state.step == settings.until):
                _validate(state, averages, kinds)
            if rank == 0 and (ends or state.step % settings.save_every == 0):
                state.save(folder)
            if ends:
                break


def start(settings: Settings, device: torch.device) -> RunState:
    """Fresh or given weights and an optimiser for them, at step 0."""
    torch.manual_seed(settings.seed)
    model, average = MINI.build(settings.size).to(device), MINI.build(settings.size).to(device)
    if settings.init:
        model.load_state_dict(read_weights(Path(settings.init)))
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.01)
    return RunState(model, average, optimizer)


def shared(model: SAM2Base, size: int) -> SAM2Base:
    """The same network for another image size: training either trains both."""
    other = MINI.build(size)
    other.load_state_dict(model.state_dict(keep_vars=True), assign=True)
    return other


def learning_rate(progress: float, peak: float, step: int = WARM_STEPS) -> float:
    """Warm up, hold, and fall to zero over the second half; a new warm-up where the memory joins in."""
    warm = progress / 0.01 if progress < FEATURES_UNTIL else (progress - FEATURES_UNTIL) / 0.01
    return peak * min(1.0, warm + 0.05, 2 * (1 - progress), (step + 1) / WARM_STEPS)


def lesson_at(settings: Settings, step: int) -> Lesson:
    """What is taught at a step."""
    return lesson(_progress(settings, step), settings.shares)


def _progress(settings: Settings, step: int) -> float:
    return settings.begin + (1 - settings.begin) * step / settings.steps


def _more_sizes(settings: Settings) -> list[int]:
    return [settings.large_size] if settings.large_size else []


def _batches(settings: Settings, first: int, rank: int) -> Generator[tuple[int, Batch], None, None]:
    """Batches of one process from step ``first`` on, drawn ahead by worker processes if there are any.

    To be closed: worker processes that are still drawing when Python ends are reported as killed.
    """
    stream = EpisodeStream(
        settings.seed,
        settings.size,
        partial(lesson_at, settings),
        settings.large_size,
        settings.slices,
        settings.processes,
        max(1, settings.workers),
    )
    steps = range(first, settings.until)
    loader = DataLoader(
        stream,  # type: ignore[arg-type]
        batch_size=None,
        sampler=[step * settings.processes + rank for step in steps],
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
        multiprocessing_context="spawn" if settings.workers else None,
    )
    yield from zip(steps, loader, strict=True)


def _begins_with_memory(settings: Settings, step: int) -> bool:
    """Whether the step is the first one after those that train features only."""
    features_only = [lesson_at(settings, at).features_only for at in (step - 1, step)]
    return not settings.init and features_only == [True, False]


def _align(state: RunState, settings: Settings) -> None:
    """Begin with the memory: the same start in all processes."""
    batch = EpisodeStream(settings.seed, settings.size, lambda step: Lesson(easy=0.5))[0]  # noqa: ARG005
    torch.manual_seed(settings.seed)
    aligned = MINI.build(settings.size)
    aligned.load_state_dict(state.model.state_dict())
    align(aligned, torch.cat([batch.supports.flatten(0, 1), batch.queries.flatten(0, 1)]))
    for network in (state.model, state.average):
        network.load_state_dict(aligned.state_dict())


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _step(state: RunState, network: SAM2Base, batch: Batch, features_only: bool, rng: np.random.Generator) -> Losses:
    """One step of the optimiser, and of the averaged weights behind it."""
    with autocast(batch.supports.device):
        losses = feature_loss(network, batch) if features_only else episode_losses(network, batch, rng)
    state.optimizer.zero_grad(set_to_none=True)
    losses.loss.backward()
    if dist.is_initialized():
        _average_gradients(state.model)
    nn.utils.clip_grad_norm_(state.model.parameters(), 1.0)
    state.optimizer.step()
    with torch.no_grad():
        torch._foreach_lerp_([*state.average.parameters()], [*state.model.parameters()], 1 - EMA_DECAY)
    return losses


def _average_gradients(model: nn.Module) -> None:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def _all_agree(ends: bool) -> bool:
    """Whether any process wants to end, so that all do at the same step."""
    if not dist.is_initialized():
        return ends
    votes = torch.tensor(float(ends))
    dist.all_reduce(votes)
    return bool(votes > 0)


def _held_out(settings: Settings, size: int) -> list[HeldOut]:
    return held_out(size, settings.validation_batches, settings.shares)


def _validate(state: RunState, averages: dict[int, SAM2Base], kinds: dict[int, list[HeldOut]]) -> None:
    """Add rows to the curve for each image size and kind of episodes."""
    for size, network in averages.items():
        for kind in kinds[size]:
            state.curve.append(validate(network, state.step, kind))
            print(state.curve[-1], flush=True)


class _Report:
    """Prints means over the recent steps, and the pace."""

    def __init__(self) -> None:
        self._rows: deque[tuple[float, ...]] = deque(maxlen=REPORT_EVERY)
        self._started, self._steps = time.monotonic(), 0

    def add(self, step: int, losses: Losses, rank: int) -> None:
        parts = (losses.loss, losses.matching, losses.forward_dice, losses.self_dice, losses.false_area)
        self._rows.append(tuple(float(part.detach().nanmean()) for part in parts))
        self._steps += 1
        if rank or step % REPORT_EVERY:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parts that none of these steps had
            loss, matching, forward, followed, false_area = np.nanmean(self._rows, axis=0)
        pace = 60 * self._steps / (time.monotonic() - self._started)
        print(
            f"{step} loss {loss:.3f} matching {matching:.3f} forward {forward:.3f} self {followed:.3f} "
            f"false {false_area:.4f} {pace:.1f} steps/min",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in asdict(Settings()).items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    arguments = vars(parser.parse_args())
    train(Settings(**{f.name: arguments[f.name] for f in fields(Settings)}))

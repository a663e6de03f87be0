"""What `benchmarks.gpu` measures of the engine on one device: rates, a CT, the stock predictor, the encoder, a profile.

Networks have seeded random weights with which every slice shows the object: the arithmetic is that of trained weights,
the masks mean nothing.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch.profiler import ProfilerActivity, profile

from benchmarks import stock_predictor
from benchmarks.speed import GIB, Case, Row, operations
from benchmarks.stock_predictor import run_stock
from napari_revsam2.engine.events import Event, StageStarted, result_of
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice
from napari_revsam2.engine.propagator import Propagator
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.sam2_memory import embed_slices
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sam2_backend.slice_preprocessing import slice_to_tensor
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.intensity_window import Limits

LABEL = 1
COUNTS = (64, 32, 16, 8, 4, 2)
"""Query slices of a comparison: as many as the time allows."""
BATCHES = (1, 4, 8, 16, 32)
TRACE_LIMIT = 15 * 2**20
"""Bytes of a profile's file."""


@dataclass(frozen=True)
class Setting:
    """Where and at what size everything is measured.

    Attributes
    ----------
    device : str
        ``cuda``, or ``cpu`` to see that it runs.
    output : Path
        The folder of files that aren't figures.
    image_size, n_support, top_k, slices : int
        Side of the network's image, N, k, and slices of the CT.
    side : int
        Side of the matrices whose product is timed.
    counts, batches : tuple of int
        Query slices that a comparison may have, and slices that the encoder takes together.
    networks : tuple of str
        What the encoder is timed of.
    pairs : int
        Times that the stock script and the engine alternate, at the most.
    """

    device: str
    output: Path
    image_size: int = 1024
    n_support: int = 10
    top_k: int = 7
    slices: int = 100
    side: int = 8192
    counts: tuple[int, ...] = COUNTS
    batches: tuple[int, ...] = BATCHES
    networks: tuple[str, ...] = ("sam2-hiera-tiny", "sam2.1-hiera-large")
    pairs: int = 5

    def quick(self) -> Setting:
        """Shrink everything."""
        small = replace(self, image_size=64, n_support=1, top_k=1, slices=3, side=256)
        return replace(small, counts=(2,), batches=(2,), networks=self.networks[:1], pairs=1)


@dataclass(frozen=True)
class Subject:
    """A network in a precision, on the device of a setting, and the problems it is measured on."""

    setting: Setting
    network: str
    precision: torch.dtype

    @cached_property
    def model(self) -> SAM2VideoPredictor:
        """The network, which serves the stock script and the engine alike."""
        model = Case(self.network, self.setting.image_size, 1, 1).model(SAM2VideoPredictor)
        if model.pred_obj_scores:
            with torch.no_grad():
                model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias += 1
        return model.to(self.setting.device)

    @property
    def config(self) -> RevSAM2Config:
        """Settings of its runs."""
        return RevSAM2Config(n_support=self.setting.n_support, top_k=self.setting.top_k)

    @property
    def name(self) -> Row:
        """What its rows begin with."""
        precision = str(self.precision).removeprefix("torch.")
        return {"network": self.network, "image size": self.setting.image_size, "precision": precision}

    def propagator(self, batch_size: int | None = None) -> Sam2Propagator:
        """Make the engine's network."""
        return Sam2Propagator(self.model, batch_size, self.precision)

    def problem(self, count: int) -> tuple[SupportSet, QueryVolume]:
        """Make N supports, and a query of ``count`` slices, of 512 x 512 at the most, as a CT has them."""
        side = min(512, self.setting.image_size)
        volume = np.random.default_rng(0).integers(0, 1000, (self.setting.n_support + count, side, side), np.int16)
        labels = np.zeros((side, side), np.uint8)
        labels[side // 4 : side // 2, side // 4 : side // 2] = LABEL
        n = self.setting.n_support
        supports = tuple(SupportSlice(volume[j], labels, (0, 1000), index=j) for j in range(n))
        return SupportSet(supports), QueryVolume(volume[n:], (0, 1000))

    def events(self, network: Propagator[Any, Any, Any], count: int) -> Iterator[Event]:
        """Run the engine on a query of ``count`` slices."""
        return run_revsam2(network, *self.problem(count), self.config, (LABEL,))

    def stock(self, count: int) -> Any:
        """Run the stock script on the same, which prepares a slice for the network once and keeps it on the device."""
        supports, query = self.problem(count)
        chosen = select_supports(supports, LABEL, self.setting.n_support)
        half = self.precision is not torch.float32
        computing = torch.autocast(self.setting.device, self.precision, enabled=half)
        with torch.inference_mode(), computing, _prepared_once(self.setting):
            return run_stock(self.model, chosen, query, LABEL, self.config)


def device(setting: Setting) -> list[Row]:
    """Describe the device, and measure how fast it multiplies matrices and copies."""
    row: Row = {"python": platform.python_version(), "torch": torch.__version__, "sam2": version("sam2")}
    row["processor cores"] = len(os.sched_getaffinity(0))
    if setting.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        row |= {"device": properties.name, "memory, GiB": properties.total_memory / GIB}
        row |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    for dtype in (torch.bfloat16, torch.float32):
        row[f"{str(dtype).removeprefix('torch.')} matrix product, 1e12/s"] = product_rate(setting, dtype) / 1e12
    values = torch.rand(2**20 if setting.device == "cpu" else 2**30, device=setting.device)
    copy = torch.empty_like(values)
    row["copy, GB/s"] = 2 * values.nbytes / seconds_of(lambda: copy.copy_(values), setting) / 1e9
    return [row]


def product_rate(setting: Setting, dtype: torch.dtype) -> float:
    """Operations a second in a large matrix product of random numbers."""
    left, right = (torch.randn(setting.side, setting.side, device=setting.device, dtype=dtype) for _ in range(2))
    return 2 * setting.side**3 / seconds_of(lambda: left @ right, setting)


def ct(setting: Setting) -> list[Row]:
    """Segment a whole CT as a user does, without and with files of embeddings; the first run is the cold one."""
    subject = Subject(setting, "sam2-hiera-tiny", torch.bfloat16)
    network = subject.propagator()
    rows = [_ct_run(subject, StoredEmbeddings(network), "memory, first run")]
    rows.append(_ct_run(subject, StoredEmbeddings(network), "memory"))
    with _own_cache():
        store = StoredEmbeddings(network, EmbeddingFiles(subject.model, "bfloat16"))
        rows.append(_ct_run(subject, store, "files, written"))
        rows.append(_ct_run(subject, store, "files, read"))
    return rows


def _ct_run(subject: Subject, network: Propagator[Any, Any, Any], embeddings: str) -> Row:
    setting = subject.setting
    reset_peak(setting)
    marks: list[tuple[str, float]] = []
    for event in subject.events(network, setting.slices):
        if isinstance(event, StageStarted):
            marks.append((event.stage.value, now(setting)))
    marks.append(("end", now(setting)))
    row = {**subject.name, "slices": setting.slices, "N": setting.n_support, "embeddings": embeddings}
    row |= {"seconds": marks[-1][1] - marks[0][1], "peak memory, GiB": peak(setting)}
    return row | {f"{name}, s": after - before for (name, before), (_, after) in pairwise(marks)}


def versus(setting: Setting, seconds: float, network: str, precision: torch.dtype) -> list[Row]:
    """Let the stock script and the engine alternate, on as many query slices as the time allows."""
    subject = Subject(setting, network, precision)
    ours = subject.propagator()
    least = setting.counts[-1]
    for _ in range(2):  # the first time to warm up
        timed(lambda: result_of(subject.events(ours, least)), setting)
        _, taken = timed(lambda: subject.stock(least), setting)
    count = next((m for m in setting.counts if 1.3 * m / least * taken < seconds), least)
    pairs: list[tuple[float, float]] = []
    while len(pairs) < setting.pairs and (len(pairs) + 1) * max(map(sum, pairs), default=0) < seconds:
        reset_peak(setting)
        found, our_seconds = timed(lambda: result_of(subject.events(ours, count)), setting)
        peak_memory = peak(setting)
        expected, their_seconds = timed(lambda: subject.stock(count), setting)
        pairs.append((our_seconds, their_seconds))
    reference = np.stack([expected.final[i] > 0 for i in range(count)])
    return [
        {
            **subject.name,
            "N": setting.n_support,
            "M": count,
            "pairs": len(pairs),
            "stock / ours": float(np.median([theirs / mine for mine, theirs in pairs])),
            "ours, s": float(np.median([mine for mine, _ in pairs])),
            "stock, s": float(np.median([theirs for _, theirs in pairs])),
            "voxels equal, %": float(100 * np.mean((found.segmentation == LABEL) == reference)),
            "foreground, %": float(100 * np.mean(reference)),
            "same slices chosen": found.labels[0].selected == expected.selected,
            "slices scored": len(expected.scores),
            "peak memory, GiB": peak_memory,
        }
    ]


def encoder(setting: Setting) -> list[Row]:
    """Time the image encoder by itself against the device's matrix products."""
    rows = []
    for network in setting.networks:
        for precision in (torch.bfloat16, torch.float32):
            subject = Subject(setting, network, precision)
            rate = product_rate(setting, precision)
            rows += [{**subject.name, **encoder_row(subject, size, rate)} for size in setting.batches]
    return rows


def encoder_row(subject: Subject, batch: int, rate: float) -> Row:
    """Time the image encoder on a batch, and compare its operations with what the device could do meanwhile."""
    setting, half = subject.setting, subject.precision is not torch.float32
    images = torch.randn(batch, 3, setting.image_size, setting.image_size, device=setting.device)

    def embed() -> None:
        with torch.inference_mode(), torch.autocast(setting.device, subject.precision, enabled=half):
            embed_slices(subject.model, images)

    reset_peak(setting)
    seconds = seconds_of(embed, setting)
    peak_memory, counted = peak(setting), operations(embed)
    return {
        "batch": batch,
        "slice, ms": 1e3 * seconds / batch,
        "operations a slice, 1e9": counted / batch / 1e9,
        "of the matrix-product rate, %": 100 * counted / seconds / rate,
        "peak memory, GiB": peak_memory,
    }


def trace(setting: Setting) -> list[Row]:
    """Profile a whole run; leaves ``trace.json.gz`` (for a browser's tracing page) and ``profile.txt``."""
    subject = Subject(setting, "sam2-hiera-tiny", torch.bfloat16)
    network = subject.propagator()
    result_of(subject.events(network, 1))
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if setting.device == "cuda" else [])]
    file = setting.output / "trace.json.gz"
    for count in setting.counts[-4:]:
        with profile(activities=activities) as profiled:
            _, seconds = timed(lambda m=count: result_of(subject.events(network, m)), setting)
        profiled.export_chrome_trace(str(file))
        if file.stat().st_size < TRACE_LIMIT:
            break
        file.unlink()
    kind = "device" if setting.device == "cuda" else "cpu"
    averages = profiled.key_averages()
    table = averages.table(sort_by=f"self_{kind}_time_total", row_limit=40, max_name_column_width=80)
    (setting.output / "profile.txt").write_text(table, encoding="utf-8")
    # A kernel's time is told twice: of the kernel, and of the operation on the processor that launched it.
    own = [average for average in averages if average.device_type.name.lower() == setting.device]
    busy = sum(getattr(average, f"self_{kind}_time_total") for average in own)
    return [{**subject.name, "M": count, "seconds": seconds, "device busy, %": 100 * busy / 1e6 / seconds}]


def store(setting: Setting) -> list[Row]:
    """Time ways of keeping an embedding outside the device's memory and of having it back."""
    subject = Subject(setting, "sam2-hiera-tiny", torch.bfloat16)
    (query,) = subject.problem(1)[1:]
    (embedding,) = subject.propagator().embed([np.asarray(query.slices[0])], [query.limits])
    tensors = [embedding.top, embedding.middle, embedding.fine]
    hosts = [torch.empty(t.shape, dtype=t.dtype, pin_memory=setting.device == "cuda") for t in tensors]
    plain = [t.cpu() for t in tensors]
    with _own_cache():
        files = EmbeddingFiles(subject.model, "bfloat16")
        ways: dict[str, Callable[[], Any]] = {
            "file, written": lambda: files.save("0" * 40, embedding),
            "file, read": lambda: files.load("0" * 40),
            "plain memory, there": lambda: [t.cpu() for t in tensors],
            "plain memory, back": lambda: [t.to(setting.device) for t in plain],
            "pinned memory, there": lambda: [
                h.copy_(t, non_blocking=True) for h, t in zip(hosts, tensors, strict=True)
            ],
            "pinned memory, back": lambda: [h.to(setting.device, non_blocking=True) for h in hosts],
        }
        times = {way: seconds_of(copy, setting) for way, copy in ways.items()}
    size = embedding.nbytes
    return [{"way": way, "MB": size / 1e6, "ms": 1e3 * s, "GB/s": size / s / 1e9} for way, s in times.items()]


@contextmanager
def _prepared_once(setting: Setting) -> Iterator[None]:
    """Let the stock script keep each slice as the network sees it, though it is in many of its videos."""
    kept: dict[tuple[Any, ...], torch.Tensor] = {}

    def prepared(image: NDArray[Any], limits: Limits, size: int) -> torch.Tensor:
        key = (id(image), limits, size)  # the script holds the images
        if key not in kept:
            kept[key] = slice_to_tensor(image, limits, size).to(setting.device)
        return kept[key]

    with patch.object(stock_predictor, "slice_to_tensor", prepared):
        yield


@contextmanager
def _own_cache() -> Iterator[None]:
    """Keep files of embeddings in a folder that goes."""
    before = os.environ.get("NAPARI_REVSAM2_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_REVSAM2_CACHE"] = folder
        yield
    os.environ.pop("NAPARI_REVSAM2_CACHE")
    if before is not None:
        os.environ["NAPARI_REVSAM2_CACHE"] = before


def now(setting: Setting) -> float:
    """Seconds on a clock, when the device has done what it was asked to do."""
    if setting.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def timed(compute: Callable[[], Any], setting: Setting) -> tuple[Any, float]:
    """Compute once; the result and the seconds it took."""
    started = now(setting)
    result = compute()
    return result, now(setting) - started


def seconds_of(compute: Callable[[], Any], setting: Setting) -> float:
    """Seconds that a short computation takes: the median of up to 30 within half a second, after three to warm up."""
    for _ in range(3):
        compute()
    seconds: list[float] = []
    while len(seconds) < 30 and sum(seconds) < 0.5:
        seconds.append(timed(compute, setting)[1])
    return float(np.median(seconds))


def reset_peak(setting: Setting) -> None:
    """Measure peak memory from here on."""
    if setting.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak(setting: Setting) -> float:
    """GiB of the device that PyTorch took, at the most, since `reset_peak`; nan on a processor."""
    return torch.cuda.max_memory_reserved() / GIB if setting.device == "cuda" else float("nan")

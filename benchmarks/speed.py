"""Time the pipeline against the same pipeline scripted on the stock ``SAM2VideoPredictor``, and how it grows.

    python -m benchmarks.speed [versus] [reuse] [growth] [memory] [batches] [--pairs 3] [--quick] [--output FILE.json]

``versus``: our engine and the stock script (benchmarks/stock_predictor.py, which encodes a frame in each video
it is in, as such a script does) alternate in one process, on the same weights; their masks are compared. Beside it the
share of our time that the method's arithmetic needs: floating-point operations counted by PyTorch, divided by the rate
of this machine's matrix products. ``reuse``: a second class, and "propagate again", against a first run. ``growth``:
time and peak memory, each in a process of its own, while M, N or the image size grow. ``memory``: peak memory for many
slices of 512 x 512, with a network that computes a slice once and then gives copies of it, as large as the real thing.
``batches``: slices computed together. Real architectures have seeded random weights: the arithmetic is the same, the
masks mean nothing.

Wants a machine with nothing else to do. ``--quick`` shrinks every case, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sam2.modeling.sam2_base import SAM2Base
from sam2.sam2_video_predictor import SAM2VideoPredictor
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from napari_revsam2.engine.events import RunFinished, result_of
from napari_revsam2.engine.pipeline import propagate_again, run_revsam2
from napari_revsam2.engine.problem import QueryVolume, SupportSet, SupportSlice
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.sam2_backend.cache.embedding_files import EmbeddingFiles
from napari_revsam2.sam2_backend.cache.embedding_store import StoredEmbeddings
from napari_revsam2.sam2_backend.checkpoints.architectures import ARCHITECTURES
from napari_revsam2.sam2_backend.checkpoints.bundled import REVSAM2_MINI
from napari_revsam2.sam2_backend.checkpoints.weights import load_model
from napari_revsam2.sam2_backend.packed_linear import pack_linear_layers
from napari_revsam2.sam2_backend.sam2_memory import TensorBatch
from napari_revsam2.sam2_backend.sam2_propagator import Sam2Propagator
from napari_revsam2.sample_data import sample_query, sample_supports
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.volume_files.file_problem import open_problem

from .stock_predictor import run_stock

Row = dict[str, Any]
CONFIG = RevSAM2Config()
GIB = 2**30


@dataclass(frozen=True)
class Case:
    """A network and the size of a problem."""

    network: str
    image_size: int
    n_support: int
    n_query: int

    def model(self, target: type[SAM2Base] = SAM2Base) -> SAM2Base:
        """Build the network; the same weights each time."""
        if self.network == REVSAM2_MINI.name:
            return load_model(self.network, image_size=self.image_size, target=target)
        torch.manual_seed(0)
        (architecture,) = (a for a in ARCHITECTURES if a.name == self.network)
        return architecture.build(self.image_size, target)

    def problem(self) -> tuple[SupportSet, QueryVolume]:
        """Make supports of classes 1 and 2, and a query: the sample data, stacked, for the bundled network."""
        if self.network == REVSAM2_MINI.name:
            problem = open_problem(list(sample_supports()), sample_query()[0], CONFIG)
            whole = np.stack([np.asarray(problem.query.slices[i]) for i in range(len(problem.query.slices))])
            repeats = -(-self.n_query // len(whole))
            query = np.concatenate([whole] * repeats)[: self.n_query]
            return problem.supports, QueryVolume(query, problem.query.limits)
        rng = np.random.default_rng(0)
        shape = (self.n_support + self.n_query, self.image_size, self.image_size)
        volume = rng.random(shape, dtype=np.float32)
        labels = np.zeros(shape[1:], np.uint8)
        labels[shape[1] // 4 : shape[1] // 2, shape[2] // 4 : shape[2] // 2] = 1
        labels[shape[1] // 2 : shape[1] // 4 * 3, shape[2] // 4 : shape[2] // 2] = 2
        supports = tuple(SupportSlice(volume[j], labels, (0, 1), index=j) for j in range(self.n_support))
        return SupportSet(supports), QueryVolume(volume[self.n_support :], (0, 1))


MINI = Case("revsam2-mini", 192, 10, 34)
VERSUS = (MINI, Case("sam2.1-hiera-tiny", 512, 10, 24), Case("sam2.1-hiera-tiny", 1024, 3, 6))
GROWTH = (
    *(Case("sam2.1-hiera-tiny", 512, 1, m) for m in (8, 16, 32)),
    *(Case("sam2.1-hiera-tiny", 512, n, 8) for n in (1, 5, 10)),
    *(Case("sam2.1-hiera-tiny", size, 1, 8) for size in (256, 512, 1024)),
)
MEMORY = tuple(Case("sam2.1-hiera-tiny", 1024, 1, m) for m in (32, 128, 512))
QUICK = Case("sam2.1-hiera-tiny", 64, 2, 3)


def versus(cases: tuple[Case, ...], pairs: int) -> Iterator[Row]:
    """Let our engine and the stock script alternate."""
    for case in cases:
        yield _versus(case, pairs)


def _versus(case: Case, pairs: int) -> Row:
    job = Job(case)
    stock, chosen = case.model(SAM2VideoPredictor), select_supports(job.supports, 1, case.n_support)
    ours, theirs = [], []
    for _ in range(pairs):
        result, seconds = timed(job.run)
        ours.append(seconds)
        expected, seconds = timed(lambda: run_stock(stock, chosen, job.query, 1, job.config))
        theirs.append(seconds)
    reference = np.stack([expected.final[i] > 0 for i in range(case.n_query)])
    counted, rate = operations(job.run), matmul_rate()
    return {
        **asdict(case),
        "stock / ours": float(np.median(np.divide(theirs, ours))),
        "voxels equal, %": float(100 * np.mean((result.segmentation == 1) == reference)),
        "ours, s": float(np.median(ours)),
        "stock, s": float(np.median(theirs)),
        "operations, 1e9": counted / 1e9,
        "matrix products, 1e9/s": rate / 1e9,
        "arithmetic, % of ours": float(100 * counted / rate / np.median(ours)),
    }


def reuse(case: Case) -> Iterator[Row]:
    """Time what comes after a first run against it."""
    job = Job(case)
    job.network = StoredEmbeddings(job.network)
    first, seconds = timed(job.run)
    _, second_class = timed(lambda: job.run(label=2))
    masks = {i: first.segmentation[i] == 1 for i in first.labels[0].selected}
    _, again = timed(lambda: result_of(propagate_again(job.network, job.query, {1: masks}, job.config)))
    yield {
        **asdict(case),
        "first run, s": seconds,
        "second class / first": second_class / seconds,
        "propagate again / first": again / seconds,
    }


def growth(cases: tuple[Case, ...], how: str = "real") -> Iterator[Row]:
    """Take time and peak memory, each case in a process of its own."""
    for case in cases:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.speed", "--one", how, json.dumps(asdict(case))]
        yield {**asdict(case), **json.loads(subprocess.run(command, check=True, capture_output=True).stdout)}


def one(how: str, case: Case) -> Row:
    """Run a case in this process, with embeddings in memory and in files as users have them."""
    job = Job(case) if how == "real" else played_job(case)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_REVSAM2_CACHE"] = folder
        job.network = StoredEmbeddings(job.network, EmbeddingFiles(job.network.model, "float32"))
        _, seconds = timed(job.run)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "peak memory, GiB": peak / GIB}


def batches(cases: tuple[Case, ...]) -> Iterator[Row]:
    """Compute more slices together; the fastest of three runs."""
    for case in cases:
        job = Job(case)
        for size in (1, 4, 8, 16):
            job.network = Sam2Propagator(job.network.model, size)
            yield {**asdict(case), "batch": size, "seconds": min(timed(job.run)[1] for _ in range(3))}


class Played(Sam2Propagator):
    """Computes each kind of step once, and then gives copies."""

    def __init__(self, model: SAM2Base) -> None:
        super().__init__(model)
        self._first: dict[object, TensorBatch] = {}

    def _embed(self, slices: Sequence[Any]) -> list[Any]:
        return self._copies("embed", super()._embed, slices)

    def _remember_masks(self, slices: Sequence[Any]) -> list[Any]:
        return self._copies("masks", super()._remember_masks, slices)

    def _remember_prediction(self, slices: Sequence[Any]) -> list[Any]:
        return self._copies("prediction", super()._remember_prediction, slices)

    def _segment(self, slices: Sequence[Any]) -> list[Any]:
        bank = slices[0][1]
        return self._copies((len(bank.conditional), len(bank.recent)), super()._segment, slices)

    def _copies(self, kind: object, compute: Callable[[Any], list[Any]], slices: Sequence[Any]) -> list[Any]:
        if kind not in self._first:
            self._first[kind] = compute(slices[:1])[0]
        first = self._first[kind]
        return [type(first)(*(tensor.clone() for tensor in vars(first).values())) for _ in slices]


class LazySlices:
    """As a CT in a compressed file: a slice of 512 x 512 is made when it is asked for."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        return np.random.default_rng(index).integers(0, 1000, (512, 512), dtype=np.int16)


def played_job(case: Case) -> Job:
    """Prepare a case whose network only plays, on slices that come one at a time."""
    job = Job(replace(case, n_query=1))
    job.network = Played(job.network.model)
    job.query = QueryVolume(LazySlices(case.n_query), (0, 1000))
    return job


class Job:
    """A case that is ready to run."""

    def __init__(self, case: Case) -> None:
        self.supports, self.query = case.problem()
        self.config = replace(CONFIG, n_support=case.n_support)
        model = case.model()
        pack_linear_layers(model)  # as `loading.load_propagator` does
        self.network: Any = Sam2Propagator(model)

    def run(self, label: int = 1) -> RunFinished:
        """Run to the end."""
        return result_of(run_revsam2(self.network, self.supports, self.query, self.config, (label,)))


def timed(compute: Callable[[], Any]) -> tuple[Any, float]:
    """Give the result and the wall time in seconds."""
    started = time.perf_counter()
    result = compute()
    return result, time.perf_counter() - started


def operations(compute: Callable[[], Any]) -> float:
    """Count the floating-point operations of matrix products, convolutions and attention, as PyTorch counts them."""

    def attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    def linear(values: Any, weight: Any, *_: Any, **__: Any) -> int:
        return 2 * int(np.prod(values)) * int(weight[0])

    mapping = {
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention,
        torch.ops.mkldnn._linear_pointwise: linear,
    }
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        compute()
    return float(counter.get_total_flops())


def matmul_rate(side: int = 2048) -> float:
    """Measure operations a second in a large matrix product: median of nine."""
    matrix = torch.rand(side, side)
    matrix @ matrix
    return 2 * side**3 / float(np.median([timed(lambda: matrix @ matrix)[1] for _ in range(9)]))


def shown(rows: Iterator[Row]) -> Iterator[Row]:
    """Print rows of the same columns in Markdown, as they come."""
    for number, row in enumerate(rows):
        if number == 0:
            print("| " + " | ".join(row) + " |\n" + "|---" * len(row) + "|")
        values = (f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values())
        print("| " + " | ".join(values) + " |", flush=True)
        yield row


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("versus", "reuse", "growth", "memory", "batches")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; default: all")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        how, case = options.one
        print(json.dumps(one(how, Case(**json.loads(case)))))
        return
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(unknown)}")
    quick = (QUICK,) if options.quick else None
    measures: dict[str, Callable[[], Iterator[Row]]] = {
        "versus": lambda: versus(quick or VERSUS, options.pairs),
        "reuse": lambda: reuse(QUICK if quick else VERSUS[1]),
        "growth": lambda: growth(quick or GROWTH),
        "memory": lambda: growth(quick or MEMORY, "played"),
        "batches": lambda: batches(quick or (MINI, replace(VERSUS[1], n_query=4))),
    }
    results = {}
    for part in options.parts or parts:
        print(f"\n{part}")
        results[part] = list(shown(measures[part]()))
    if options.output:
        options.output.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

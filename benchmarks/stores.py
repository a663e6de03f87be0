"""Which file format keeps embeddings best: seconds to write and to read one slice's, at SAM 2's 1024 pixels.

    python -m benchmarks.stores [--slices 32]

Read right after it was written, so from the system's cache, as between the stages of a run. Medians over the slices.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import zarr
from safetensors.torch import load_file, save_file
from torch import Tensor

Tensors = dict[str, Tensor]
SHAPES = {"top": (1, 256, 64, 64), "middle": (1, 64, 128, 128), "fine": (1, 32, 256, 256)}


def save_arrays(tensors: Tensors, path: Path) -> None:
    """Write one .npy file a tensor."""
    path.mkdir()
    for name, tensor in tensors.items():
        np.save(path / f"{name}.npy", tensor.numpy())


def load_arrays(path: Path) -> Tensors:
    """Map the files into memory, and read them."""
    return {name: torch.from_numpy(np.array(np.load(path / f"{name}.npy", mmap_mode="r"))) for name in SHAPES}


def save_zarr(tensors: Tensors, path: Path) -> None:
    """Write a zarr group, one chunk a tensor, uncompressed."""
    group = zarr.open_group(path, mode="w")
    for name, tensor in tensors.items():
        group.create_array(name, data=tensor.numpy(), chunks=tuple(tensor.shape), compressors=None)


def load_zarr(path: Path) -> Tensors:
    """Read a zarr group."""
    group = zarr.open_group(path, mode="r")
    return {name: torch.from_numpy(group[name][:]) for name in SHAPES}


FORMATS: dict[str, tuple[Callable[[Tensors, Path], None], Callable[[Path], Tensors]]] = {
    "safetensors": (save_file, load_file),
    "npy, memory-mapped": (save_arrays, load_arrays),
    "zarr, uncompressed": (save_zarr, load_zarr),
}


def main(slices: int) -> None:
    """Measure the formats in turn, slice by slice, and print a table."""
    tensors = {name: torch.rand(shape) for name, shape in SHAPES.items()}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in FORMATS}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(slices):
            for number, (name, (save, load)) in enumerate(FORMATS.items()):
                path = Path(folder) / f"{i}-{number}"
                began = time.perf_counter()
                save(tensors, path)
                written = time.perf_counter()
                found = load(path)
                seconds[name].append((written - began, time.perf_counter() - written))
                assert all(torch.equal(found[key], tensor) for key, tensor in tensors.items())
    print("| format | write, ms | read, ms |\n|---|---|---|")
    for name, pairs in seconds.items():
        write, read = 1000 * np.median(pairs, axis=0)
        print(f"| {name} | {write:.1f} | {read:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=32)
    main(parser.parse_args().slices)

"""Write the averaged weights of a training run as the checkpoint that ships with the package.

    python -m training.export --run-dir DIR

Half precision halves the file; the package reads the weights as float32.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

import napari_revsam2.sam2_backend as backend
from napari_revsam2.sam2_backend.checkpoints.bundled import REVSAM2_MINI


def export(run_dir: Path, output: Path) -> None:
    """Turn ``state.pt`` of a run into a ``.safetensors`` file without code in it."""
    state = torch.load(run_dir / "state.pt", weights_only=True)
    weights = {name: tensor.half().contiguous() for name, tensor in state["average"].items()}
    output.parent.mkdir(exist_ok=True)
    part = output.with_suffix(".part")
    save_file(weights, part, metadata={"step": str(state["step"]), "model": REVSAM2_MINI.name})
    part.replace(output)
    print(f"{output}: step {state['step']}, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run-dir", type=Path, default=Path("training/run"))
    default = Path(backend.__path__[0]) / "weights" / REVSAM2_MINI.file
    parser.add_argument("--output", type=Path, default=default)
    arguments = parser.parse_args()
    export(arguments.run_dir, arguments.output)

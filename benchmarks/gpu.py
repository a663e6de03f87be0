"""All figures of a CUDA device in a few minutes: what matters most comes first, and what is done is not done again.

    python -m benchmarks.gpu --output DIR [--work DIR] [--seconds 400] [--device cuda] [--quick]

Each step writes ``WORK/<step>.json`` when it is done, and is skipped while that file exists; after each step all that
there is is put together as ``figures.json`` and ``figures.md`` in the output folder. A step starts only when the
seconds it may take are left. A step that fails says so in its file, and the next one starts; remove the file to try
again. ``--quick --device cpu`` shrinks everything, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from benchmarks.gpu_speed import Setting, ct, device, encoder, store, trace, versus
from benchmarks.gpu_variants import SLOW_VARIANTS, VARIANTS, compare
from benchmarks.speed import Row

BFLOAT16, FLOAT32 = torch.bfloat16, torch.float32


@dataclass(frozen=True)
class Step:
    """A part of the measurements.

    Attributes
    ----------
    name : str
        Of its file and its table.
    seconds : float
        How long it may take, roughly.
    measure : callable
        From the setting to rows of figures.
    """

    name: str
    seconds: float
    measure: Callable[[Setting], list[Row]]


def _versus(network: str, precision: torch.dtype, seconds: float) -> Step:
    """Compare with the stock script; loading and warming up take a third of the time."""
    name = f"versus-{network}-{str(precision).removeprefix('torch.')}"
    return Step(name, seconds, partial(versus, seconds=seconds * 2 / 3, network=network, precision=precision))


STEPS = (
    Step("device", 15, device),
    Step("ct", 30, ct),
    _versus("sam2-hiera-tiny", BFLOAT16, 75),
    Step("encoder", 25, encoder),
    Step("trace", 20, trace),
    Step("variants", 60, partial(compare, variants=VARIANTS)),
    _versus("sam2-hiera-tiny", FLOAT32, 45),
    _versus("sam2.1-hiera-large", BFLOAT16, 45),
    _versus("sam2.1-hiera-tiny", BFLOAT16, 30),
    Step("store", 10, store),
    _versus("sam2.1-hiera-large", FLOAT32, 45),
    _versus("sam2.1-hiera-tiny", FLOAT32, 30),
    Step("compiled", 75, partial(compare, variants=SLOW_VARIANTS)),
)


def run(steps: tuple[Step, ...], setting: Setting, work: Path, seconds: float) -> None:
    """Take the steps that are left, as long as there is time."""
    ends = time.monotonic() + seconds
    for step in steps:
        _put_together(steps, setting, work)
        file = work / f"{step.name}.json"
        left = ends - time.monotonic()
        if file.exists():
            print(f"{step.name}: done before", flush=True)
        elif left < step.seconds:
            print(f"{step.name}: skipped, {left:.0f} s are left of the {step.seconds:.0f} it may take", flush=True)
        else:
            started = time.monotonic()
            write(file, json.dumps(_measured(step, setting), indent=1))
            print(f"{step.name}: {time.monotonic() - started:.1f} s", flush=True)
    _put_together(steps, setting, work)


def _measured(step: Step, setting: Setting) -> list[Row]:
    try:
        return step.measure(setting)
    except Exception as error:
        traceback.print_exc()
        return [{"failed": f"{type(error).__name__}: {error}"[:500]}]
    finally:
        if setting.device == "cuda":
            torch.cuda.empty_cache()


def _put_together(steps: tuple[Step, ...], setting: Setting, work: Path) -> None:
    files = {step.name: work / f"{step.name}.json" for step in steps}
    figures = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
    write(setting.output / "figures.json", json.dumps(figures, indent=1))
    write(setting.output / "figures.md", "\n".join(f"## {name}\n\n{table(rows)}" for name, rows in figures.items()))


def table(rows: list[Row]) -> str:
    """Rows as a table in Markdown, with the columns of all of them."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns), *([_shown(row.get(column, "")) for column in columns] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "/").replace("\n", " ")


def write(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="folder of the steps' own files; default: OUTPUT")
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("There is no CUDA device that PyTorch can use: --device cpu --quick shows that the script runs.")
    work = options.work or options.output
    for folder in (options.output, work):
        folder.mkdir(parents=True, exist_ok=True)
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32
    setting = Setting(options.device, options.output)
    if options.quick:
        steps = tuple(step for step in STEPS if not any(word in step.name for word in ("large", "float32", "compiled")))
        run(steps, setting.quick(), work, options.seconds)
    else:
        run(STEPS, setting, work, options.seconds)


if __name__ == "__main__":
    main()

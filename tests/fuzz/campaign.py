"""Damage files of all kinds for as long as wanted; what is found is kept as a case that the tests try from then on.

python -m tests.fuzz.campaign --minutes 60
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import tempfile
import time
import warnings
from itertools import product
from pathlib import Path

from .targets import TARGETS, Target, case, finding
from .test_fuzz import KEPT, N_CASES

_ROUND = 200
"""Cases of a kind before the next kind has its turn."""


def search(minutes: float, kinds: list[str], first_seed: int) -> int:
    """Try cases of each kind in turn until the time is over, and count what is found."""
    end, found, tried = time.monotonic() + 60 * minutes, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_REVSAM2_CACHE"] = folder
        for start, kind in product(range(first_seed, 2**31, _ROUND), kinds):
            if time.monotonic() > end:
                break
            found += _round(kind, TARGETS[kind], range(start, start + _ROUND), Path(folder) / kind / str(start))
            tried += _ROUND
    print(f"{tried} files damaged, {found} findings")
    return found


def _round(kind: str, target: Target, seeds: range, folder: Path) -> int:
    folder.mkdir(parents=True)
    target.build(folder)
    example = (folder / target.file).read_bytes()
    faults: dict[str, bytes] = {}
    for seed in seeds:
        content = case(target, example, seed)
        if fault := finding(target, folder, content):
            faults.setdefault(fault[:40], content)
            print(f"{kind}, seed {seed}: {fault}")
    for content in faults.values():
        kept = KEPT / kind / hashlib.sha256(content).hexdigest()[:12]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(content)
    return len(faults)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--kinds", nargs="*", default=list(TARGETS), choices=TARGETS)
    parser.add_argument("--first-seed", type=int, default=N_CASES, help="other seeds, other damage")
    options = parser.parse_args()
    warnings.simplefilter("error")
    logging.disable()
    raise SystemExit(bool(search(options.minutes, options.kinds, options.first_seed)))

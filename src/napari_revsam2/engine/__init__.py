"""The method of the paper, for any network with a memory; no PyTorch, no files, no Qt.

1. Forward propagation (section 3.1, Eq. 1-5): the N supports ``S`` with their labels ``Y`` go into memory, and each
   query slice ``q_i`` is segmented from them alone: ``p_i``.
2. Reverse propagation (section 3.2, Eq. 6-10): each ``q_i`` with its ``p_i`` goes into memory, and the supports are
   segmented from it; the mean Dice with ``Y`` is the reverse score ``pi_i``.
3. Selection (end of section 3.2): the k slices of the highest ``pi_i`` become the conditional slices.
4. Query self propagation (section 3.3, Eq. 11-15): the other slices are segmented again, one after the other, from the
   conditional slices and the most recent ones: ``P-tilde``.

`run_revsam2` runs all four for every class and yields what happens as events; `propagate_again` repeats the last.
"""

from .events import (
    BatchFinished,
    Event,
    LabelResult,
    Notice,
    RunFinished,
    SliceEmbedded,
    SliceScored,
    SliceSegmented,
    SlicesSelected,
    Stage,
    StageStarted,
    WindowResolved,
    result_of,
)
from .pipeline import propagate_again, run_revsam2
from .problem import QueryVolume, SupportSet, SupportSlice, stack_supports
from .propagator import MemoryBank, Propagator, Remembered

__all__ = [
    "BatchFinished",
    "Event",
    "LabelResult",
    "MemoryBank",
    "Notice",
    "Propagator",
    "QueryVolume",
    "Remembered",
    "RunFinished",
    "SliceEmbedded",
    "SliceScored",
    "SliceSegmented",
    "SlicesSelected",
    "Stage",
    "StageStarted",
    "SupportSet",
    "SupportSlice",
    "WindowResolved",
    "propagate_again",
    "result_of",
    "run_revsam2",
    "stack_supports",
]

"""The main job: supports and query from files, the run, mask and reports to files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from napari_revsam2.engine.events import Event, Notice, RunFinished, StageStarted, WindowResolved
from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.sam2_backend.checkpoints.checkpoint import find_checkpoint
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import ProblemError, VolumeFileError
from napari_revsam2.volume_files import LARGEST_LABEL, check_folder, check_writable
from napari_revsam2.volume_files.file_problem import FileProblem, open_problem
from napari_revsam2.volume_files.protected_inputs import ProtectedInputs
from napari_revsam2.volume_files.scores_file import write_scores

from .cache_commands import check_cache
from .figure import check_figure, write_figure
from .progress import RunProgress
from .run_report import RunReport, print_json, print_summary
from .stopwatch import Stopwatch


@dataclass(frozen=True)
class Request:
    """What the user asked for; paths of outputs are None where none is wanted."""

    supports: tuple[tuple[Path, Path], ...]
    query: Path
    output: Path
    config: RevSAM2Config = field(default_factory=RevSAM2Config)
    axis: Axis = Axis.AXIAL
    labels: tuple[int, ...] | None = None
    slices: tuple[tuple[int, ...], ...] | None = None
    n_support_is_binding: bool = False
    """Whether fewer annotated slices than N are an error."""
    scores: Path | None = None
    figure: Path | None = None
    truth: Path | None = None
    json: bool = False


def run_request(request: Request) -> RunReport:
    """Check, run and write; nothing is written before the run is complete.

    Raises
    ------
    RevSAM2Error
        For everything the user can solve.
    """
    stopwatch = Stopwatch()
    with stopwatch.running("read"):
        problem = _open(request)
        truth = problem.read_truth(request.truth) if request.truth else None
    window, result, notices = _run(problem, request, stopwatch)
    report = RunReport(request.config, request.axis, result, truth, stopwatch.seconds, notices, window)
    with stopwatch.running("write"):
        if request.scores:
            scores = {label.label: label.reverse_scores for label in result.labels}
            selected = {label.label: label.selected for label in result.labels}
            write_scores(request.scores, result.segmentation, scores, selected, truth)
        if request.figure:
            _, rows, columns = problem.volume.slice_spacing(request.axis)
            write_figure(request.figure, problem.query, report, rows / columns)
        problem.write(request.output, result.segmentation)  # last: an older mask stays unless all else is there
    if request.json:
        print_json(report)
    else:
        print_summary(report, request.output)
    return report


def _open(request: Request) -> FileProblem:
    _check_outputs(request)
    problem = open_problem(
        request.supports, request.query, request.config, request.axis, request.slices, request.labels
    )
    largest = max(request.labels or problem.supports.labels)
    if largest > LARGEST_LABEL:
        raise VolumeFileError(f"{request.output} can't hold label {largest}: number the classes up to {LARGEST_LABEL}.")
    if request.n_support_is_binding:
        _check_enough_supports(problem, request)
    return problem


def _check_outputs(request: Request) -> None:
    """Refuse what couldn't be written later, or would be written over something that is needed."""
    check_writable(request.output)
    if request.scores:
        check_folder(request.scores)
    if request.figure:
        check_figure(request.figure)
    inputs = filter(None, (*chain(*request.supports), request.query, request.truth))
    with find_checkpoint(request.config.checkpoint).on_disk() as weights:
        taken = ProtectedInputs.of((*inputs, weights))
    check_cache(taken)
    for path in filter(None, (request.output, request.scores, request.figure)):
        taken.check(path)
        taken = taken.and_file(path)


def _check_enough_supports(problem: FileProblem, request: Request) -> None:
    labels = request.labels or problem.supports.labels
    annotated = sum(any(s.mask(label).any() for label in labels) for s in problem.supports.slices)
    if request.config.n_support > annotated:
        files = ", ".join(str(path) for _, path in request.supports)
        raise ProblemError(
            f"{request.config.n_support} supports were asked for, but only {annotated} slices are annotated in {files}:"
            f" use --n-support {annotated} or less, or annotate more."
        )


def _run(
    problem: FileProblem, request: Request, stopwatch: Stopwatch
) -> tuple[WindowResolved, RunFinished, tuple[str, ...]]:
    """Load the network and consume the run; grey values, result and notices."""
    with stopwatch.running("load"):
        from napari_revsam2.sam2_backend.loading import load_with_store  # loads torch

        propagator = load_with_store(request.config)
    events = run_revsam2(propagator, problem.supports, problem.query, request.config, request.labels)
    notices = []
    with RunProgress() as progress:
        for event in _timed(events, stopwatch):
            progress.show(event)
            if isinstance(event, WindowResolved):
                window = event
            if isinstance(event, Notice):
                notices.append(event.text)
            if isinstance(event, RunFinished):
                return window, event, tuple(notices)
    raise AssertionError("a run ends with RunFinished")


def _timed(events: Iterator[Event], stopwatch: Stopwatch) -> Iterator[Event]:
    """Pass events on; their computation counts for the stage that was last announced."""
    stage = "prepare"
    while True:
        with stopwatch.running(stage):
            event = next(events, None)
        if event is None:
            return
        if isinstance(event, StageStarted):
            stage = event.stage.value
        yield event

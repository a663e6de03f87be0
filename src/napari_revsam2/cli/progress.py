"""Progress bars on a terminal, silence in a pipe."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from napari_revsam2.engine.events import Event, SliceEmbedded, SliceScored, SliceSegmented, StageStarted


class RunProgress:
    """One bar for each stage of a run, on standard error if that is a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=console, disable=not console.is_terminal)
        self._current: TaskID | None = None

    def __enter__(self) -> RunProgress:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()

    def show(self, event: Event) -> None:
        """Move the bar that the event belongs to."""
        if isinstance(event, StageStarted):
            of_class = f", class {event.label}" if event.label is not None else ""
            self._current = self._bars.add_task(event.stage.description + of_class, total=event.n_slices)
        elif isinstance(event, SliceEmbedded | SliceSegmented | SliceScored) and self._current is not None:
            self._bars.advance(self._current)

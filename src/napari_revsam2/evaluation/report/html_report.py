"""An evaluation for a reader: one HTML file that opens offline, and where it all comes from."""

from __future__ import annotations

import json
import platform
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from napari_revsam2.evaluation.datasets.dataset import Dataset
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.provenance import file_name, plain_settings, versions
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import replaced_file

from .table import Table

REPORT_FILE = "report.html"
PROVENANCE_FILE = "provenance.json"


@dataclass(frozen=True)
class Provenance:
    """What is needed to repeat an evaluation; folders are taken off wherever a value is a path or a URL.

    Attributes
    ----------
    config : RevSAM2Config
        Settings of all runs; mode, N and k are varied by the protocol, and the window is each dataset's.
    datasets : tuple of Dataset
        Of queries and supports.
    command : tuple of str
        The command line, word by word, without the program.
    checkpoint_sha256 : str
        Hash of the weights; empty where it isn't known.
    """

    config: RevSAM2Config
    datasets: tuple[Dataset, ...]
    command: tuple[str, ...]
    checkpoint_sha256: str = ""

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint, or of its file."""
        return str(plain_settings(self.config)["checkpoint"])

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        varied = ("mode", "n_support", "top_k", "window")
        settings = {name: value for name, value in plain_settings(self.config).items() if name not in varied}
        return {
            "checkpoint": {"name": self.checkpoint, "sha256": self.checkpoint_sha256 or None},
            "datasets": [{"name": d.name, "window": d.window, "axis": d.axis.value} for d in self.datasets],
            "command": [_without_folder(word) for word in self.command],
            "settings": settings,
            "versions": versions(),
            "platform": f"{platform.system()} {platform.machine()}",
        }


@dataclass(frozen=True)
class _Picture:
    """A picture as text: what it is, and its PNG in base64."""

    caption: str
    data: str


def write_report(folder: Path, tables: Sequence[Table], pictures: Sequence[Path], provenance: Provenance) -> Path:
    """Write ``report.html`` and ``provenance.json``.

    Parameters
    ----------
    folder : Path
        Where they go; written beside their names and renamed.
    tables : sequence of Table
        As from `summary.make_tables`.
    pictures : sequence of Path
        PNG files; they are put into the report, and named by what their files are called.
    provenance : Provenance
        Where the numbers come from.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    VolumeFileError
        When a picture can't be read or a file can't be written.
    """
    facts = provenance.as_dict()
    with replaced_file(folder / PROVENANCE_FILE) as temporary:
        temporary.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_template())
    text = template.render(
        tables=tables, pictures=[_read(path) for path in pictures], provenance=provenance, sections=_sections(facts)
    )
    path = folder / REPORT_FILE
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _template() -> str:
    return (files(__package__) / "report_template.html").read_text(encoding="utf-8")


def _read(path: Path) -> _Picture:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise VolumeFileError(f"{path} can't be read ({error.strerror}): create the report again.") from error
    return _Picture(path.stem.replace("_", " "), b64encode(data).decode("ascii"))


def _sections(facts: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    run = {
        "command": " ".join(facts["command"]),
        "datasets": ", ".join(f"{d['name']} (window {d['window']}, {d['axis']})" for d in facts["datasets"]),
        "checkpoint": facts["checkpoint"]["name"],
        "sha256 of the checkpoint": facts["checkpoint"]["sha256"] or "not known",
        "platform": facts["platform"],
    }
    return [("Run", run), ("Settings", facts["settings"]), ("Versions", facts["versions"])]


def _without_folder(word: str) -> str:
    """Take folders off a word, or off the value of an option: they tell of people and machines, not of results."""
    option, sign, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return option + sign + file_name(value)

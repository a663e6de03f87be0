"""Modes in words."""

from __future__ import annotations

import pytest

from napari_revsam2.evaluation.experiment.result_rows import ResultRow
from napari_revsam2.evaluation.report.mode_names import mode_name, mode_order, system_of
from napari_revsam2.evaluation.report.section import to_frame
from napari_revsam2.evaluation.systems.registry import NAMES
from napari_revsam2.settings.config import Mode
from tests.evaluation.result_rows import result


@pytest.mark.parametrize(
    ("mode", "name"),
    [("revsam2", "RevSAM2"), ("nnunet-20", "nnU-Net-20"), ("mine", "mine"), ("points-1", "1 pos")],
)
def test_a_mode_has_a_name(mode: str, name: str) -> None:
    assert mode_name(mode).startswith(name)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (result(), "RevSAM2, N = 10, k = 7"),
        (result(mode="forward"), "forward propagation, N = 10"),
        (result(mode="box"), "bounding box"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_tells_n_and_k_where_the_mode_has_them(row: ResultRow, name: str) -> None:
    assert mode_name(row.mode, to_frame([row], ResultRow)) == name


def test_the_epochs_of_nnunet_make_no_other_system() -> None:
    assert (system_of("nnunet-20"), system_of("points-1")) == ("nnunet", "points-1")


def test_prompts_come_first_and_the_method_last() -> None:
    modes = sorted(["revsam2", "registration", "nnunet-20", "mask", "points-3"], key=mode_order)
    assert modes == ["points-3", "mask", "nnunet-20", "registration", "revsam2"]


@pytest.mark.parametrize("mode", [*Mode, *(name for name in NAMES if name != "registration")])
def test_every_mode_of_the_paper_is_written_in_words(mode: str) -> None:
    assert mode_name(mode) != mode

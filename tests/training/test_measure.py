"""The cases and the table of measurements on real volumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training.measure import SUPPORT_SUBJECTS, Row, cases, image_and_labels, print_table

from napari_revsam2.evaluation.experiment.measures import SliceQuality


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Empty files under the names of a data folder."""
    for name in (
        "abdomen/ct_a",
        "abdomen/ct_b",
        *(f"hippocampus/hippocampus_{n}" for n in ("001", "003", "004", "006")),
    ):
        for path in image_and_labels(tmp_path / name):
            path.parent.mkdir(exist_ok=True)
            path.touch()
    return tmp_path


def test_each_ct_supports_the_other_and_three_subjects_support_the_rest(data: Path) -> None:
    assert [case.name for case in cases(data)] == ["ct_a -> ct_b", "ct_b -> ct_a", "hippocampus_006"]


def test_no_query_is_among_its_own_supports(data: Path) -> None:
    for case in cases(data):
        assert case.query not in case.supports
    assert [stem.name[-3:] for stem in case.supports] == list(SUPPORT_SUBJECTS)


def test_the_mean_of_the_three_weighs_structures_not_volumes(capsys: pytest.CaptureFixture[str]) -> None:
    quality = SliceQuality(*(np.nan for _ in SliceQuality.__dataclass_fields__))
    rows = [
        Row("ct_a -> ct_b", 5, 0.6, 0.9, quality),
        Row("ct_a -> ct_b", 1, 0.3, 0.6, quality),
        *(Row(f"hippocampus_{n}", 1, 0.3, 0.3, quality) for n in range(5)),
    ]
    print_table(rows)
    assert capsys.readouterr().out.splitlines()[-1] == "mean of the three: forward 0.400, revsam2 0.600"

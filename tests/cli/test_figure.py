"""The picture of a result."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_revsam2.cli import figure as figure_module
from napari_revsam2.cli.figure import check_figure
from napari_revsam2.cli.segment import Request, run_request
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError

from .conftest import Files


@pytest.fixture
def drawn(monkeypatch) -> list[Axes]:
    """Panels of slices that are drawn."""
    panels: list[Axes] = []
    save = Figure.savefig

    def saved(figure: Figure, *arguments, **options) -> None:
        save(figure, *arguments, **options)
        panels.extend(axes for axes in figure.axes if axes.images)

    monkeypatch.setattr(figure_module.Figure, "savefig", saved)
    return panels


@pytest.mark.parametrize(
    ("axis", "millimetres"), [(Axis.AXIAL, 72 / 80), (Axis.CORONAL, 15 / 80), (Axis.SAGITTAL, 15 / 72)]
)
def test_slices_are_drawn_in_the_proportions_of_the_body(files: Files, drawn, tmp_path, axis, millimetres):
    request = Request(
        supports=((files.image, files.labels),),
        query=files.query,  # 40 x 36 x 5 voxels of 2 x 2 x 3 mm
        output=files.output,
        config=RevSAM2Config(mode="forward", n_support=1),
        axis=axis,
        figure=tmp_path / "figure.png",
    )
    run_request(request)
    assert drawn
    for panel in drawn:
        box = panel.get_window_extent()
        assert box.height / box.width == pytest.approx(millimetres, rel=0.02)


@pytest.mark.parametrize("ending", [".png", ".PDF", ".svg"])
def test_a_figure_may_be_of_each_of_these_kinds(tmp_path: Path, ending):
    check_figure(tmp_path / f"figure{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "sentence"), [("f.jpg", "ends in .png"), ("no/f.png", "doesn't exist")])
def test_a_figure_that_could_not_be_written_is_refused(tmp_path: Path, name, sentence):
    with pytest.raises(VolumeFileError, match=sentence):
        check_figure(tmp_path / name)
    assert not list(tmp_path.iterdir())

"""The whole way in a real window: sample data, one click on Run with the embedded checkpoint, a picture."""

from __future__ import annotations

import numpy as np
import pytest
from screenshots import picture, run_to_the_end, until, window_with_sample

from napari_revsam2.plugin.run_state import Phase


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_from_the_sample_to_masks_and_scores_on_screen_and_again(qapp, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    viewer, widget = window_with_sample()
    try:
        empty = picture(viewer)
        run_to_the_end(widget)
        assert widget.controller.state.phase is Phase.COMPLETED, widget.controller.state.message
        layer = viewer.layers["hippocampus_006 revsam2"]
        assert {1, 2} <= set(np.unique(layer.data))
        shown = int(np.argmax((layer.data == 1).sum((1, 2))))
        viewer.dims.set_point(0, layer.data_to_world((shown, 0, 0))[0])
        full = picture(viewer)
        plot = widget.scores.plot
        corner = plot.mapTo(viewer.window._qt_window, plot.rect().topLeft())
        rows, columns = slice(corner.y(), corner.y() + plot.height()), slice(corner.x(), corner.x() + plot.width())
        assert (empty[rows, columns] != full[rows, columns]).any(2).sum() > 200  # curves
        canvas = full[100:700, 340:850, :3].astype(int)
        assert (canvas.max(2) - canvas.min(2) > 60).sum() > 1000  # coloured masks on a grey image
        widget.scores.again.click()
        until(lambda: not widget.controller.state.phase.is_active, 60)
        assert widget.controller.state.phase is Phase.COMPLETED
    finally:
        viewer.close()
    until(lambda: not widget.controller._thread.isRunning(), 10)

"""The window of slices read one at a time is that of the whole volume."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_revsam2.settings.intensity_window import IntensityWindow, windowed
from napari_revsam2.vocabulary.errors import ProblemError

shapes = hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)
finite = {"allow_nan": False, "allow_infinity": False, "min_value": -1e6, "max_value": 1e6}
volumes = st.one_of(
    hnp.arrays(st.sampled_from([np.uint8, np.int16, np.uint16, np.int32]), shapes),
    hnp.arrays(np.float32, shapes, elements=st.floats(width=32, **finite)),
    hnp.arrays(np.float64, shapes, elements=st.floats(**finite)),
    hnp.arrays(np.bool_, shapes),
)
percentiles = st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted).filter(lambda pair: pair[0] < pair[1])


@given(volumes, percentiles)
def test_limits_of_slices_are_the_percentiles_of_the_whole(volume, pair):
    window = IntensityWindow.parse(f"percentile:{pair[0]},{pair[1]}")
    low, high = np.percentile(volume.astype(float) if volume.dtype == bool else volume, pair)
    if not high > low:
        for given_as in (volume, list(volume)):
            with pytest.raises(ProblemError, match="a single grey value"):
                window.limits(given_as)
        return
    assert window.limits(volume) == (low, high)
    assert window.limits(list(volume)) == pytest.approx((low, high), rel=1e-6, abs=1e-9)


@given(volumes, st.floats(-1e5, 1e5), st.floats(1e-2, 1e5))
def test_a_window_keeps_the_order_of_grey_values_between_black_and_white(volume, low, width):
    grey = windowed(volume, (low, low + width))
    assert grey.min() >= 0
    assert grey.max() <= 1
    order = np.argsort(volume, axis=None)
    assert (np.diff(grey.ravel()[order]) >= 0).all()

"""A request on layers: which slices it uses, what is copied at the click, and what is read later."""

from __future__ import annotations

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_revsam2.engine.pipeline import run_revsam2
from napari_revsam2.engine.support_selection import select_supports
from napari_revsam2.plugin.inputs.layer_request import LayerRequest, choose_supports, limits_of, request_from
from napari_revsam2.plugin.inputs.painted_pair import PaintedPair, cut_pair
from napari_revsam2.plugin.layers.layer_slices import slices_of
from napari_revsam2.settings.config import RevSAM2Config
from napari_revsam2.settings.intensity_window import IntensityWindow
from napari_revsam2.vocabulary.errors import ProblemError
from tests.engine.conftest import BRIGHT, DARK, paint
from tests.engine.fake_propagator import FakePropagator

PERCENTILES = IntensityWindow.parse("percentile:0,100")


def annotate(image, labels, axis=-3, **options) -> PaintedPair:
    """Know all that is painted."""
    pair = cut_pair(Image(image, name="image", **options), Labels(labels, name="labels"), axis)
    counts = [np.unique(plane[plane != 0], return_counts=True) for plane in labels]
    voxels = {index: dict(zip(*found, strict=True)) for index, found in enumerate(counts) if len(found[0])}
    return replace(pair, voxels=voxels, is_known=True)


def ask(*painted, span=None, unchecked=(), **config) -> LayerRequest:
    """Ask for a run on a query of eight slices."""
    query = Image(paint((8, 14, 13), shift=3)[0], name="query")
    settings = RevSAM2Config(**config)
    used = choose_supports([pair.checked(unchecked) for pair in painted], settings.n_support)
    return request_from(painted, used, query, slices_of(query, -3, span=span), settings)


def test_supports_are_spread_evenly_over_volumes_and_within_each():
    painted = [dict.fromkeys(range(10), (1,)), dict.fromkeys(range(4), (1,))]
    assert choose_supports(painted, 4) == [{2: (1,), 7: (1,)}, {1: (1,), 3: (1,)}]


def test_each_class_has_its_own_supports():
    assert choose_supports([{3: (1,), 4: (1, 2), 5: (2,)}], 1) == [{4: (1,), 5: (2,)}]


def test_a_class_on_fewer_slices_than_n_uses_them_all():
    assert choose_supports([{3: (1,), 7: (1,)}], 10) == [{3: (1,), 7: (1,)}]


def test_the_engine_uses_the_slices_that_the_form_shows():
    image, labels = paint((12, 10, 12))
    labels[2:7] = np.where(labels[2:7] == DARK, 0, labels[2:7])
    request = ask(annotate(image, labels), n_support=3)
    shown = request.volumes[0].used
    for label in (BRIGHT, DARK):
        used = select_supports(request.supports, label, request.config.n_support)
        assert [support.index for support in used] == [i for i in sorted(shown) if label in shown[i]]


def test_supports_carry_image_labels_limits_volume_and_slice_number():
    first, second = paint((5, 10, 12)), paint((4, 9, 11))
    request = ask(annotate(*first), annotate(second[0] + 20, second[1]), window="percentile:0,100")
    assert [(s.volume, s.index) for s in request.supports.slices] == [(0, i) for i in range(1, 5)] + [
        (1, i) for i in range(1, 4)
    ]
    assert {s.volume: s.limits for s in request.supports.slices} == {0: (0, 100), 1: (20, 120)}
    np.testing.assert_array_equal(request.supports.slices[0].image, first[0][1])
    np.testing.assert_array_equal(request.supports.slices[0].labels, first[1][1])


def test_the_query_is_the_range_of_its_layer():
    request = ask(annotate(*paint((5, 10, 12))), span=(2, 6))
    assert request.query.shape == (4, 14, 13)
    np.testing.assert_array_equal(request.query.slices[0], request.query_layer.data[2])


def test_all_painted_classes_are_segmented():
    assert ask(annotate(*paint((5, 10, 12)))).labels == (BRIGHT, DARK)


def test_a_run_on_it_ends_with_both_classes():
    request = ask(annotate(*paint((5, 10, 12))), n_support=3, top_k=2)
    events = run_revsam2(FakePropagator(), request.supports, request.query, request.config, request.labels)
    assert set(np.unique(list(events)[-1].segmentation)) == {0, BRIGHT, DARK}


def test_strokes_after_the_click_do_not_reach_it():
    annotated = annotate(*paint((5, 10, 12)))
    request = ask(annotated).pinned()
    annotated.labels.data[:] = 0
    assert request.supports.labels == (BRIGHT, DARK)


def test_its_colours_are_those_of_the_support_whatever_is_chosen_there_later():
    annotated = annotate(*paint((5, 10, 12)))
    before = annotated.labels.colormap.map(BRIGHT)
    annotated.labels.show_selected_label = True
    request = ask(annotated).pinned()
    annotated.labels.new_colormap(3)
    np.testing.assert_array_equal(request.colormap.map(BRIGHT), before)
    assert not request.colormap.use_selection


def test_nothing_of_an_image_is_read_before_the_supports_are_asked_for():
    read = []
    image, labels = paint((5, 10, 12))

    def block(block_info):
        index = block_info[None]["chunk-location"][0]
        read.append(index)
        return image[index : index + 1]

    lazy = da.map_blocks(block, chunks=((1,) * 5, (10,), (12,)), dtype=np.float32, meta=np.zeros((0, 0, 0)))
    annotated = annotate(lazy, labels, contrast_limits=(0, 100), cache=False)
    read.clear()
    request = ask(annotated, n_support=2, window="abdomen").pinned()
    assert not read
    assert len(request.supports.slices) == 2
    assert sorted(read) == [s.index for s in request.supports.slices]


def test_contrast_limits_are_each_layers_own():
    annotated = annotate(*paint((5, 10, 12)), contrast_limits=(10, 60))
    request = ask(annotated, window="contrast-limits")
    assert {s.limits for s in request.supports.slices} == {(10.0, 60.0)}
    assert request.query.limits == tuple(request.query_layer.contrast_limits)
    assert request.config.window == "contrast-limits"


def test_contrast_limits_are_those_of_the_click():
    annotated = annotate(*paint((5, 10, 12)), contrast_limits=(10, 60))
    request = ask(annotated, window="contrast-limits").pinned()
    annotated.image.contrast_limits = (0, 1)
    assert request.supports.slices[0].limits == (10.0, 60.0)


def test_percentiles_are_of_the_whole_volume_whatever_the_range():
    slices = slices_of(Image(np.arange(4 * 5 * 6).reshape(4, 5, 6)), 0, span=(1, 2))
    assert limits_of("scan", slices, PERCENTILES) == (0, 119)


def test_percentiles_are_those_of_the_command_line():
    volume = np.random.default_rng(0).normal(size=(40, 30, 20)).astype(np.float32)
    window = IntensityWindow.parse("percentile:0.5,99.5")
    assert limits_of("scan", slices_of(Image(volume), -1), window) == window.limits(volume)


def test_percentiles_of_a_big_volume_are_of_all_its_slices():
    volume = np.broadcast_to(np.arange(100, dtype=np.int16)[:, None, None], (100, 420, 420)).copy()
    volume[1] = 1000
    assert limits_of("scan", slices_of(Image(volume, contrast_limits=(0, 1)), 0), PERCENTILES) == (0, 1000)


def test_a_constant_volume_is_refused_by_name():
    with pytest.raises(ProblemError, match=r"scan has a single grey value \(3\)"):
        limits_of("scan", slices_of(Image(np.full((4, 5, 6), 3)), 0), PERCENTILES)


def test_a_volume_of_true_and_false_has_limits():
    assert limits_of("scan", slices_of(Image(np.eye(6, dtype=bool)[None] * [[[True]]]), 0), PERCENTILES) == (0, 1)


def test_a_class_below_zero_is_refused():
    image, labels = paint((5, 10, 12))
    with pytest.raises(ProblemError, match="has the class -1: number the classes from 1"):
        ask(annotate(image, -(labels.astype(np.int8) == BRIGHT).astype(np.int8)))


def test_nothing_painted_is_refused_with_the_name_of_the_layer():
    image, labels = paint((5, 10, 12))
    with pytest.raises(ProblemError, match=r"Nothing is painted: .* 'labels'"):
        ask(annotate(image, np.zeros_like(labels)))


def test_all_slices_unchecked_is_refused():
    with pytest.raises(ProblemError, match="All painted slices are unchecked"):
        ask(annotate(*paint((5, 10, 12))), unchecked=range(5))

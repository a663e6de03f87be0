"""Rows of the list of painted slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import Qt

from napari_revsam2.plugin.inputs.painted_pair import PaintedPair, cut_pair
from napari_revsam2.plugin.supports.support_items import CLASSES, SLICE, USED, VOXELS, PairItem


@pytest.fixture
def pair() -> PaintedPair:
    layers = Image(np.zeros((9, 4, 5)), name="scan"), Labels(np.zeros((9, 4, 5), np.uint8), name="scan labels")
    return replace(cut_pair(*layers, -3), voxels={2: {1: 6, 3: 2}, 7: {1: 5}}, is_known=True)


@pytest.fixture
def top(qapp) -> PairItem:
    return PairItem()


def rows(top) -> list:
    return [top.child(number) for number in range(top.childCount())]


def test_a_row_shows_slice_classes_voxels_and_use(top, pair):
    assert top.show(pair, (), {2: (1, 3)})
    shown = [[row.text(column) for column in (SLICE, CLASSES, VOXELS, USED)] for row in rows(top)]
    assert shown == [["2", "1, 3", "8", "●"], ["7", "1", "5", ""]]
    assert not rows(top)[0].icon(CLASSES).isNull()
    assert "A support of class 1, 3." in rows(top)[0].toolTip(SLICE)
    assert "Not used" in rows(top)[1].toolTip(SLICE)


@pytest.mark.parametrize(
    ("unchecked", "state", "count"),
    [
        ((), Qt.CheckState.Checked, "scan: 2 of 2 painted slices"),
        ((7,), Qt.CheckState.PartiallyChecked, "scan: 1 of 2 painted slices"),
        ((2, 7), Qt.CheckState.Unchecked, "scan: 0 of 2 painted slices"),
    ],
)
def test_the_row_of_the_pair_says_how_many_are_checked(top, pair, unchecked, state, count):
    top.show(pair, unchecked, {})
    assert (top.checkState(SLICE), top.text(SLICE)) == (state, count)
    wanted = [row.checkState(SLICE) == Qt.CheckState.Checked for row in rows(top)]
    assert wanted == [index not in unchecked for index in (2, 7)]


def test_until_all_slices_are_known_it_says_so(top, pair):
    top.show(replace(pair, is_known=False), (), {})
    assert top.text(SLICE) == "scan: looking for painted slices ..."


def test_rows_come_in_order_and_go(top, pair):
    top.show(pair, (), {})
    assert top.show(replace(pair, voxels={2: {1: 6}, 4: {1: 1}, 7: {1: 5}}), (), {})
    assert [row.index for row in rows(top)] == [2, 4, 7]
    assert top.show(replace(pair, voxels={4: {1: 1}}), (), {})
    assert [row.index for row in rows(top)] == [4]


def test_the_same_rows_are_no_news(top, pair):
    top.show(pair, (), {})
    assert not top.show(pair, (7,), {2: (1,)})

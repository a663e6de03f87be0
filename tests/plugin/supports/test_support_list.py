"""The list of annotated slices."""

from __future__ import annotations

from qtpy.QtCore import Qt

from tests.plugin.form.conftest import rows_of


def test_the_list_shows_slices_classes_and_area(sample):
    assert [[row.text(column) for column in range(3)] for row in rows_of(sample)] == [
        [str(index), "1, 5", "28"] for index in range(1, 5)
    ]


def test_the_list_marks_the_slices_that_a_run_uses(sample):
    sample.settings.n_support.box.setValue(3)
    marked = [[row.text(0) for row in rows_of(sample, number) if row.text(3)] for number in range(2)]
    request = sample.request()
    assert marked == [[str(s.index) for s in request.supports.slices if s.volume == number] for number in range(2)]
    assert sum(map(len, marked)) == 3


def test_an_unchecked_slice_is_not_used(sample):
    rows_of(sample)[1].setCheckState(0, Qt.CheckState.Unchecked)
    sample.settings.n_support.box.setValue(99)
    assert [s.index for s in sample.request().supports.slices if s.volume == 0] == [1, 3, 4]
    assert sample.supports.tree.topLevelItem(0).checkState(0) == Qt.CheckState.PartiallyChecked
    assert sample.supports.tree.topLevelItem(0).text(0) == "subject 0: 3 of 4 painted slices"


def test_unchecking_a_volume_unchecks_its_slices(sample):
    top = sample.supports.tree.topLevelItem(1)
    top.setCheckState(0, Qt.CheckState.Unchecked)
    assert {row.checkState(0) for row in rows_of(sample, 1)} == {Qt.CheckState.Unchecked}
    assert {s.volume for s in sample.request().supports.slices} == {0}
    top.setCheckState(0, Qt.CheckState.Checked)
    assert {s.volume for s in sample.request().supports.slices} == {0, 1}


def test_a_click_on_a_slice_asks_to_see_it(qtbot, sample, viewer):
    tree, row = sample.supports.tree, rows_of(sample)[2]
    sample.show()
    with qtbot.waitSignal(sample.supports.slice_requested) as asked:
        place = tree.visualItemRect(row).center()
        qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked.args == [viewer.layers["subject 0"], 3]


def test_a_removed_pair_leaves_the_list(sample, viewer):
    viewer.layers.remove(viewer.layers["subject 0"])
    viewer.layers.remove(viewer.layers["subject 0 labels"])
    assert sample.supports.tree.topLevelItem(0).text(0) == "subject 1: 5 of 5 painted slices"
    assert sample.supports.tree.topLevelItemCount() == 1

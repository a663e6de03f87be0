"""Rows are told apart by what they are of, and not by what was measured."""

from dataclasses import replace

from tests.evaluation.result_rows import result

ROW = result()


def test_what_differs_in_values_alone_has_the_same_key():
    assert replace(ROW, dsc=0.1, seconds=9).key == ROW.key
    assert replace(ROW, top_k=3).key != ROW.key

"""Text that a spreadsheet shows and doesn't run, and that comes back as it was."""

from __future__ import annotations

from itertools import product

import pytest

from napari_revsam2.vocabulary.spreadsheet_text import escaped, unescaped


@pytest.mark.parametrize("length", range(5))
def test_any_text_comes_back_as_it_was_and_begins_no_formula(length):
    for signs in product("=-@'; \ta", repeat=length):
        text = "".join(signs)
        assert unescaped(escaped(text)) == text
        assert not any(cell.strip()[:1] in {*"=-@"} - {""} for cell in escaped(text).split(";"))


@pytest.mark.parametrize("text", ["", "a", "case 1", "kidney-left", "a=b", "'quoted'", "x@y", "1 + 1"])
def test_text_that_begins_no_formula_is_left_alone(text):
    assert escaped(text) == text

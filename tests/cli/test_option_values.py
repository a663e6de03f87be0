"""Words of the command line are checked as they are read."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from napari_revsam2.cli.option_values import as_count, as_millimetres, as_name, as_whole_number, as_whole_numbers


@pytest.mark.parametrize("text", ["a b", "Körper", "line\nbreak", "bytes\udcff", " "])
def test_whatever_a_file_can_be_called_is_a_name(text):
    assert as_name(text) == text


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800"])
def test_what_no_file_can_be_called_is_no_name(text):
    with pytest.raises(ArgumentTypeError):
        as_name(text)


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("-3", -3), ("4294967295", 2**32 - 1)])
def test_a_whole_number_may_have_32_bits(text, number):
    assert as_whole_number(text) == number
    assert as_whole_numbers(f"{text},0") == (number, 0)


@pytest.mark.parametrize("text", ["", "1.5", "1e400", "nan", "inf", "4294967296", "-4294967296", "9" * 5000])
@pytest.mark.parametrize("read", [as_whole_number, as_whole_numbers, as_count()])
def test_no_other_number_is_taken_nor_repeated_at_length(read, text):
    with pytest.raises(ArgumentTypeError) as error:
        read(text)
    assert len(str(error.value)) < 100


@pytest.mark.parametrize(("text", "is_count"), [("1", True), ("5", True), ("0", False), ("6", False), ("-1", False)])
def test_a_count_lies_within_its_bounds(text, is_count):
    if is_count:
        assert as_count(5)(text) == int(text)
    else:
        with pytest.raises(ArgumentTypeError, match="from 1 to 5"):
            as_count(5)(text)


@pytest.mark.parametrize("text", ["", "-1", "nan", "inf", "1e400", "2 mm"])
def test_a_length_is_finite_and_not_below_0(text):
    with pytest.raises(ArgumentTypeError, match="isn't a number from 0"):
        as_millimetres(text)

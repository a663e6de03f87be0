"""An element of a DICOM file that claims more than the file holds is found before memory is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import read_image
from napari_revsam2.volume_files.dicom_elements import claims_fit

from .test_dicom import write_series

_META = b"DICM" + b"\x02\x00\x10\x00UI"


@pytest.fixture
def slice_file(tmp_path) -> Path:
    write_series(tmp_path / "series", np.zeros((4, 3, 2), np.int16), np.diag([1.0, 1, 2, 1]))
    return tmp_path / "series" / "IMG-0002-00001.dcm"


def _file(path: Path, syntax: bytes, elements: bytes) -> Path:
    path.write_bytes(bytes(128) + _META + len(syntax).to_bytes(2, "little") + syntax + elements)
    return path


def test_a_whole_file_claims_what_it_holds(slice_file):
    assert claims_fit(slice_file)


def test_a_file_that_is_cut_short_is_refused_by_name(slice_file):
    slice_file.write_bytes(slice_file.read_bytes()[:-1])
    assert not claims_fit(slice_file)
    with pytest.raises(VolumeFileError, match=r"IMG-0002-00001\.dcm can't be read as a slice of its series"):
        read_image(slice_file.parent)


@pytest.mark.parametrize(
    ("syntax", "elements"),
    [
        (b"1.2.840.10008.1.2.1\0", b"\x08\x00\x05\x00UT\0\0\xff\xff\xff\x7f" + b"long form"),
        (b"1.2.840.10008.1.2.1\0", b"\x08\x00\x05\x00LO\xff\x7f" + b"short form"),
        (b"1.2.840.10008.1.2\0", b"\x08\x00\x05\x00\xff\xff\xff\x7f" + b"implicit"),
        (b"1.2.840.10008.1.2.4.70", b"\x08\x00\x05\x00LO\xff\x7f" + b"JPEG"),
        (b"1.2.840.10008.1.2.1\0", b"\x02\x00\x13\x00??\x01\x00a"),
    ],
)
def test_an_element_that_claims_too_much_is_found(tmp_path, syntax, elements):
    assert not claims_fit(_file(tmp_path / "a.dcm", syntax, elements))


@pytest.mark.parametrize(
    ("syntax", "elements"),
    [
        (b"1.2.840.10008.1.2.1\0", b"\x08\x00\x05\x00SQ\0\0\xff\xff\xff\xff" + b"of undefined length"),
        (b"1.2.840.10008.1.2.2\0", b"\x00\x08\x00\x05UT\0\0\x00\x00\x00\x02" + b"big"),
        (b"1.2.840.10008.1.2.1.99", b"deflated"),
    ],
)
def test_of_what_cannot_be_walked_through_nothing_is_said(tmp_path, syntax, elements):
    assert claims_fit(_file(tmp_path / "a.dcm", syntax, elements))
    (tmp_path / "b.dcm").write_bytes(b"x" * 300)
    assert claims_fit(tmp_path / "b.dcm")

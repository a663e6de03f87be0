"""Sessions and painted slices as files; a file that is damaged is refused in one sentence, whatever the damage."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_revsam2.plugin.files.session_file import load_session, load_supports, save_session, save_supports
from napari_revsam2.vocabulary.errors import VolumeFileError

from .session_values import ARRAYS, FORM, HEAD, PAIR, RUN, SUPPORT, changed, npy_of, write, write_members


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "s.npz"


@pytest.fixture
def session(path):
    write(path)
    return load_session(path)


def test_a_session_comes_back_as_it_was(path, session):
    save_session(path, session)
    back = load_session(path)
    assert (back.form, back.run) == (session.form, session.run)
    assert back.form.unchecked == ((1,),)
    assert back.run.scores == {1: (0.5, None, 0.25, 1.0, 0.0)}
    np.testing.assert_array_equal(back.result, ARRAYS["result"])
    pair = back.supports[0]
    np.testing.assert_array_equal(pair.image, PAIR.image)
    assert pair.image.dtype == PAIR.image.dtype
    assert (pair.name, pair.indices, pair.scale, pair.units) == (PAIR.name, PAIR.indices, PAIR.scale, PAIR.units)


def test_a_session_without_a_run_comes_back(path, session):
    save_session(path, replace(session, run=None, result=None))
    assert load_session(path).run is None


def test_painted_slices_come_from_their_own_file_or_from_a_session_of_any_version(path, session):
    assert len(load_supports(path)) == 1
    save_supports(path, [PAIR, PAIR])
    assert len(load_supports(path)) == 2
    write(path, {"napari_revsam2": "session", "version": 1, "supports": [SUPPORT], "choices": {}})
    assert load_supports(path)[0].indices == (3, 9)


def test_painted_slices_are_no_session(path):
    save_supports(path, [PAIR])
    with pytest.raises(VolumeFileError, match="'Load painted slices'"):
        load_session(path)


def test_a_session_of_version_1_points_to_its_painted_slices(path):
    write(path, {"napari_revsam2": "session", "version": 1, "supports": [SUPPORT], "choices": {}})
    with pytest.raises(VolumeFileError, match=r"an earlier version.* choose 'Load painted slices'"):
        load_session(path)


def test_a_file_of_a_later_version_is_refused(path):
    write(path, {**HEAD, "version": 99})
    for load in (load_session, load_supports):
        with pytest.raises(VolumeFileError, match="later version"):
            load(path)


def test_a_missing_file_is_said_to_be_missing(path):
    with pytest.raises(VolumeFileError, match="doesn't exist"):
        load_session(path)


def test_a_save_that_fails_leaves_the_old_file(path, session, monkeypatch):
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(VolumeFileError):
        save_session(path, session)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["s.npz"]


# Damage to the file.


def _truncated(path: Path) -> None:
    write(path)
    path.write_bytes(path.read_bytes()[:200])


def _foreign(path: Path) -> None:
    np.savez(path, x=np.zeros(3))


def _text(path: Path) -> None:
    path.write_text("hello")


def _pickled(path: Path) -> None:
    np.savez(path, head=np.array([print], dtype=object), allow_pickle=True)


def _pickled_image(path: Path) -> None:
    write_members(path, image_0=npy_of(np.array([print], dtype=object)))


def _no_array(path: Path) -> None:
    write_members(path, image_0=b"garbage")


def _half_an_array(path: Path) -> None:
    write_members(path, image_0=npy_of(PAIR.image)[:-4])


def _promises_terabytes(path: Path) -> None:
    honest = npy_of(PAIR.image)
    lie = honest.replace(b"(2, 3, 4), }" + b" " * 10, b"(90000, 90000, 30), }" + b" ")
    assert len(lie) == len(honest)
    write_members(path, image_0=lie)


def _deep_list(path: Path) -> None:
    write(path, "[" * 100_000 + "]" * 100_000)


def _deep_dict(path: Path) -> None:
    write(path, '{"a":' * 50_000 + "1" + "}" * 50_000)


def _deep_provenance(path: Path) -> None:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    write(path, json.dumps(changed(HEAD, "run.provenance", {"a": "@"})).replace('"@"', deep))


def _lone_surrogate(path: Path) -> None:
    write(path, changed(HEAD, "form.query", {"name": "\ud800", "shape": [5, 3, 4]}))


def _entry(path: Path, offset: int, value: int) -> None:
    """Put a 16-bit number into the central directory's entry of an array, and into its local header."""
    write(path)
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<H", data, central + offset, value)
    path.write_bytes(data)


def _unknown_method(path: Path) -> None:
    _entry(path, 10, 255)


def _patched_data(path: Path) -> None:
    _entry(path, 8, 0x20)


def _encrypted(path: Path) -> None:
    _entry(path, 8, 0x01)


def _version_of_zip(path: Path) -> None:
    _entry(path, 6, 200)


def _bad_checksum(path: Path) -> None:
    write(path)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 16] ^= 0xFF
    path.write_bytes(data)


def _broken_stream(path: Path) -> None:
    write(path)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("image_0.npy").header_offset
    data = bytearray(path.read_bytes())
    data[start + 60 : start + 80] = b"\xff" * 20
    path.write_bytes(data)


@pytest.mark.parametrize(
    "make",
    [
        _truncated,
        _foreign,
        _text,
        _pickled,
        _pickled_image,
        _no_array,
        _half_an_array,
        _promises_terabytes,
        _deep_list,
        _deep_dict,
        _unknown_method,
        _patched_data,
        _encrypted,
        _version_of_zip,
        _bad_checksum,
        _broken_stream,
    ],
)
def test_a_file_that_is_damaged_is_refused_in_one_sentence(path, make):
    make(path)
    for load in (load_session, load_supports):
        with pytest.raises(VolumeFileError, match=r"s\.npz can't be read .*: choose another one\.$"):
            load(path)


@pytest.mark.parametrize("make", [_deep_provenance, _lone_surrogate])
def test_a_session_whose_description_is_damaged_is_refused_in_one_sentence(path, make):
    make(path)
    with pytest.raises(VolumeFileError, match=r"s\.npz can't be read"):
        load_session(path)


def test_a_file_that_would_fill_the_memory_is_refused_before(path, monkeypatch):
    write(path)
    monkeypatch.setattr("napari_revsam2.plugin.files.session_file._LARGEST", 100)
    with pytest.raises(VolumeFileError, match="would unpack to"):
        load_session(path)


def test_a_file_that_unpacks_to_more_than_zlib_can_pack_is_refused_before(path):
    write(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("bomb.npy", bytes(10**8))
    with pytest.raises(VolumeFileError, match="would unpack to"):
        load_session(path)


@pytest.mark.parametrize("unit", ["pixel", "millimeter ** 2", "1 / second", "meter * second ** 0.5"])
def test_units_as_pint_writes_them_are_kept(path, unit):
    write(path, changed(HEAD, "supports.0.units", [unit] * 3))
    assert load_session(path).supports[0].units == (unit,) * 3


# Values that can't be.

_WIDE = pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long double is double here")

_WRONG = [
    ("supports", []),
    ("supports.0.indices", [3, 3]),
    ("supports.0.indices", [3]),
    ("supports.0.indices", [3, -1]),
    ("supports.0.indices", [3, 2**70]),
    ("supports.0.scale", [0.0, 1.0, 1.0]),
    ("supports.0.scale", [10**400, 1.0, 1.0]),
    ("supports.0.scale", [float("inf"), 1.0, 1.0]),
    ("supports.0.scale", [float("nan"), 1.0, 1.0]),
    ("supports.0.scale", [1e300, 1.0, 1.0]),
    ("supports.0.scale", [1.0, 1.0]),
    ("supports.0.name", 5),
    ("supports.0.name", "x" * 301),
    ("supports.0.units", ["mm", "mm", "9**9**9"]),
    ("supports.0.units", ["mm", "mm", "mm ** 99"]),
    ("form", {}),
    ("form.axis", 0),
    ("form.axis", -4),
    ("form.axis", True),
    ("form.span", [0, 6]),
    ("form.span", [-1, 4]),
    ("form.span", [1]),
    ("form.unchecked", []),
    ("form.unchecked", [[2]]),
    ("form.unchecked", [[0, 0]]),
    ("form.query.shape", [float("inf"), 3, 4]),
    ("form.query.shape", [5, 3]),
    ("form.query.shape", [0, 3, 4]),
    ("form.settings", {"top_k": None}),
    ("form.extra", 1),
    ("run", {}),
    ("run.axis", -2.5),
    ("run.axis", -1),
    ("run.span", [3, 3]),
    ("run.point", [0, 0]),
    ("run.point", [0, 3, 0]),
    ("run.labels", []),
    ("run.labels", [1, 1]),
    ("run.labels", [0, 1]),
    ("run.labels", [2**80]),
    ("run.query_limits", [1.0, 1.0]),
    ("run.query_limits", [0.0, float("inf")]),
    ("run.support_limits", {"0": [2.0, 1.0]}),
    ("run.scores", {"1": [0.5]}),
    ("run.scores", {"7": [0.5] * 5}),
    ("run.scores", {"1": [float("nan")] * 5}),
    ("run.scores", {"1": [1e300] * 5}),
    ("run.scores", {"1": [-5.0] * 5}),
    ("run.labels", [1, 65536]),
    ("run.scores", [1]),
    ("run.selected", {"1": [5]}),
    ("run.selected", {"1": [2, 2]}),
    ("run.selected", {"one": [0]}),
    ("run.partial", "no"),
    ("run.transforms.scale", "wide"),
    ("run.transforms.affine", [[10**400] * 4] * 4),
    ("run.transforms.units", ["mm", "mm", "9**9**9"]),
    ("run.transforms.opacity", 1),
]


@pytest.mark.parametrize(("place", "value"), _WRONG)
def test_a_session_with_a_value_that_cannot_be_is_refused(path, place, value):
    write(path, changed(HEAD, place, value))
    with pytest.raises(VolumeFileError, match=r"s\.npz can't be read"):
        load_session(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"image_0": PAIR.image.astype(complex)},
        {"image_0": np.full(PAIR.image.shape, np.nan)},
        {"image_0": np.full(PAIR.image.shape, np.inf, np.float32)},
        {"image_0": np.full(PAIR.image.shape, "x")},
        pytest.param({"image_0": PAIR.image.astype(np.longdouble)}, marks=_WIDE),
        {"image_0": PAIR.image[:, :0], "labels_0": PAIR.labels[:, :0]},
        {"image_0": PAIR.image[0], "labels_0": PAIR.labels[0]},
        {"labels_0": PAIR.labels[:1]},
        {"labels_0": PAIR.labels.astype(float)},
        {"labels_0": PAIR.labels.astype("M8[s]")},
    ],
)
def test_arrays_that_are_no_grey_values_or_no_class_ids_are_refused(path, arrays):
    write(path, **arrays)
    for load in (load_session, load_supports):
        with pytest.raises(VolumeFileError, match=r"s\.npz can't be read"):
            load(path)


@pytest.mark.parametrize(
    "value", [np.float64(0), np.int64(-5), np.int64(65536), np.uint64(2**64 - 1)], ids=lambda value: f"{value!r}"
)
def test_a_result_that_holds_no_class_ids_is_refused(path, value):
    write(path, result=np.full((5, 3, 4), value))
    with pytest.raises(VolumeFileError, match=r"s\.npz can't be read"):
        load_session(path)


def test_the_values_that_are_changed_here_are_valid_otherwise(session):
    assert session.form.settings == FORM["settings"]
    assert session.run.provenance == RUN["provenance"]

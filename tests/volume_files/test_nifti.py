"""What NIfTI files may hold, and what a result takes over from them."""

import gzip
import math
import os
import re
import sys

import nibabel as nib
import numpy as np
import pytest
from nibabel.nifti2 import Nifti2Header

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import available_memory, read_image, write_labels


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32])
def test_integers_keep_their_type(dtype, anatomy, lay_down):
    data = read_image(lay_down(anatomy.astype(dtype))).data
    assert data.dtype == dtype
    np.testing.assert_array_equal(data, anatomy.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_become_float32(dtype, anatomy, lay_down):
    data = read_image(lay_down(anatomy.astype(dtype) / 2)).data
    assert data.dtype == np.float32
    np.testing.assert_array_equal(data, anatomy / 2)


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz", "IMAGE.NII.GZ"])
def test_gzip_or_not_is_the_same(name, anatomy, lay_down):
    np.testing.assert_array_equal(read_image(lay_down(anatomy, name=name)).data, anatomy)


def test_big_endian_is_brought_to_native(anatomy, mask, tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nib.Nifti1Image(anatomy, np.eye(4), header).to_filename(tmp_path / "big.nii")
    assert (tmp_path / "big.nii").read_bytes()[:4] == b"\x00\x00\x01\x5c"
    volume = read_image(tmp_path / "big.nii")
    assert volume.data.dtype.isnative
    np.testing.assert_array_equal(volume.data, anatomy)
    write_labels(tmp_path / "mask.nii", mask, volume)
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "mask.nii").dataobj), mask)


def test_slope_and_intercept_are_applied(anatomy, tmp_path):
    image = nib.Nifti1Image(anatomy, np.eye(4))
    image.header.set_slope_inter(0.5, -1024)
    image.to_filename(tmp_path / "scaled.nii")
    data = read_image(tmp_path / "scaled.nii").data
    np.testing.assert_allclose(data, nib.load(tmp_path / "scaled.nii").get_fdata())
    assert data.dtype == np.float32


def test_a_result_does_not_inherit_the_scale_of_the_image(anatomy, mask, tmp_path):
    image = nib.Nifti1Image(anatomy / 7, np.eye(4))
    image.header.set_data_dtype(np.int16)
    image.header["cal_max"] = 300
    image.to_filename(tmp_path / "scaled.nii")
    assert nib.load(tmp_path / "scaled.nii").dataobj.slope != 1
    write_labels(tmp_path / "mask.nii", mask, read_image(tmp_path / "scaled.nii"))
    result = nib.load(tmp_path / "mask.nii")
    assert (result.dataobj.slope, result.dataobj.inter, result.header["cal_max"]) == (1, 0, 0)


@pytest.mark.parametrize("shape", [(5, 6, 7, 1), (5, 6, 7, 1, 1)])
def test_one_frame_is_the_volume(shape, anatomy, mask, lay_down, tmp_path):
    volume = read_image(lay_down(anatomy.reshape(shape)))
    np.testing.assert_array_equal(volume.data, anatomy)
    write_labels(tmp_path / "mask.nii", mask, volume)
    assert nib.load(tmp_path / "mask.nii").shape == (5, 6, 7)


@pytest.mark.parametrize("shape", [(5, 6, 7, 2), (5, 6, 1, 7), (5, 6, 7, 1, 3)])
def test_several_frames_are_refused(shape, lay_down):
    path = lay_down(np.zeros(shape, np.int16))
    with pytest.raises(VolumeFileError, match=r"image\.nii\.gz holds \d frames"):
        read_image(path)


def test_a_2d_image_is_a_volume_of_one_slice(tmp_path):
    nib.Nifti1Image(np.arange(30, dtype=np.int16).reshape(5, 6), np.eye(4)).to_filename(tmp_path / "flat.nii")
    volume = read_image(tmp_path / "flat.nii")
    assert volume.data.shape == (5, 6, 1)
    write_labels(tmp_path / "mask.nii", np.ones((5, 6, 1), int), volume)
    np.testing.assert_array_equal(nib.load(tmp_path / "mask.nii").affine, np.eye(4))


def test_a_line_of_voxels_is_refused(tmp_path):
    nib.Nifti1Image(np.zeros(30, np.int16), np.eye(4)).to_filename(tmp_path / "line.nii")
    with pytest.raises(VolumeFileError, match="in a line"):
        read_image(tmp_path / "line.nii")


def test_colours_are_refused(tmp_path):
    colour = np.zeros((5, 6, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.Nifti1Image(colour, np.eye(4)).to_filename(tmp_path / "rgb.nii.gz")
    with pytest.raises(VolumeFileError, match=r"rgb\.nii\.gz is a colour image"):
        read_image(tmp_path / "rgb.nii.gz")


def test_complex_numbers_are_refused(lay_down):
    with pytest.raises(VolumeFileError, match="complex64"):
        read_image(lay_down(np.zeros((5, 6, 7), np.complex64)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_nan_and_infinite_voxels_are_refused(bad, anatomy, lay_down):
    voxels = anatomy.astype(np.float64)
    voxels[1, 2, 3] = bad
    with pytest.raises(VolumeFileError, match=r"image\.nii\.gz has NaN or infinite voxels \(1 of them\)"):
        read_image(lay_down(voxels))


@pytest.mark.parametrize("kept", [0, 2, 100, 300, 350, 400, -1])
def test_a_truncated_nii_is_refused(kept, anatomy, lay_down):
    path = lay_down(anatomy, name="cut.nii")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(VolumeFileError, match=r"cut\.nii can't be read as a NIfTI image"):
        read_image(path)


@pytest.mark.parametrize("part", [0.05, 0.5, 0.9, 0.99])
def test_a_truncated_nii_gz_is_refused(part, lay_down):
    path = lay_down(np.random.default_rng(0).integers(0, 1000, (5, 6, 7)).astype(np.int16), name="cut.nii.gz")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(VolumeFileError, match=r"cut\.nii\.gz can't be read as a NIfTI image"):
        read_image(path)


def test_a_gzip_without_its_checksum_is_refused(anatomy, lay_down):
    path = lay_down(anatomy)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(VolumeFileError, match="cut short"):
        read_image(path)


def test_a_gzip_with_a_wrong_checksum_is_refused(anatomy, lay_down):
    path = lay_down(anatomy)
    damaged = bytearray(path.read_bytes())
    damaged[-8] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(VolumeFileError, match="damaged"):
        read_image(path)


@pytest.mark.parametrize("content", [b"patient,age\n1,42\n" * 50, gzip.compress(b"hello " * 200)])
@pytest.mark.parametrize("name", ["notes.nii.gz", "notes.nii", "notes.hdr"])
def test_a_foreign_file_is_refused(content, name, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VolumeFileError, match=r"notes\.\S+ (can't be read as|is one half)"):
        read_image(tmp_path / name)


def test_an_affine_without_volume_is_refused(anatomy, tmp_path):
    image = nib.Nifti1Image(anatomy, np.eye(4))
    image.header.set_sform(np.diag([1, 0, 1, 1]), code=1)
    nib.Nifti1Image(anatomy, None, image.header).to_filename(tmp_path / "flat.nii")
    with pytest.raises(VolumeFileError, match="affine"):
        read_image(tmp_path / "flat.nii")


@pytest.mark.parametrize("image_class", [nib.Nifti1Pair, nib.Nifti2Pair, nib.AnalyzeImage, nib.Spm2AnalyzeImage])
def test_a_pair_is_read_by_either_half_and_a_result_lies_on_its_grid(image_class, anatomy, mask, tmp_path):
    image_class(anatomy, np.diag([-2, 3, 4, 1])).to_filename(tmp_path / "pair.img")
    for half in ("pair.img", "pair.hdr"):
        volume = read_image(tmp_path / half)
        np.testing.assert_array_equal(volume.data, anatomy[::-1])
        assert volume.spacing == (2, 3, 4)
        write_labels(tmp_path / "mask.nii.gz", mask, volume)
        result = nib.load(tmp_path / "mask.nii.gz")
        np.testing.assert_allclose(result.affine, nib.load(tmp_path / half).affine)
        np.testing.assert_array_equal(np.asarray(result.dataobj), mask[::-1])


@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("codes", [(0, 0), (0, 2), (1, 0), (1, 4)])
def test_codes_units_and_spacing_stay(image_class, codes, anatomy, mask, tmp_path):
    image = image_class(anatomy, np.diag([-2.0, 3, 4, 1]))
    qform_code, sform_code = codes
    image.set_qform(np.diag([-2.0, 3, 4, 1]), qform_code)
    image.set_sform(np.diag([-2.0, 3, 4, 1]), sform_code)
    image.header.set_xyzt_units("mm", "msec")
    image.to_filename(tmp_path / "query.nii")
    write_labels(tmp_path / "mask.nii.gz", mask, read_image(tmp_path / "query.nii"))
    query, result = nib.load(tmp_path / "query.nii"), nib.load(tmp_path / "mask.nii.gz")
    assert type(result) is image_class
    for field in ("qform_code", "sform_code", "xyzt_units", "srow_x", "srow_y", "srow_z", "quatern_b", "qoffset_x"):
        np.testing.assert_array_equal(result.header[field], query.header[field])
    np.testing.assert_array_equal(result.header["pixdim"][:4], query.header["pixdim"][:4])
    np.testing.assert_array_equal(result.affine, query.affine)


def test_extensions_of_the_image_stay_behind(anatomy, mask, tmp_path):
    image = nib.Nifti1Image(anatomy, np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    image.to_filename(tmp_path / "query.nii")
    write_labels(tmp_path / "mask.nii", mask, read_image(tmp_path / "query.nii"))
    assert b"Jane Doe" not in (tmp_path / "mask.nii").read_bytes()


def test_microns_count_as_such(anatomy, mask, tmp_path):
    image = nib.Nifti1Image(anatomy, np.diag([50.0, 50, 100, 1]))
    image.header.set_xyzt_units("micron")
    image.to_filename(tmp_path / "micro.nii")
    volume = read_image(tmp_path / "micro.nii")
    assert volume.spacing == pytest.approx((0.05, 0.05, 0.1))
    write_labels(tmp_path / "mask.nii", mask, volume)
    np.testing.assert_array_equal(nib.load(tmp_path / "mask.nii").affine, image.affine)


def test_replacing_the_file_leaves_a_volume_as_it_was_read(anatomy, lay_down):
    path = lay_down(anatomy, name="image.nii")
    volume = read_image(path)
    path.write_bytes(bytes(path.stat().st_size))
    np.testing.assert_array_equal(volume.data, anatomy)


MEGABYTE = 2**20
CLAIM = (1024, 1024, 512)
"""Of 2 bytes each: 1 GiB."""


def header_of(shape=CLAIM, kind=nib.Nifti1Header, offset=None):
    header = kind()
    header.set_data_dtype(np.int16)
    header.set_data_shape(shape)
    header.set_qform(np.eye(4), 1)
    header["vox_offset"] = offset or {nib.Nifti1Header: 352, Nifti2Header: 544}.get(kind, 0)
    return header.binaryblock + b"\0\0\0\0"


@pytest.mark.parametrize("kind", [nib.Nifti1Header, Nifti2Header])
@pytest.mark.parametrize("name", ["claim.nii", "claim.nii.gz"])
def test_a_small_file_that_claims_a_large_volume_is_refused_and_costs_nothing(kind, name, tmp_path, peak):
    content = header_of(kind=kind) + bytes(20_000)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(VolumeFileError, match=rf"{name} can't be read .* claims 1,073,742,\d+ bytes, the file holds"):
        read_image(tmp_path / name)
    assert peak() < 5 * MEGABYTE


@pytest.mark.parametrize("kind", [nib.Nifti1Pair, nib.Nifti2Pair, nib.AnalyzeImage, nib.Spm2AnalyzeImage])
@pytest.mark.parametrize("half", ["pair.hdr", "pair.img"])
def test_a_pair_whose_image_is_smaller_than_its_header_claims_is_refused(kind, half, tmp_path, peak):
    header = kind.header_class()
    header.set_data_dtype(np.int16)
    header.set_data_shape(CLAIM)
    (tmp_path / "pair.hdr").write_bytes(header.binaryblock)
    (tmp_path / "pair.img").write_bytes(bytes(20_000))
    said = r"pair\.\w+ can't .* claims 1,073,741,824 bytes, the file holds at most 20,000"
    with pytest.raises(VolumeFileError, match=said):
        read_image(tmp_path / half)
    assert peak() < 5 * MEGABYTE


def test_a_gzip_stream_that_ends_before_what_its_header_claims_is_refused(tmp_path):
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(header_of((1024, 1024, 15)) + bytes(30 * MEGABYTE - 1000)))
    with pytest.raises(VolumeFileError, match=r"claims 31,457,632 bytes, the file holds 31,456,632; it is damaged"):
        read_image(tmp_path / "cut.nii.gz")


def test_a_gzip_bomb_behind_a_small_claim_is_not_unpacked(tmp_path, peak):
    with gzip.open(tmp_path / "bomb.nii.gz", "wb") as file:
        file.write(header_of((5, 6, 7)) + bytes(420))
        for _ in range(100):
            file.write(bytes(MEGABYTE))
    with pytest.raises(VolumeFileError, match=r"bomb\.nii\.gz can't .* more than the 772 bytes that its header claims"):
        read_image(tmp_path / "bomb.nii.gz")
    assert peak() < 5 * MEGABYTE


@pytest.mark.parametrize("size", [200 * MEGABYTE, -8, 0, 16])
def test_extensions_are_not_unpacked(size, anatomy, tmp_path, peak):
    extension = np.array([size, 6], "<i4").tobytes()
    offset = 352 + 64
    content = header_of((5, 6, 7), offset=offset)[:-4] + b"\1\0\0\0" + extension + bytes(56)
    content += anatomy.tobytes(order="F")
    (tmp_path / "e.nii.gz").write_bytes(gzip.compress(content + bytes(MEGABYTE // 2)))
    np.testing.assert_array_equal(read_image(tmp_path / "e.nii.gz").data, anatomy)
    assert peak() < 5 * MEGABYTE


@pytest.mark.parametrize("shape", [(5, 6, 7, 5000), (5, 6, 7, 1, 2, 2500)])
def test_many_frames_are_refused_unread(shape, tmp_path, peak):
    with gzip.open(tmp_path / "f.nii.gz", "wb") as file:
        file.write(header_of(shape) + bytes(2 * 210 * 5000))
    before = peak()
    with pytest.raises(VolumeFileError, match="holds 5000 frames"):
        read_image(tmp_path / "f.nii.gz")
    assert peak() < before + MEGABYTE


@pytest.mark.parametrize("size", [-1, -32768, 0])
def test_sizes_below_one_are_refused(size, tmp_path):
    header = nib.Nifti1Header(header_of()[:348])
    header["dim"][3] = size
    (tmp_path / "n.nii").write_bytes(header.binaryblock + bytes(20_000))
    with pytest.raises(VolumeFileError, match=r"n\.nii can't be read as a NIfTI image"):
        read_image(tmp_path / "n.nii")


@pytest.mark.parametrize("offset", [-352.0, np.nan, np.inf, 1e30])
def test_voxels_that_lie_nowhere_are_refused(offset, tmp_path):
    header = nib.Nifti1Header(header_of((5, 6, 7))[:348])
    header["vox_offset"] = offset
    (tmp_path / "n.nii").write_bytes(header.binaryblock + bytes(20_000))
    with pytest.raises(VolumeFileError, match=r"n\.nii can't be read as a NIfTI image"):
        read_image(tmp_path / "n.nii")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the allocation fails")
@pytest.mark.parametrize("name", ["sparse.nii", "sparse.img"])
def test_a_file_larger_than_memory_is_refused_unread(name, tmp_path):
    shape = (32767, 32767, 512)
    (tmp_path / "sparse.hdr").write_bytes(nib.Nifti1Pair.header_class(header_of(shape, offset=0)[:348]).binaryblock)
    (tmp_path / name).write_bytes(header_of(shape))
    os.truncate(tmp_path / name, 352 + 2 * math.prod(shape))
    said = rf"{name} claims 1023\.9 GiB of voxels, more than the [\d.]+ GiB of memory that are available: crop it"
    with pytest.raises(VolumeFileError, match=said):
        read_image(tmp_path / name)


@pytest.mark.parametrize(("slope", "needed"), [(1, 2), (0.5, 2 + 8)])
def test_scaled_voxels_count_as_the_floats_they_become(slope, needed, anatomy, monkeypatch, tmp_path):
    image = nib.Nifti1Image(anatomy, np.eye(4))
    image.header.set_slope_inter(slope, 0)
    image.to_filename(tmp_path / "scaled.nii")
    monkeypatch.setattr(available_memory, "available_memory", lambda: needed * anatomy.size)
    read_image(tmp_path / "scaled.nii")
    monkeypatch.setattr(available_memory, "available_memory", lambda: needed * anatomy.size - 1)
    with pytest.raises(VolumeFileError, match=r"scaled\.nii claims .* memory"):
        read_image(tmp_path / "scaled.nii")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".tif"])
@pytest.mark.parametrize("pair", [nib.Nifti1Pair, nib.Nifti1Image, nib.Nifti2Image, nib.AnalyzeImage])
def test_no_text_of_the_querys_header_reaches_the_mask(pair, ending, anatomy, mask, tmp_path):
    query = pair(anatomy, np.eye(4))
    written = []
    for field in query.header.keys():  # noqa: SIM118 - a header isn't a mapping
        kind = query.header[field].dtype
        if kind.kind == "S" and field != "magic":
            written.append(f"Doe {len(written)} Jane 19700101"[: kind.itemsize].encode())
            query.header[field] = written[-1]
    assert len(written) > 1
    path = tmp_path / f"query{dict(pair.files_types)['image']}"
    query.to_filename(path)
    write_labels(tmp_path / f"mask{ending}", mask, read_image(path))
    content = (tmp_path / f"mask{ending}").read_bytes()
    content = gzip.decompress(content) if ending.endswith(".gz") else content
    assert not re.search(rb"Doe|Jane|1970", content)

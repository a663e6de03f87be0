"""What NIfTI files may hold, and what a result takes over from them."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import read_image, write_labels


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

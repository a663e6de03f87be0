"""A folder of DICOM slices, or of CHAOS's PNG labels, is a volume that lies where the headers say."""

import builtins
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own manual does

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import available_memory, check_same_grid, read_image, read_labels, write_labels
from napari_revsam2.volume_files.dicom import CHAOS_CLASSES
from tests.volume_files.conftest import tilted

FLIP_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SERIES = "1.2.826.0.1.3680043.2.1125.1"


def write_series(folder: Path, voxels: np.ndarray, affine: np.ndarray, names=None, series=SERIES) -> Path:
    """Write (columns, rows, slices) as one file a slice; ``affine`` leads to RAS, its third column may be tilted."""
    folder.mkdir(parents=True, exist_ok=True)
    lps = FLIP_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    directions = lps[:3, :3] / spacing
    for index in range(voxels.shape[2]):
        image = sitk.GetImageFromArray(np.ascontiguousarray(voxels[:, :, index].T)[None])
        image.SetSpacing(spacing.tolist())
        position = lps[:3, 3] + index * lps[:3, 2]
        for tag, value in {
            "0008|0060": "MR",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.9",
            "0020|000e": series,
            "0008|0018": f"{series}.{index + 1}",
            "0020|0013": str(index + 1),
            "0020|0032": "\\".join(f"{length:.8g}" for length in position),
            "0020|0037": "\\".join(f"{cosine:.8g}" for cosine in directions[:, :2].T.ravel()),
        }.items():
            image.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetImageIO("GDCMImageIO")
        writer.SetFileName(str(folder / (names[index] if names else f"IMG-0002-{index + 1:05}.dcm")))
        writer.Execute(image)
    return folder


def write_labels_of_chaos(folder: Path, labels: np.ndarray) -> Path:
    """Write (columns, rows, slices) as PNG files, named as the slices of `write_series`."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(labels.shape[2]):
        image = sitk.GetImageFromArray(np.ascontiguousarray(labels[:, :, index].T))
        sitk.WriteImage(image, str(folder / f"IMG-0002-{index + 1:05}.png"))
    return folder


@pytest.fixture
def organs():
    """(columns, rows, slices) = (5, 6, 7) of CHAOS's grey values, without any symmetry."""
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[1:3, 2:5, 3:] = 63
    labels[4, 5, 0:2] = 252
    return labels


@pytest.fixture
def chaos(anatomy, organs, tmp_path):
    """A subject of CHAOS, whose slices are numbered from superior to inferior."""
    subject = tmp_path / "1" / "T2SPIR"
    downwards = tilted(20) @ np.diag([-1.0, -1.0, -1.0, 1.0])
    write_series(subject / "DICOM_anon", anatomy, downwards)
    write_labels_of_chaos(subject / "Ground", organs)
    return subject


@pytest.mark.parametrize("degrees", [0, 20])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "LPI", "LIP", "PIR", "SRA"])
def test_a_series_is_the_volume_that_nibabel_reads_from_nifti(codes, degrees, anatomy, lay_down, tmp_path):
    nifti = lay_down(anatomy, codes, degrees=degrees)
    image = nib.load(nifti)
    series = read_image(write_series(tmp_path / "series", np.asarray(image.dataobj), image.affine))
    expected = read_image(nifti)
    np.testing.assert_allclose(series.affine, expected.affine, atol=1e-4)
    np.testing.assert_array_equal(series.data, expected.data)
    check_same_grid(series, expected)


def test_the_order_of_file_names_does_not_matter(anatomy, tmp_path):
    names = [f"{number}.dcm" for number in (5, 3, 7, 1, 2, 6, 4)]
    series = read_image(write_series(tmp_path / "series", anatomy, tilted(20), names))
    np.testing.assert_array_equal(series.data, anatomy)


def test_files_need_no_ending(anatomy, tmp_path):
    names = [f"I{number:07}" for number in range(7)]
    np.testing.assert_array_equal(read_image(write_series(tmp_path / "s", anatomy, tilted(0), names)).data, anatomy)


def test_a_gantry_tilt_is_kept_in_the_affine(anatomy, tmp_path):
    affine = tilted(0)
    affine[1, 2] = 0.8  # each slice also moves anteriorly
    np.testing.assert_allclose(read_image(write_series(tmp_path / "s", anatomy, affine)).affine, affine, atol=1e-5)


def test_a_single_slice_is_a_volume_of_one(anatomy, tmp_path):
    assert read_image(write_series(tmp_path / "s", anatomy[:, :, :1], tilted(0))).data.shape == (5, 6, 1)


def test_a_result_on_a_series_can_be_written_as_nifti(anatomy, mask, tmp_path):
    series = read_image(write_series(tmp_path / "s", anatomy, tilted(20)))
    write_labels(tmp_path / "mask.nii.gz", mask, series)
    written = read_labels(tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(written.data, mask)
    check_same_grid(series, written)


def test_labels_of_chaos_lie_on_their_images_slice_by_slice(chaos, anatomy, organs):
    image, labels = read_image(chaos / "DICOM_anon"), read_labels(chaos / "Ground")
    check_same_grid(image, labels)
    for value in (63, 252):
        assert set(image.data[labels.data == value]) == set(anatomy[organs == value])


def test_slices_numbered_downwards_still_run_towards_superior(chaos, organs):
    labels = read_labels(chaos / "Ground").slices(Axis.AXIAL)
    assert [bool((labels[index] == 252).any()) for index in range(7)] == [False] * 5 + [True] * 2


@pytest.mark.parametrize(("value", "limits"), CHAOS_CLASSES.items())
def test_each_grey_value_in_the_range_of_a_class_is_that_class(value, limits, chaos, organs):
    for grey in limits:
        write_labels_of_chaos(chaos / "Ground", np.where(organs == 63, np.uint8(grey), np.uint8(0)))
        assert set(np.unique(read_labels(chaos / "Ground").data)) == {0, value}


@pytest.mark.parametrize("grey", [1, 54, 71, 200 + 1, 239])
def test_a_grey_value_of_no_class_is_refused(grey, chaos, organs):
    write_labels_of_chaos(chaos / "Ground", np.where(organs == 63, np.uint8(grey), organs))
    with pytest.raises(VolumeFileError, match=rf"Ground has the grey value {grey}, which is no class of CHAOS"):
        read_labels(chaos / "Ground")


def test_a_missing_png_is_told_with_both_numbers(chaos):
    (chaos / "Ground" / "IMG-0002-00004.png").unlink()
    with pytest.raises(VolumeFileError, match=r"Ground holds 6 PNG slices and .*DICOM_anon 7 DICOM slices"):
        read_labels(chaos / "Ground")


def test_png_slices_of_other_names_are_refused(chaos):
    (chaos / "Ground" / "IMG-0002-00007.png").rename(chaos / "Ground" / "IMG-0002-00008.png")
    with pytest.raises(VolumeFileError, match="aren't the same by name"):
        read_labels(chaos / "Ground")


@pytest.mark.parametrize("pixels", [np.zeros((6, 4), np.uint8), np.zeros((5, 6), np.uint8)])
def test_a_png_of_another_size_is_refused(pixels, chaos):
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(chaos / "Ground" / "IMG-0002-00002.png"))
    with pytest.raises(VolumeFileError, match=r"IMG-0002-00002\.png isn't of the size of its series \(5 x 6\)"):
        read_labels(chaos / "Ground")


def test_a_png_in_colours_is_refused(chaos):
    colours = sitk.GetImageFromArray(np.zeros((6, 5, 3), np.uint8), isVector=True)
    sitk.WriteImage(colours, str(chaos / "Ground" / "IMG-0002-00002.png"))
    with pytest.raises(VolumeFileError, match=r"IMG-0002-00002\.png is a colour image"):
        read_labels(chaos / "Ground")


def test_a_damaged_png_is_refused(chaos):
    (chaos / "Ground" / "IMG-0002-00002.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(VolumeFileError, match=r"IMG-0002-00002\.png can't be read"):
        read_labels(chaos / "Ground")


def test_png_labels_without_their_series_are_refused(chaos):
    (chaos / "DICOM_anon").rename(chaos / "elsewhere")
    with pytest.raises(VolumeFileError, match="put their DICOM series beside it, in DICOM_anon"):
        read_labels(chaos / "Ground")


@pytest.mark.parametrize(
    ("read", "said"), [(read_image, "without a DICOM series"), (read_labels, "without PNG slices")]
)
def test_a_folder_of_neither_is_refused(read, said, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(VolumeFileError, match=rf"{tmp_path.name} is a folder {said}"):
        read(tmp_path)


def test_several_series_in_a_folder_are_refused(anatomy, tmp_path):
    write_series(tmp_path, anatomy, tilted(0))
    write_series(tmp_path, anatomy, tilted(0), [f"b{number}.dcm" for number in range(7)], SERIES + "2")
    with pytest.raises(VolumeFileError, match="holds 2 DICOM series"):
        read_image(tmp_path)


@pytest.mark.parametrize("kept", [0, 100, 500, -1, -20])
def test_a_file_that_was_cut_short_is_named(kept, anatomy, tmp_path):
    file = write_series(tmp_path, anatomy, tilted(0)) / "IMG-0002-00003.dcm"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(VolumeFileError, match=r"IMG-0002-00003\.dcm can't be read"):
        read_image(tmp_path)


def test_a_missing_slice_is_noticed(anatomy, tmp_path):
    (write_series(tmp_path, anatomy, tilted(0)) / "IMG-0002-00003.dcm").unlink()
    with pytest.raises(VolumeFileError, match="holds slices 3 to 6 mm apart: one is missing"):
        read_image(tmp_path)


def test_two_volumes_under_one_series_are_refused(anatomy, tmp_path):
    write_series(tmp_path, anatomy, tilted(0))
    write_series(tmp_path, anatomy, tilted(0), [f"b{number}.dcm" for number in range(7)])
    with pytest.raises(VolumeFileError, match="holds slices 0 to 3 mm apart"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    ("shape", "degrees", "said"), [((4, 6, 7), 0, "of several sizes"), ((5, 6, 7), 30, "aren't parallel")]
)
def test_slices_that_are_not_alike_are_refused(shape, degrees, said, anatomy, tmp_path):
    write_series(tmp_path, anatomy, tilted(0))
    write_series(tmp_path, np.zeros(shape, np.int16), tilted(degrees), [f"b{number}.dcm" for number in range(7)])
    with pytest.raises(VolumeFileError, match=said):
        read_image(tmp_path)


@pytest.mark.parametrize("read", [read_image, read_labels])
def test_without_simpleitk_the_sentence_says_what_to_install(read, chaos, monkeypatch):
    real_import = builtins.__import__

    def without_simpleitk(name, *args, **kwargs):
        if name == "SimpleITK":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_simpleitk)
    folder = chaos / ("DICOM_anon" if read is read_image else "Ground")
    with pytest.raises(VolumeFileError, match=r"pip install 'napari-revsam2\[evaluation\]'"):
        read(folder)


def test_reading_files_does_not_load_simpleitk():
    code = "import napari_revsam2.volume_files, sys; sys.exit('SimpleITK' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_warnings_of_simpleitk_are_as_before_even_after_a_failure(tmp_path, monkeypatch):
    def broken(folder):
        raise RuntimeError(folder)

    monkeypatch.setattr(sitk.ImageSeriesReader, "GetGDCMSeriesIDs", broken)
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(True)
    try:
        with pytest.raises(VolumeFileError, match="holds a damaged DICOM file"):
            read_image(tmp_path)
        assert sitk.ProcessObject.GetGlobalWarningDisplay()
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def claim_pixels(file: Path, rows: int, columns: int) -> None:
    """Change the size that a slice claims, and leave its pixels."""
    content = bytearray(file.read_bytes())
    for tag, size in ((b"\x28\0\x10\0\2\0\0\0", rows), (b"\x28\0\x11\0\2\0\0\0", columns)):
        place = content.index(tag) + len(tag)
        content[place : place + 2] = size.to_bytes(2, "little")
    file.write_bytes(content)


@pytest.mark.parametrize(("rows", "columns"), [(6000, 6000), (65535, 1000), (30, 30)])
def test_slices_that_claim_more_pixels_than_their_files_hold_are_refused_unread(rows, columns, anatomy, tmp_path):
    folder = write_series(tmp_path / "s", anatomy, tilted(0))
    for file in folder.iterdir():
        claim_pixels(file, rows, columns)
    with pytest.raises(VolumeFileError, match=rf"claims {2 * rows * columns:,} bytes of pixels and holds"):
        read_image(folder)


@pytest.mark.parametrize("kind", ["RLE", "JPEG2000", "JPEG"])
def test_compressed_slices_are_read(kind, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    image = sitk.GetImageFromArray(np.zeros((1, 512, 512), np.uint8))
    image.SetMetaData("0020|000e", SERIES)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetUseCompression(True)
    writer.SetCompressor(kind)
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(folder / "1.dcm"))
    writer.Execute(image)
    assert (folder / "1.dcm").stat().st_size < 512 * 512
    assert read_image(folder).data.shape == (512, 512, 1)


def test_a_series_larger_than_the_memory_available_is_refused_unread(anatomy, monkeypatch, tmp_path):
    folder = write_series(tmp_path / "s", anatomy, tilted(0))
    monkeypatch.setattr(available_memory, "available_memory", lambda: 2 * anatomy.nbytes)
    read_image(folder)
    monkeypatch.setattr(available_memory, "available_memory", lambda: 2 * anatomy.nbytes - 1)
    with pytest.raises(VolumeFileError, match=r"s claims .* memory that are available"):
        read_image(folder)

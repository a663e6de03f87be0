"""What TIFF files may hold, how they lie in the patient, and what spacing they tell."""

import logging

import nibabel as nib
import numpy as np
import pytest
import tifffile

from napari_revsam2.vocabulary.axis import Axis
from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import read_image, read_labels, write_labels


@pytest.fixture
def pages():
    """(Z, Y, X) = (7, 6, 5)."""
    return np.arange(210, dtype=np.uint16).reshape(7, 6, 5)


@pytest.fixture
def mask_pages(pages):
    return (pages % 5 == 1).astype(np.uint8)


def canonical(pages):
    return pages[:, ::-1, ::-1].transpose(2, 1, 0)


@pytest.mark.parametrize("name", ["stack.tif", "stack.tiff", "STACK.TIF"])
def test_pages_are_the_axial_slices(name, pages, tmp_path):
    tifffile.imwrite(tmp_path / name, pages, photometric="minisblack")
    volume = read_image(tmp_path / name)
    np.testing.assert_array_equal(volume.slices(Axis.AXIAL), pages)
    np.testing.assert_array_equal(volume.data, canonical(pages))
    np.testing.assert_array_equal(volume.affine, np.eye(4))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", ">u2", ">f4"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_values_come_as_they_are_in_native_order(dtype, compression, pages, tmp_path):
    byteorder = ">" if dtype.startswith(">") else None
    tifffile.imwrite(
        tmp_path / "s.tif", pages.astype(dtype), byteorder=byteorder, photometric="minisblack", compression=compression
    )
    data = read_image(tmp_path / "s.tif").data
    assert data.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(data, canonical(pages))


def test_float64_becomes_float32(pages, tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", pages.astype(np.float64), photometric="minisblack")
    assert read_image(tmp_path / "s.tif").data.dtype == np.float32


def test_a_single_page_is_a_volume_of_one_slice(pages, tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", pages[0], photometric="minisblack")
    assert read_image(tmp_path / "s.tif").data.shape == (5, 6, 1)


@pytest.mark.parametrize(
    ("unit", "millimetres"),
    [("mm", 1), ("cm", 10), ("micron", 1e-3), ("um", 1e-3), (r"\u00B5m", 1e-3), ("inch", 25.4), ("", 1), ("pixel", 1)],
)
def test_imagej_spacing_is_read_in_mm(unit, millimetres, pages, tmp_path):
    metadata = {"axes": "ZYX", "spacing": 3.0, "unit": unit}
    tifffile.imwrite(tmp_path / "s.tif", pages, imagej=True, resolution=(2, 4), metadata=metadata)
    expected = np.array([0.5, 0.25, 3.0]) * millimetres
    assert read_image(tmp_path / "s.tif").spacing == pytest.approx(expected)


def test_imagej_resolution_in_cm_needs_no_other_unit(pages, tmp_path):
    metadata = {"axes": "ZYX", "spacing": 0.3}
    tifffile.imwrite(
        tmp_path / "s.tif", pages, imagej=True, resolution=(20, 40), resolutionunit="CENTIMETER", metadata=metadata
    )
    assert read_image(tmp_path / "s.tif").spacing == pytest.approx((0.5, 0.25, 3.0))


@pytest.mark.parametrize(
    ("sizes", "spacing"),
    [
        ({"X": (0.5, "mm"), "Y": (0.25, "mm"), "Z": (0.3, "cm")}, (0.5, 0.25, 3.0)),
        ({"X": (500, "µm"), "Y": (250, "µm"), "Z": (3, "mm")}, (0.5, 0.25, 3.0)),
        ({"X": (500, None), "Y": (250, None), "Z": (3000, None)}, (0.5, 0.25, 3.0)),
        ({}, (1.0, 1.0, 1.0)),
    ],
)
def test_ome_spacing_is_read_in_mm(sizes, spacing, pages, tmp_path):
    metadata = {"axes": "ZYX"}
    for axis, (size, unit) in sizes.items():
        metadata |= {f"PhysicalSize{axis}": size} | ({f"PhysicalSize{axis}Unit": unit} if unit else {})
    tifffile.imwrite(tmp_path / "s.ome.tif", pages, photometric="minisblack", metadata=metadata)
    assert read_image(tmp_path / "s.ome.tif").spacing == pytest.approx(spacing)


@pytest.mark.parametrize("value", ["0", "-0.5", "nan", "wide"])
def test_a_length_that_cannot_be_one_does_no_harm(value, pages, tmp_path):
    xml = tifffile.OmeXml()
    xml.addimage("uint16", (7, 6, 5), (7, 1, 1, 6, 5, 1), axes="ZYX", PhysicalSizeX=7.25, PhysicalSizeXUnit="mm")
    text = xml.tostring().replace('"7.25"', f'"{value}"')
    tifffile.imwrite(tmp_path / "s.tif", pages, description=text, metadata=None, photometric="minisblack")
    assert all(0 < length <= 1 for length in read_image(tmp_path / "s.tif").spacing)


@pytest.mark.parametrize("unit", ["mm", "cm", "micron", "inch", ""])
def test_a_result_keeps_imagej_spacing_and_unit(unit, pages, mask_pages, tmp_path):
    metadata = {"axes": "ZYX", "spacing": 3.0, "unit": unit}
    tifffile.imwrite(tmp_path / "query.tif", pages, imagej=True, resolution=(2, 3), metadata=metadata)
    query = read_image(tmp_path / "query.tif")
    write_labels(tmp_path / "mask.tif", canonical(mask_pages), query)
    with tifffile.TiffFile(tmp_path / "mask.tif") as tif:
        assert tif.imagej_metadata["spacing"] == pytest.approx(3.0)
        assert tif.imagej_metadata.get("unit", "") == unit
        assert tif.imagej_metadata["slices"] == 7
        assert tif.series[0].axes == "ZYX"
        assert np.divide(*tif.pages[0].tags.valueof("XResolution")) == pytest.approx(2)
        np.testing.assert_array_equal(tif.asarray(), mask_pages)
    result = read_labels(tmp_path / "mask.tif")
    np.testing.assert_allclose(result.affine, query.affine)
    assert result.data.dtype == np.uint8


def test_a_result_keeps_ome_spacing(pages, mask_pages, tmp_path):
    metadata = {
        "axes": "ZYX",
        "PhysicalSizeX": 500,
        "PhysicalSizeY": 250,
        "PhysicalSizeZ": 3,
        "PhysicalSizeZUnit": "mm",
    }
    tifffile.imwrite(tmp_path / "query.ome.tif", pages, photometric="minisblack", metadata=metadata)
    query = read_image(tmp_path / "query.ome.tif")
    write_labels(tmp_path / "mask.tif", canonical(mask_pages), query)
    assert read_labels(tmp_path / "mask.tif").spacing == pytest.approx((0.5, 0.25, 3.0))
    with tifffile.TiffFile(tmp_path / "mask.tif") as tif:
        assert tif.imagej_metadata["unit"] == "micron"


def test_a_tiff_query_gives_a_nifti_with_its_spacing(pages, mask_pages, tmp_path):
    metadata = {"axes": "ZYX", "spacing": 3.0, "unit": "mm"}
    tifffile.imwrite(tmp_path / "query.tif", pages, imagej=True, resolution=(2, 4), metadata=metadata)
    write_labels(tmp_path / "mask.nii.gz", canonical(mask_pages), read_image(tmp_path / "query.tif"))
    result = nib.load(tmp_path / "mask.nii.gz")
    assert nib.aff2axcodes(result.affine) == ("R", "A", "S")
    assert result.header.get_zooms() == (0.5, 0.25, 3.0)
    assert result.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_array_equal(read_labels(tmp_path / "mask.nii.gz").slices(Axis.AXIAL), mask_pages)


def test_a_nifti_query_gives_a_tiff_of_its_axial_slices(anatomy, mask, lay_down, tmp_path):
    query = read_image(lay_down(anatomy, "PSR"))
    write_labels(tmp_path / "mask.tif", mask, query)
    result = read_labels(tmp_path / "mask.tif")
    np.testing.assert_array_equal(result.data, mask)
    assert result.spacing == pytest.approx(query.spacing, rel=1e-5)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mask.tif"), mask[::-1, ::-1].transpose(2, 1, 0))


def test_signed_values_of_imagej_are_restored(pages, tmp_path):
    description = "ImageJ=1.54f\nimages=7\nslices=7\ncf=0\nc0=-32768.0\nc1=1.0\nvunit=Gray Value\n"
    tifffile.imwrite(
        tmp_path / "ct.tif", pages + 32768, description=description, metadata=None, photometric="minisblack"
    )
    np.testing.assert_array_equal(read_image(tmp_path / "ct.tif").data, canonical(pages))


@pytest.mark.parametrize("kind", [{"imagej": True}, {"imagej": True, "metadata": {"axes": "TYX"}}])
def test_a_lone_stack_of_imagej_is_slices_whatever_it_is_called(kind, pages, tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", pages, **kind)
    np.testing.assert_array_equal(read_image(tmp_path / "s.tif").slices(Axis.AXIAL), pages)


def test_ome_axes_of_length_one_are_left_out(pages, tmp_path):
    tifffile.imwrite(tmp_path / "s.ome.tif", pages[None, :, None], photometric="minisblack", metadata={"axes": "TZCYX"})
    np.testing.assert_array_equal(read_image(tmp_path / "s.ome.tif").slices(Axis.AXIAL), pages)


@pytest.mark.parametrize("axes", ["TYX", "CYX"])
def test_ome_time_and_channels_are_refused(axes, pages, tmp_path):
    tifffile.imwrite(tmp_path / "s.ome.tif", pages, photometric="minisblack", metadata={"axes": axes})
    with pytest.raises(VolumeFileError, match=rf"s\.ome\.tif holds more than one stack of slices \({axes[0]} 7\)"):
        read_image(tmp_path / "s.ome.tif")


@pytest.mark.parametrize(
    "kind",
    [
        {"photometric": "minisblack"},
        {"imagej": True, "metadata": {"axes": "TZYX"}},
        {"ome": True, "photometric": "minisblack", "metadata": {"axes": "CZYX"}},
    ],
)
def test_true_4d_is_refused(kind, pages, tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", np.stack([pages, pages]), **kind)
    with pytest.raises(VolumeFileError, match="more than one stack"):
        read_image(tmp_path / "s.tif")


@pytest.mark.parametrize("shape", [(6, 5, 3), (7, 6, 5, 3), (7, 6, 5, 4)])
@pytest.mark.parametrize("kind", [{}, {"imagej": True}, {"ome": True}])
def test_colours_are_refused(shape, kind, tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", np.zeros(shape, np.uint8), photometric="rgb", **kind)
    with pytest.raises(VolumeFileError, match=r"s\.tif is a colour image"):
        read_image(tmp_path / "s.tif")


def test_channels_shown_in_colours_are_refused(pages, tmp_path):
    metadata = {"axes": "CYX", "mode": "composite"}
    tifffile.imwrite(tmp_path / "s.tif", pages[:3], imagej=True, metadata=metadata)
    with pytest.raises(VolumeFileError, match="colour image"):
        read_image(tmp_path / "s.tif")


def test_separate_images_in_one_file_are_refused(pages, tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.tif") as writer:
        writer.write(pages, photometric="minisblack")
        writer.write(pages[:, :3], photometric="minisblack")
    with pytest.raises(VolumeFileError, match="2 separate images"):
        read_image(tmp_path / "s.tif")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.6, 0.8])
@pytest.mark.parametrize(
    "kind",
    [
        {"photometric": "minisblack"},
        {"imagej": True},
        {"ome": True, "photometric": "minisblack"},
        {"photometric": "minisblack", "compression": "zlib"},
        {"photometric": "minisblack", "metadata": None},
        {"photometric": "minisblack", "metadata": None, "compression": "zlib"},
        {"photometric": "minisblack", "bigtiff": True},
        {"photometric": "minisblack", "tile": (16, 16)},
    ],
)
def test_a_truncated_tiff_is_refused(part, kind, tmp_path):
    noise = np.random.default_rng(0).integers(0, 60000, (7, 40, 30), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "cut.tif", noise, **kind)
    whole = (tmp_path / "cut.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(VolumeFileError, match=r"cut\.tif can't be read as a TIFF image"):
        read_image(tmp_path / "cut.tif")


@pytest.mark.parametrize("off", ["disabled", "level", "all"])
def test_a_truncated_tiff_is_refused_where_logging_is_off(off, tmp_path, monkeypatch):
    logger = logging.getLogger("tifffile")
    tifffile.imwrite(tmp_path / "cut.tif", np.ones((7, 40, 30), np.uint16), imagej=True)
    (tmp_path / "cut.tif").write_bytes((tmp_path / "cut.tif").read_bytes()[:8000])
    monkeypatch.setattr(logger, "disabled", off == "disabled")
    monkeypatch.setattr(logger, "level", logging.CRITICAL + 1 if off == "level" else logger.level)
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL if off == "all" else 0)
    with pytest.raises(VolumeFileError, match=r"cut\.tif can't be read as a TIFF image"):
        read_image(tmp_path / "cut.tif")


def test_missing_files_of_an_ome_set_are_not_read_as_zeros(pages, tmp_path):
    xml = tifffile.OmeXml()
    xml.addimage("uint16", (7, 6, 5), (7, 1, 1, 6, 5, 1), axes="ZYX")
    text = xml.tostring().replace('PlaneCount="7"', 'PlaneCount="4"')
    tifffile.imwrite(tmp_path / "s.ome.tif", pages[:4], description=text, metadata=None, photometric="minisblack")
    with pytest.raises(VolumeFileError, match="cut short"):
        read_image(tmp_path / "s.ome.tif")


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "notes.tif").write_text("patient,age\n" * 50)
    with pytest.raises(VolumeFileError, match=r"notes\.tif can't be read as a TIFF image"):
        read_image(tmp_path / "notes.tif")


def test_nan_is_refused(pages, tmp_path):
    voxels = pages.astype(np.float32)
    voxels[0, 0, 0] = np.nan
    tifffile.imwrite(tmp_path / "s.tif", voxels, photometric="minisblack")
    with pytest.raises(VolumeFileError, match=r"s\.tif has NaN"):
        read_image(tmp_path / "s.tif")

"""A small TIFF that claims a large image is refused, and costs no more memory than it holds."""

import lzma
import struct
import zlib

import numpy as np
import pytest
import tifffile

from napari_revsam2.vocabulary.errors import VolumeFileError
from napari_revsam2.volume_files import available_memory, read_image

MEGABYTE = 2**20
SIDE = 30_000


@pytest.fixture
def pages():
    """(Z, Y, X) = (7, 6, 5)."""
    return np.arange(210, dtype=np.uint16).reshape(7, 6, 5)


def refused(path, said, peak=None):
    before = peak() if peak else 0
    with pytest.raises(VolumeFileError, match=said) as error:
        read_image(path)
    assert str(path) in str(error.value)
    assert not peak or peak() < before + 10 * MEGABYTE


def overwrite(path, **tags):
    with tifffile.TiffFile(path, mode="r+b") as tif:
        for page in tif.pages:
            for name, value in tags.items():
                page.tags[name].overwrite(value)


@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
@pytest.mark.parametrize("kind", [{}, {"imagej": True}, {"metadata": None}, {"tile": (16, 16)}, {"bigtiff": True}])
def test_a_page_that_claims_more_than_the_file_holds_is_refused(compression, kind, pages, tmp_path, peak):
    if compression and "imagej" in kind:
        kind = {"metadata": None, "rowsperstrip": 2}
    kind = {"photometric": "minisblack", "compression": compression} | kind
    tifffile.imwrite(tmp_path / "s.tif", pages[0], **kind)
    overwrite(tmp_path / "s.tif", ImageWidth=SIDE, ImageLength=SIDE)
    refused(tmp_path / "s.tif", r"s\.tif can't be read as a TIFF image", peak)


@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
def test_one_strip_that_claims_a_large_page_is_refused(compression, pages, tmp_path, peak):
    kind = {"metadata": None, "photometric": "minisblack", "compression": compression}
    tifffile.imwrite(tmp_path / "s.tif", pages[0], **kind)
    overwrite(tmp_path / "s.tif", ImageWidth=SIDE, ImageLength=SIDE, RowsPerStrip=SIDE)
    refused(tmp_path / "s.tif", r"its pages claim 1,800,000,000 bytes, the file holds at most [\d,]+; copy", peak)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_stack_of_directories_that_share_one_strip_is_refused(compression, tmp_path, peak):
    page = np.zeros((1000, 1000), np.uint16)
    kind = {"metadata": None, "photometric": "minisblack", "compression": compression, "rowsperstrip": 1000}
    tifffile.imwrite(tmp_path / "one.tif", page, **kind)
    with tifffile.TiffFile(tmp_path / "one.tif") as tif:
        place, count = tif.pages[0].dataoffsets[0], tif.pages[0].databytecounts[0]
        entries = [(256, 1000), (257, 1000), (258, 16), (259, int(tif.pages[0].compression)), (262, 1)]
    data = (tmp_path / "one.tif").read_bytes()[place : place + count]
    entries += [(273, 8), (277, 1), (278, 1000), (279, count)]
    (tmp_path / "s.tif").write_bytes(stacked([entries] * 400, data))
    before = peak()
    refused(tmp_path / "s.tif", r"its pages claim 800,000,000 bytes")
    assert peak() < before + 20 * MEGABYTE  # four hundred pages


@pytest.mark.parametrize(
    "description",
    [
        '{"shape": [2000000000, 6, 5]}',
        '{"shape": [2000000000, 6, 5], "truncated": true}',
        "ImageJ=1.11a\nimages=2000000000\nslices=2000000000\nhyperstack=true\n",
    ],
)
def test_a_description_that_claims_more_pages_than_there_are_is_refused_or_not_believed(
    description, pages, tmp_path, peak
):
    tifffile.imwrite(tmp_path / "s.tif", pages[0], description=description, metadata=None, photometric="minisblack")
    before = peak()
    try:
        assert read_image(tmp_path / "s.tif").data.shape == (5, 6, 1)
    except VolumeFileError as error:
        assert "can't be read as a TIFF image" in str(error)  # noqa: PT017
    assert peak() < before + 10 * MEGABYTE


@pytest.mark.parametrize(
    ("found", "claimed"),
    [
        ('SizeZ="7"', 'SizeZ="2000000000"'),
        ('SizeT="1"', 'SizeT="2000000000"'),
        ('SizeX="5"', 'SizeX="2000000000"'),
        ('PlaneCount="7"', 'PlaneCount="2000000000"'),
        ('IFD="0"', 'IFD="2000000000"'),
        ('PlaneCount="7"', 'PlaneCount="7" FirstZ="2000000000"'),
    ],
)
def test_ome_metadata_that_claims_more_planes_than_any_volume_has_is_refused(found, claimed, pages, tmp_path, peak):
    xml = tifffile.OmeXml()
    xml.addimage("uint16", (7, 6, 5), (7, 1, 1, 6, 5, 1), axes="ZYX")
    assert found in xml.tostring()
    text = xml.tostring().replace(found, claimed)
    tifffile.imwrite(tmp_path / "s.ome.tif", pages, description=text, metadata=None, photometric="minisblack")
    refused(tmp_path / "s.ome.tif", r"its metadata claims [\d,]+ planes; copy", peak)


@pytest.mark.parametrize("compression", ["zlib", "lzma"])
@pytest.mark.parametrize("kind", [{"rowsperstrip": 2}, {"tile": (16, 16)}])
def test_parts_of_pages_that_are_missing_are_not_read_as_zeros(compression, kind, pages, tmp_path):
    kind = {"photometric": "minisblack", "compression": compression, "metadata": None} | kind
    tifffile.imwrite(tmp_path / "s.tif", pages, **kind)
    name = "TileByteCounts" if "tile" in kind else "StripByteCounts"
    with tifffile.TiffFile(tmp_path / "s.tif", mode="r+b") as tif:
        counts = tif.pages[3].tags[name]
        counts.overwrite((0,) * counts.count)
    refused(tmp_path / "s.tif", r"s\.tif can't be read as a TIFF image: it is damaged")


def bomb(compression, size):
    pack = {"zlib": zlib.compress, "lzma": lzma.compress}[compression.removesuffix(" twice")]
    return pack(bytes(size // 2)) * 2 if compression.endswith("twice") else pack(bytes(size))


@pytest.mark.parametrize("compression", ["zlib", "lzma", "lzma twice"])
def test_a_strip_that_unpacks_to_more_than_it_claims_is_refused(compression, tmp_path, peak):
    packed = bomb(compression, 20 * MEGABYTE)
    code = 8 if compression == "zlib" else 34925
    entries = [(256, 100), (257, 100), (258, 8), (259, code), (262, 1), (273, 8), (277, 1), (278, 100)]
    (tmp_path / "s.tif").write_bytes(stacked([[*entries, (279, len(packed))]], packed))
    refused(tmp_path / "s.tif", r"a part of it unpacks to more than the 10,000 bytes it claims; copy")


def stacked(directories, data=b"", then=0):
    """A classic TIFF: data from byte 8 on, then its directories, the last of which leads to number ``then`` or ends."""
    content, places = b"II*\0" + struct.pack("<I", 8 + len(data)) + data, []
    for number, entries in enumerate(directories):
        places.append(len(content))
        content += struct.pack("<H", len(entries))
        for tag, value in entries:
            count, value = value if isinstance(value, tuple) else (1, value)
            content += struct.pack("<HHII", tag, 4, count, value)
        last = number == len(directories) - 1
        content += struct.pack("<I", (places[then - 1] if then else 0) if last else len(content) + 4)
    return content


PAGE = [(256, 5), (257, 6), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 6), (279, 30)]


@pytest.mark.parametrize(("number", "then"), [(1, 1), (2, 1), (99, 1), (150, 1), (150, 150), (200, 50)])
def test_pages_that_run_in_a_circle_are_refused(number, then, tmp_path):
    (tmp_path / "s.tif").write_bytes(stacked([PAGE] * number, bytes(30), then))
    refused(tmp_path / "s.tif", r"s\.tif can't be read as a TIFF image: its pages run in a circle; copy")


@pytest.mark.parametrize("tag", [273, 279, 330, 65000])
def test_directories_that_share_one_large_array_are_refused(tag, tmp_path, peak):
    data = struct.pack("<I", 9) * 200_000
    entries = [entry for entry in PAGE if entry[0] != tag]
    (tmp_path / "s.tif").write_bytes(stacked([[*entries, (tag, (200_000, 8))]] * 50, data))
    refused(tmp_path / "s.tif", r"its pages (claim [\d,]+ values, the file holds [\d,]+ bytes|run in a circle); copy")
    assert peak() < 60 * MEGABYTE


def test_directories_within_a_directory_may_not_be_the_same_one(tmp_path):
    data = struct.pack("<II", 16, 16)
    data += struct.pack("<H", 0) + struct.pack("<I", 0)
    (tmp_path / "s.tif").write_bytes(stacked([[*PAGE, (330, (2, 8))]], data + bytes(30)))
    refused(tmp_path / "s.tif", "its pages run in a circle")


def test_pages_in_a_chain_are_read(tmp_path):
    (tmp_path / "s.tif").write_bytes(stacked([PAGE] * 150, bytes(30 * 150)))
    assert read_image(tmp_path / "s.tif").data.shape == (5, 6, 150)


def test_small_pictures_beside_large_ones_are_still_read(pages, tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", bigtiff=True) as writer:
        large = np.zeros((7, 64, 64), np.uint16)
        writer.write(large, subifds=1, photometric="minisblack", tile=(16, 16), metadata={"axes": "ZYX"})
        writer.write(large[:, ::2, ::2], subfiletype=1, photometric="minisblack", tile=(16, 16))
    assert read_image(tmp_path / "s.ome.tif").data.shape == (64, 64, 7)


@pytest.mark.parametrize(("calibrated", "bytes_each"), [(False, 2), (True, 2 + 16)])
def test_a_stack_larger_than_the_memory_available_is_refused(calibrated, bytes_each, pages, monkeypatch, tmp_path):
    more = "cf=0\nc0=-32768.0\nc1=1.0\n" if calibrated else ""
    description = f"ImageJ=1.54f\nimages=7\nslices=7\n{more}"
    tifffile.imwrite(tmp_path / "s.tif", pages, description=description, metadata=None, photometric="minisblack")
    monkeypatch.setattr(available_memory, "available_memory", lambda: bytes_each * pages.size)
    read_image(tmp_path / "s.tif")
    monkeypatch.setattr(available_memory, "available_memory", lambda: bytes_each * pages.size - 1)
    refused(tmp_path / "s.tif", r"s\.tif claims .* memory that are available")

"""A CSV file of images and labels."""

from __future__ import annotations

import pytest

from napari_revsam2.evaluation.datasets.layouts import open_dataset
from napari_revsam2.vocabulary.errors import RevSAM2Error
from tests.evaluation.dataset_folders import names, write_pairs, write_volume


def test_pairs_may_be_relative_or_absolute_named_and_split(tmp_path):
    write_volume(tmp_path / "a" / "1.2.nii.gz")
    write_volume(tmp_path / "labels.nii", 3)
    elsewhere = write_volume(tmp_path / "elsewhere" / "b.nii.gz")
    dataset = open_dataset(write_pairs(tmp_path, "a/1.2.nii.gz,labels.nii,,", f"{elsewhere},labels.nii,second,test"))
    assert names(dataset.training) == ["1.2"]
    assert names(dataset.test) == ["second"]
    assert dataset.test[0].image == elsewhere
    assert dict(dataset.classes) == {3: "class 3"}


def test_a_table_beside_the_pairs_names_the_classes(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text("id,name\n1,liver\n4,left kidney\n")
    assert dict(open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,")).classes) == {1: "liver", 4: "left kidney"}


def test_a_table_saved_by_a_spreadsheet_is_read_without_its_byte_order_mark(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "pairs.csv").write_text("image,labels\r\nv.nii,v.nii\r\n", encoding="utf-8-sig", newline="")
    assert names(open_dataset(tmp_path / "pairs.csv").training) == ["v"]


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        (["v.nii,v.nii"], "image;labels", "no column image and no column labels"),
        (["v.nii,,,"], "image,labels,name,split", "line 2: labels must be the name of a file, not ''"),
        (
            ["v.nii,v.nii,,validation"],
            "image,labels,name,split",
            "line 2: split must be .*, not 'validation'",
        ),
        (["v.nii,w.nii,,"], "image,labels,name,split", r"w\.nii, the labels of v, don't exist"),
        (["w.nii,v.nii,,"], "image,labels,name,split", r"w\.nii, the image of w, doesn't exist"),
        (["w" * 300 + ".nii,v.nii,,"], "image,labels,name,split", r"w\.nii, the image of w+, doesn't exist"),
        (["v.nii,v.nii,v,training,more"], "image,labels,name,split", "line 2, has more values than columns"),
        (["v.nii,v.nii,v"], "image,labels,labels", "has the column labels twice"),
        (["v.nii,v\0.nii,,"], "image,labels,name,split", r"line 2: labels must be .*, not 'v\\x00\.nii'"),
        (['"v.nii,v.nii,,'], "image,labels,name,split", "can't be read as a row of a table"),
        (["v.nii," + "v" * 200_000], "image,labels", "can't be read as a row of a table"),
        ([], "image,labels", "names no labelled volume"),
    ],
)
def test_pairs_that_cannot_be_are_refused(tmp_path, lines, header, said):
    write_volume(tmp_path / "v.nii")
    with pytest.raises(RevSAM2Error, match=said):
        open_dataset(write_pairs(tmp_path, *lines, header=header))


@pytest.mark.parametrize("label", ["0", "-1", "1.0", "liver", "", "\u0661", "65536", "1" * 5000])
def test_a_class_needs_a_whole_number(tmp_path, label):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text(f"id,name\n{label},liver\n")
    with pytest.raises(RevSAM2Error, match=r"classes\.csv, line 2"):
        open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,"))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "pairs.csv").write_bytes(b"image,labels\n\xff\xfe,\x81\n")
    with pytest.raises(RevSAM2Error, match="can't be read as text in UTF-8"):
        open_dataset(tmp_path / "pairs.csv")


def test_an_id_that_is_there_twice_is_refused(tmp_path):
    write_volume(tmp_path / "v.nii")
    (tmp_path / "classes.csv").write_text("id,name\n1,liver\n01,spleen\n")
    with pytest.raises(RevSAM2Error, match=r"classes\.csv, line 3: the id 1 is there twice"):
        open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,"))


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_revsam2.evaluation.datasets.entries._LARGEST_FILE", 10)
    with pytest.raises(RevSAM2Error, match=r"pairs\.csv is larger than"):
        open_dataset(write_pairs(tmp_path, "v.nii,v.nii,,"))

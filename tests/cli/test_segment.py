"""The main job from files to files, with the bundled checkpoint."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_revsam2.cli import main

from .conftest import Files, phantom, save


def test_mask_scores_figure_and_json_are_left(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, figure = tmp_path / "scores.csv", tmp_path / "figure.png"
    more = ["--scores", str(scores), "--figure", str(figure), "--truth", str(files.truth), "--json", "--top-k", "2"]

    assert main([*files.arguments(), *more]) == 0

    captured = capsys.readouterr()
    assert captured.err == ""
    report = json.loads(captured.out.splitlines()[-1])
    mask = nib.load(files.output)
    assert mask.shape == (40, 36, 5)
    np.testing.assert_array_equal(mask.affine, nib.load(files.query).affine)
    assert np.issubdtype(mask.get_data_dtype(), np.integer)
    rows = list(csv.DictReader(scores.read_text().splitlines()))
    assert list(rows[0]) == ["label", "slice", "reverse_score", "selected", "foreground_voxels", "dice"]
    assert [(int(r["label"]), int(r["slice"])) for r in rows] == [(c, i) for c in (1, 2) for i in range(5)]
    voxels = np.asarray(mask.dataobj)
    truth = np.asarray(nib.load(files.truth).dataobj)
    for row in rows:
        found, true = (v[:, :, int(row["slice"])] == int(row["label"]) for v in (voxels, truth))
        assert int(row["foreground_voxels"]) == found.sum()
        both = found.sum() + true.sum()
        assert row["dice"] == (f"{2 * (found & true).sum() / both:.6f}" if both else "")
        assert 0 <= float(row["reverse_score"]) <= 1
    assert len({row["reverse_score"] for row in rows}) > 2
    assert figure.read_bytes().startswith(b"\x89PNG")
    for summary in report["labels"]:
        found, true = voxels == summary["label"], truth == summary["label"]
        assert summary["dice"] == pytest.approx(2 * (found & true).sum() / (found.sum() + true.sum()))
        assert summary["foreground_voxels"] == found.sum() > 0
        assert sum(int(r["selected"]) for r in rows if int(r["label"]) == summary["label"]) == len(summary["selected"])
    assert report["settings"]["top_k"] == 2
    assert report["settings"]["axis"] == "axial"
    assert report["query_slices"] == 5
    assert report["notices"] == []
    assert report["computed_with"]["device"] in ("cpu", "cuda", "mps")
    assert report["computed_with"]["precision"] in ("float32", "bfloat16", "float16")
    assert {"read", "load", "embed", "forward", "reverse", "self", "write"} <= report["seconds"].keys()
    assert report["versions"]["sam2"]


def test_one_class_and_chosen_slices_are_used(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files.arguments(), "--label", "2", "--slices", "3,2", "--json", "--mode", "forward"]) == 0
    (summary,) = json.loads(capsys.readouterr().out.splitlines()[-1])["labels"]
    assert summary["label"] == 2
    assert summary["supports"] == [{"volume": 0, "slice": 3}, {"volume": 0, "slice": 2}]


def test_all_slices_that_are_listed_are_used(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    for path, data in zip((files.image, files.labels), phantom(16), strict=True):
        save(path, data)
    listed = list(range(2, 14))
    more = ["--label", "1", "--slices", ",".join(map(str, listed)), "--json", "--mode", "forward"]
    assert main([*files.arguments(), *more]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [support["slice"] for support in report["labels"][0]["supports"]] == listed
    assert report["settings"]["n_support"] == len(listed)


def test_a_listed_slice_without_the_class_is_passed_over(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    labels = phantom()[1]
    labels[..., 2][labels[..., 2] == 2] = 0
    save(files.labels, labels)
    more = ["--label", "2", "--slices", "2,3", "--json", "--mode", "forward", "--window", "-600,3000"]
    assert main([*files.arguments(), *more]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [support["slice"] for support in report["labels"][0]["supports"]] == [3]
    assert report["settings"]["window"] == "-600,3000"


def test_slices_of_one_line_make_a_figure(files: Files, tmp_path: Path) -> None:
    query, truth = (volume[..., 2:3] for volume in phantom(5))
    save(files.query, query)
    save(files.truth, truth)
    figure = tmp_path / "figure.png"
    more = ["--axis", "coronal", "--figure", str(figure), "--truth", str(files.truth), "--mode", "forward"]
    assert main([*files.arguments(), *more]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_query_in_another_orientation_gets_the_same_mask_in_the_world(files: Files, tmp_path: Path) -> None:
    image = nib.load(files.query)
    masks = []
    for code in ("RAS", "LPS", "PSR"):
        wanted = nib.orientations.ornt_transform(nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(code))
        turned = tmp_path / f"{code}.nii.gz"
        nib.save(image.as_reoriented(wanted), turned)
        output = tmp_path / f"mask_{code}.nii.gz"
        assert main([*files.arguments(query=turned, output=output), "--mode", "forward"]) == 0
        written = nib.load(output)
        np.testing.assert_array_equal(written.affine, nib.load(turned).affine)
        masks.append(np.asarray(nib.as_closest_canonical(written).dataobj))
    assert masks[0].any()
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[0], masks[2])


def test_a_query_of_one_slice_and_k_above_m_work(files: Files, tmp_path: Path) -> None:
    query = save(tmp_path / "one.nii.gz", phantom()[0][:, :, 2:3])
    assert main([*files.arguments(query=query), "--top-k", "50"]) == 0
    written = nib.load(files.output)
    assert written.shape == (40, 36, 1)
    assert np.asarray(written.dataobj).any()
    np.testing.assert_array_equal(written.affine, nib.load(query).affine)


def test_an_output_that_fails_leaves_the_old_one(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.output.write_text("old")
    monkeypatch.setattr("nibabel.save", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    monkeypatch.setattr("nibabel.Nifti1Image.to_filename", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full")))
    assert main([*files.arguments(), "--mode", "forward"]) == 2
    assert files.output.read_text() == "old"


def test_embeddings_are_not_kept_in_a_folder_that_is_read(files, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path / "series"))
    assert main(files.arguments(query=tmp_path)) == 2
    assert "set NAPARI_REVSAM2_CACHE to another folder" in capsys.readouterr().err
    assert not (tmp_path / "series").exists()


def test_help_needs_no_torch_and_no_reader() -> None:
    code = (
        "import sys; from napari_revsam2.cli import main\n"
        "try: main(['segment', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'sam2', 'nibabel', 'matplotlib'} & set(sys.modules), 'too much was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

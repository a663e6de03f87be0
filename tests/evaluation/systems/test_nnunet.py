"""nnU-Net gets the slices, is trained once for them, and its masks come back."""

from __future__ import annotations

import json
import os
import stat
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.evaluation.systems import nnunet
from napari_revsam2.evaluation.systems.nnunet import NnUNet, NnUNetError, run_command
from napari_revsam2.sam2_backend.cache.cache_folder import cache_folder
from napari_revsam2.vocabulary.errors import ProblemError

LABEL = 4
LIMITS = (0.0, 200.0)
SPACING = (1.0, 1.0, 1.0)


def bright(shape: tuple[int, int], corner: int) -> tuple[np.ndarray, np.ndarray]:
    """A bright square in darker noise."""
    inside = np.zeros(shape, bool)
    inside[corner : corner + shape[0] // 3, corner : corner + shape[1] // 3] = True
    noise = np.random.default_rng(corner).normal(20, 5, shape)
    return (150 * inside + noise).astype(np.float32), inside


@pytest.fixture
def supports() -> tuple[SupportSlice, ...]:
    painted = [bright(shape, corner) for shape, corner in (((24, 30), 3), ((40, 32), 6), ((24, 30), 5))]
    return tuple(SupportSlice(image, np.where(inside, LABEL, 9), LIMITS) for image, inside in painted)


@pytest.fixture
def query() -> tuple[QueryVolume, np.ndarray]:
    images, inside = zip(*(bright((28, 26), corner) for corner in (4, 8)), strict=True)
    return QueryVolume(np.stack(images), LIMITS), np.stack(inside)


def as_array(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


@dataclass
class FakeNnUNet:
    """Keeps what was there to train on, and "predicts" by a threshold."""

    commands: list[tuple[str, ...]] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    description: dict = field(default_factory=dict)

    def __call__(self, command, folder: Path) -> None:
        self.commands.append(tuple(command))
        if command[0] == "nnUNetv2_train":
            [dataset] = (folder / "raw").iterdir()
            self.images = [as_array(path) for path in sorted((dataset / "imagesTr").iterdir())]
            self.labels = [as_array(path) for path in sorted((dataset / "labelsTr").iterdir())]
            self.description = json.loads((dataset / "dataset.json").read_text())
        if command[0] == "nnUNetv2_predict":
            given, found = (Path(command[command.index(option) + 1]) for option in ("-i", "-o"))
            found.mkdir()
            for path in given.iterdir():
                mask = (as_array(path) > 0.5).astype(np.uint8)
                sitk.WriteImage(sitk.GetImageFromArray(mask), str(found / path.name.replace("_0000", "")))

    @property
    def names(self) -> list[str]:
        return [command[0].removeprefix("nnUNetv2_") for command in self.commands]


@pytest.fixture
def fake() -> FakeNnUNet:
    return FakeNnUNet()


def segment(system: NnUNet, supports, query) -> np.ndarray:
    return system.segment(supports, LABEL, query[0], SPACING, query[1])


def test_it_is_trained_on_the_window_of_the_slices_and_the_one_class(fake, supports, query):
    segment(NnUNet(run=fake, device="cpu"), supports, query)
    assert fake.description["numTraining"] == 3
    assert fake.description["file_ending"] == ".mha"
    for image, labels, support in zip(fake.images, fake.labels, supports, strict=True):
        np.testing.assert_allclose(image, np.clip(support.image / 200, 0, 1), atol=1e-6)
        np.testing.assert_array_equal(labels, support.mask(LABEL))


def test_its_masks_come_back_slice_by_slice(fake, supports, query):
    result = segment(NnUNet(run=fake, device="cpu"), supports, query)
    assert result.dtype == bool
    np.testing.assert_array_equal(result, query[1])


def test_other_queries_and_processes_find_the_trained_network(fake, supports, query, tmp_path):
    for _ in range(2):
        segment(NnUNet(run=fake, device="cpu", folder=tmp_path), supports, query)
    assert fake.names == ["plan_and_preprocess", "train", "predict", "predict"]


@pytest.mark.parametrize("change", ["supports", "epochs"])
def test_other_supports_and_other_epochs_are_trained_anew(fake, supports, query, change):
    segment(NnUNet(run=fake, device="cpu"), supports, query)
    changed = NnUNet(run=fake, device="cpu", epochs=5 if change == "epochs" else nnunet.DEFAULT_EPOCHS)
    segment(changed, supports[:2] if change == "supports" else supports, query)
    assert fake.names.count("train") == 2


def test_a_training_that_was_cut_off_is_begun_again(fake, supports, query):
    def stops(command, folder):
        if command[0] == "nnUNetv2_train":
            raise NnUNetError("stopped")

    with pytest.raises(NnUNetError):
        segment(NnUNet(run=stops, device="cpu"), supports, query)
    np.testing.assert_array_equal(segment(NnUNet(run=fake, device="cpu"), supports, query), query[1])
    assert fake.names == ["plan_and_preprocess", "train", "predict"]


def test_the_network_alone_is_kept_of_a_training_in_the_cache(supports, query, fake):
    def trains(command, folder):
        fake(command, folder)
        for name in ("preprocessed/data.npz", "results/checkpoint_best.pth", "results/checkpoint_final.pth"):
            (folder / name).parent.mkdir(exist_ok=True)
            if command[0] == "nnUNetv2_train":
                (folder / name).touch()

    segment(NnUNet(run=trains, device="cpu"), supports, query)
    left = {path.name for path in (cache_folder() / "nnunet").rglob("*") if path.suffix in (".npz", ".pth")}
    assert left == {"checkpoint_final.pth"}


@pytest.mark.parametrize(("epochs", "trainer"), [(1, "nnUNetTrainer_1epoch"), (20, "nnUNetTrainer_20epochs")])
def test_epochs_choose_one_of_nnunets_own_trainers(fake, supports, query, epochs, trainer):
    segment(NnUNet(run=fake, device="cpu", epochs=epochs), supports, query)
    _, train, predict = fake.commands
    assert train[train.index("-tr") + 1] == predict[predict.index("-tr") + 1] == trainer


def test_a_number_of_epochs_without_a_trainer_is_refused():
    with pytest.raises(ProblemError, match=r"no trainer of 7 epochs: use one of 1, 5, 10"):
        NnUNet(epochs=7)


@pytest.mark.skipif(NnUNet().missing() != "", reason="nnU-Net isn't installed")
def test_nnunet_has_the_trainers():
    import nnunetv2

    variants = Path(nnunetv2.__file__).parent / "training/nnUNetTrainer"
    source = "".join(path.read_text() for path in variants.rglob("*.py"))
    assert all(f"class {trainer}(" in source for trainer in nnunet.TRAINERS.values())


def test_what_is_missing_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr(nnunet, "find_spec", lambda name: None)
    assert "pip install 'napari-revsam2[nnunet]'" in NnUNet().missing()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program of the name in place of nnU-Net's."""

    def put(source: str) -> None:
        path = tmp_path / "nnUNetv2_train"
        path.write_text(f"#!{sys.executable}\n{source}")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))

    return put


needs_scripts = pytest.mark.skipif(os.name == "nt", reason="a script without an ending isn't a program there")


@needs_scripts
def test_a_command_finds_its_folders_inside_the_given_one(program, tmp_path):
    program(
        "import os, sys\nprint(*(os.environ[f'nnUNet_{n}'] for n in ('raw', 'preprocessed', 'results')), sys.argv[1])"
    )
    folder = tmp_path / "here"
    folder.mkdir()
    run_command(("nnUNetv2_train", "a b"), folder)
    expected = f"{folder}/raw {folder}/preprocessed {folder}/results a b\n"
    assert (folder / "nnunet.log").read_text() == expected


@needs_scripts
def test_a_command_that_fails_is_told_with_its_last_line_and_its_log(program, tmp_path):
    program("import sys\nprint('much')\nsys.exit('no cases found')")
    with pytest.raises(NnUNetError, match=r"stopped in nnUNetv2_train \(no cases found\).*nnunet\.log"):
        run_command(("nnUNetv2_train",), tmp_path)


def test_a_folder_that_cannot_be_made_is_told(fake, supports, query, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NnUNetError, match="set NAPARI_REVSAM2_CACHE"):
        segment(NnUNet(run=fake, device="cpu", folder=tmp_path / "file" / "nnunet"), supports, query)


def test_a_command_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NnUNetError, match="nnUNetv2_nothing isn't installed"):
        run_command(("nnUNetv2_nothing",), tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(NnUNet().missing() != "", reason="nnU-Net isn't installed")
def test_nnunet_itself_learns_a_bright_square_in_one_epoch(supports, query):
    result = segment(NnUNet("nnunet-1", 1, device="cpu"), supports, query)
    assert result.shape == query[1].shape
    overlap = 2 * (result & query[1]).sum() / (result.sum() + query[1].sum())
    assert overlap > 0.8

"""Random anatomies and the patients that share them.

An `Anatomy` is a list of structures (body wall, bones, organs, mirrored pairs, vessels, organs in two parts) given as
closed-form shapes in the cube [-1, 1]^3, axes z (head to foot), y (front to back), x (left to right). `patient` draws
one deformed copy as a label volume. No patient data enters anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

GRID = (80, 112, 112)
"""Voxels of a label volume along z, y, x."""
AIR, FAT, MUSCLE, BONE = 0, 1, 2, 3
THIN = 0.08
"""Least half-axis below which a structure is thin; 1 is half the volume's side."""
FIRST_CLUTTER = 4

Field = NDArray[np.float32]
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Structure:
    """One shape: an ellipsoid-like blob, or a tube along z, painted over what lies below it."""

    label: int
    kind: str
    """``blob`` or ``tube``."""
    centre: Field
    radii: Field
    rotation: Field
    bend: float
    power: int
    waves: Field
    """(n, 5): amplitude, three frequencies and a phase of the sines that shape the surface."""
    inner_label: int = 0
    """Label of the core (``nested``) or of the far half (``split``); 0 for neither."""
    inner: str = ""

    def varied(self, rng: np.random.Generator, amount: float) -> Structure:
        """The same structure in another patient."""
        waves = self.waves.copy()
        waves[:, 4] += rng.normal(0, 4 * amount, len(waves))
        return replace(
            self,
            centre=(self.centre + rng.normal(0, 0.3 * amount, 3)).astype(np.float32),
            radii=(self.radii * np.exp(rng.normal(0, amount, 3))).astype(np.float32),
            rotation=(_rotation(rng.normal(0, amount, 3)) @ self.rotation).astype(np.float32),
            waves=waves,
        )

    def mirrored(self, label: int) -> Structure:
        """Its counterpart on the other side of the body."""
        flip = np.diag([1.0, 1.0, -1.0]).astype(np.float32)
        rotation = flip @ self.rotation @ flip
        return replace(
            self, label=label, centre=flip @ self.centre, rotation=rotation, bend=self.bend, inner="", inner_label=0
        )

    def paint(self, volume: Labels, position: tuple[Field, Field, Field]) -> None:
        """Write the structure's labels into ``volume``; ``position`` holds the warped coordinates of its voxels."""
        box = self._box(volume.shape)
        local = np.stack([axis[box] for axis in position]) - self.centre[:, None, None, None]
        if self.kind == "tube":
            z = local[0]
            local = local.copy()
            for amplitude, frequency, _, _, phase in self.waves:
                local[1] -= 2 * amplitude * np.sin(frequency * z + phase)
                local[2] -= 2 * amplitude * np.sin(frequency * z + 2 * phase)
        local = np.tensordot(self.rotation, local, axes=1) / self.radii[:, None, None, None]
        local[1] += self.bend * (local[2] ** 2 - 0.4)
        square = local * local
        level = square.sum(0) if self.power == 2 else np.sqrt((square * square).sum(0))
        if self.kind == "blob":
            for amplitude, *frequency, phase in self.waves:
                level += amplitude * np.sin(np.tensordot(np.float32(frequency), local, axes=1) + np.float32(phase))
        inside = level < 1
        region = volume[box]
        region[inside] = self.label
        if self.inner == "nested":
            region[level < 0.45] = self.inner_label
        elif self.inner == "split":
            region[inside & (local[0] + 0.3 * local[2] > 0)] = self.inner_label

    def _box(self, shape: tuple[int, ...]) -> tuple[slice, ...]:
        """Index ranges that certainly hold the structure (warps move a voxel by less than 0.3)."""
        reach = 1.35 * np.abs(self.rotation).T @ self.radii + 0.3
        if self.kind == "tube":
            reach = np.array([self.radii[0] + 0.3, *(reach[1:] + 4 * np.abs(self.waves[:, 0]).sum())])
        low = np.floor((self.centre - reach + 1) / 2 * np.array(shape)).astype(int)
        high = np.ceil((self.centre + reach + 1) / 2 * np.array(shape)).astype(int)
        return tuple(slice(max(0, a), max(1, min(n, b))) for a, b, n in zip(low, high, shape, strict=True))


@dataclass(frozen=True)
class Anatomy:
    """What a family of patients has in common."""

    structures: tuple[Structure, ...]
    targets: tuple[int, ...]
    """Labels that an episode may ask for."""
    pairs: tuple[tuple[int, int], ...]
    """Labels of structures that lie on both sides of the body."""
    thin: tuple[int, ...]
    """Labels of vessels, sheets and other structures that are thin in one direction at least."""
    n_labels: int
    body_radii: Field | None
    """Half-axes of the body in y and x; None where tissue fills the whole cube (a crop from deep inside)."""
    fat_depth: float
    ribs: tuple[float, float] | None
    """Frequency and tilt of ribs below the skin."""
    clutter: Field
    """(n, gz, gy, gx) coarse noise whose argmax parts the background into tissues."""

    def mirror_of(self, label: int) -> tuple[int, ...]:
        """The label of its counterpart on the other side, if it has one."""
        return tuple(other for pair in self.pairs if label in pair for other in pair if other != label)

    def patient(self, rng: np.random.Generator, amount: float = 0.1) -> Labels:
        """Draw one patient: a label volume of shape `GRID`. ``amount`` scales how much patients differ."""
        z, y, x = _warped_grid(rng, amount)
        volume = self._background(rng, z, y, x)
        for structure in self.structures:
            if rng.random() > 0.03:
                structure.varied(rng, amount).paint(volume, (z, y, x))
        if self.body_radii is not None:
            volume[self._body_level(z, y, x) > 1] = AIR
        return volume

    def _body_level(self, z: Field, y: Field, x: Field) -> Field:
        assert self.body_radii is not None
        level: Field = (y / self.body_radii[0]) ** 2 + (x / self.body_radii[1]) ** 2 + 0.04 * np.sin(3 * z + 1)
        return level

    def _background(self, rng: np.random.Generator, z: Field, y: Field, x: Field) -> Labels:
        coarse = self.clutter + rng.normal(0, 0.25, self.clutter.shape).astype(np.float32)
        grid = torch.from_numpy(np.stack([x, y, z], axis=-1))[None]
        fields = F.grid_sample(
            torch.from_numpy(coarse)[None], grid, mode="bilinear", padding_mode="border", align_corners=True
        )[0]
        volume: Labels = (fields.argmax(0).to(torch.uint8) + FIRST_CLUTTER).numpy()
        if self.body_radii is None:
            return volume
        level = self._body_level(z, y, x)
        volume[level > 1 - self.fat_depth - 0.18] = MUSCLE
        if self.ribs is not None:
            frequency, tilt = self.ribs
            ring = np.abs(level - (0.9 - self.fat_depth)) < 0.05
            volume[ring & (np.sin(frequency * (z + tilt * y)) > 0.45)] = BONE
        volume[level > 1 - self.fat_depth] = FAT
        return volume


def random_anatomy(rng: np.random.Generator, easy: bool = False) -> Anatomy:
    """Draw an anatomy: background tissues, then structures from large to small so that small ones stay visible.

    An ``easy`` one has a plain background, fewer structures and no vessels.
    """
    n_clutter = 1 if easy else int(rng.integers(1, 7))
    next_label = FIRST_CLUTTER + n_clutter
    structures: list[Structure] = []
    targets: list[int] = []
    pairs: list[tuple[int, int]] = []

    def add(structure: Structure) -> None:
        structures.append(structure)
        targets.extend(label for label in (structure.label, structure.inner_label) if label)

    def new_label() -> int:
        nonlocal next_label
        next_label += 1
        return next_label - 1

    sizes = np.concatenate(
        [
            rng.uniform(0.3, 0.55, rng.integers(0, 3)),
            rng.uniform(0.14, 0.3, rng.integers(2, 6) if easy else rng.integers(3, 8)),
            rng.uniform(0.06, 0.14, rng.integers(0, 2) if easy else rng.integers(2, 7)),
        ]
    )
    for size in sizes:
        blob = _random_blob(rng, new_label(), float(size))
        part = rng.random()
        if part < 0.12:
            blob = replace(blob, inner="nested", inner_label=new_label())
        elif part < 0.3:
            blob = replace(blob, inner="split", inner_label=new_label())
        add(blob)
        if size < 0.3 and rng.random() < 0.3:
            mirrored = blob.varied(rng, 0.08).mirrored(new_label())
            add(mirrored)
            pairs.append((blob.label, mirrored.label))
    for _ in range(0 if easy else rng.integers(0, 4)):
        add(_random_tube(rng, new_label()))
    if rng.random() < 0.6:
        add(_spine(rng, new_label()))
    whole = rng.random() < 0.3
    return Anatomy(
        structures=tuple(structures),
        targets=tuple(targets),
        pairs=tuple(pairs),
        thin=tuple(structure.label for structure in structures if structure.radii.min() < THIN),
        n_labels=next_label,
        body_radii=None if whole else rng.uniform([0.6, 0.75], [0.95, 1.1]).astype(np.float32),
        fat_depth=float(rng.uniform(0.03, 0.25)),
        ribs=(float(rng.uniform(12, 25)), float(rng.uniform(-0.5, 0.5))) if rng.random() < 0.5 else None,
        clutter=rng.normal(0, 1, (n_clutter, *_clutter_cells(rng))).astype(np.float32),
    )


def _clutter_cells(rng: np.random.Generator) -> NDArray[np.int64]:
    """Cells of the background's noise along z, y, x: large lobes, or folds as fine as a brain's."""
    return rng.integers(3, 9, 3) if rng.random() < 0.65 else rng.integers(8, 22, 3)


def _random_blob(rng: np.random.Generator, label: int, size: float) -> Structure:
    waves = np.concatenate(
        [rng.uniform(0.03, 0.22, (4, 1)), rng.normal(0, 2.2, (4, 3)), rng.uniform(0, 6.3, (4, 1))], 1
    )
    return Structure(
        label=label,
        kind="blob",
        centre=rng.uniform([-0.8, -0.55, -0.65], [0.8, 0.55, 0.65]).astype(np.float32),
        radii=(size * np.exp(rng.normal(0, 0.35, 3))).clip(0.04, 0.7).astype(np.float32),
        rotation=_rotation(rng.normal(0, 0.8, 3)),
        bend=float(rng.normal(0, 0.5)),
        power=4 if rng.random() < 0.2 else 2,
        waves=waves.astype(np.float32),
    )


def _random_tube(rng: np.random.Generator, label: int) -> Structure:
    radius = rng.uniform(0.03, 0.09)
    waves = np.concatenate(
        [rng.uniform(0, 0.04, (3, 1)), rng.uniform(1, 5, (3, 1)), np.zeros((3, 2)), rng.uniform(0, 6.3, (3, 1))], 1
    )
    return Structure(
        label=label,
        kind="tube",
        centre=np.array([rng.normal(0, 0.3), rng.uniform(-0.1, 0.5), rng.normal(0, 0.2)], np.float32),
        radii=np.array([rng.uniform(0.5, 1.5), radius, radius * rng.uniform(0.8, 1.3)], np.float32),
        rotation=np.eye(3, dtype=np.float32),
        bend=0.0,
        power=4,
        waves=waves.astype(np.float32),
    )


def _spine(rng: np.random.Generator, label: int) -> Structure:
    tube = _random_tube(rng, label)
    radius = rng.uniform(0.1, 0.18)
    centre = np.array([0, rng.uniform(0.35, 0.6), 0], np.float32)
    return replace(tube, centre=centre, radii=np.array([1.6, radius, radius * 1.3], np.float32), bend=0.3)


def _warped_grid(rng: np.random.Generator, amount: float) -> tuple[Field, Field, Field]:
    """Coordinates z, y, x of each voxel after a patient's own pose and smooth deformation."""
    steps = [torch.linspace(-1, 1, n) for n in GRID]
    grid = torch.stack(torch.meshgrid(*steps, indexing="ij"))  # (3, D, H, W)
    matrix = _rotation(rng.normal(0, 0.5 * amount, 3)) * np.exp(rng.normal(0, 0.8 * amount, 3)).astype(np.float32)
    warped = torch.einsum("ij,jdhw->idhw", torch.from_numpy(matrix.astype(np.float32)), grid)
    for cells, strength in ((4, 0.5), (8, 0.15)):
        coarse = torch.from_numpy(rng.normal(0, strength * amount, (1, 3, cells, cells, cells)).astype(np.float32))
        warped += F.interpolate(coarse, size=GRID, mode="trilinear", align_corners=True)[0]
    warped += torch.from_numpy(rng.normal(0, 0.4 * amount, (3, 1, 1, 1)).astype(np.float32))
    z, y, x = (axis.numpy() for axis in warped)
    return z, y, x


def _rotation(angles: NDArray[np.float64]) -> Field:
    a, b, c = angles
    about_z = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_x = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (about_z @ about_y @ about_x).astype(np.float32)

"""The nearest support slice, registered onto each query slice: a floor that needs no weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 # as its own documentation has it
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice
from napari_revsam2.settings.intensity_window import Limits, windowed

GRID = 96
"""Side of the square that slices are registered on, in pixels; they are stretched to it, as SAM 2 does."""
_ITERATIONS = 30
_MESH = 6
"""Cells of the B-spline's mesh along each side."""
_BINS = 32
"""Of the joint histogram."""


@dataclass(frozen=True)
class Registration:
    """Supports warped onto the query, slice by slice.

    For each query slice, the support slice of the highest correlation (grey values within the window) is registered
    onto it with SimpleITK: affine, then B-splines, both on mutual information, which also holds from CT to MR. The
    support's mask goes along and is cut at one half.

    A registration can't tell that an organ is absent: each query slice gets a mask, beyond the organ's ends too. That
    makes it a floor to stand above, no competitor. Slices where nothing can be registered (a constant one) get the
    support's mask as it is.
    """

    name: str = "registration"

    def missing(self) -> str:
        """Nothing is: SimpleITK comes with the evaluation."""
        return ""

    def segment(
        self,
        supports: tuple[SupportSlice, ...],
        label: int,
        query: QueryVolume,
        spacing: tuple[float, float, float],  # noqa: ARG002
        truth: NDArray[Any],  # noqa: ARG002
    ) -> NDArray[np.bool_]:
        """Segment each slice from its nearest support; as `System.segment`."""
        shown = [_on_grid(support.image, support.limits) for support in supports]
        masks = [_stretched(support.mask(label)) for support in supports]
        result = np.zeros(query.shape, bool)
        for index in range(len(query.slices)):
            image = np.asarray(query.slices[index])
            fixed = _on_grid(image, query.limits)
            nearest = int(np.argmax([_correlation(fixed, moving) for moving in shown]))
            transform = _registered(fixed, shown[nearest])
            warped = sitk.Resample(masks[nearest], _stretched(image), transform, sitk.sitkLinear, 0.0, sitk.sitkFloat32)
            result[index] = sitk.GetArrayViewFromImage(warped) > 0.5
        return result


def _stretched(pixels: NDArray[Any]) -> sitk.Image:
    """Lay a slice (H, W) over the square from 0 to `GRID` in physical space, whatever its size."""
    height, width = pixels.shape
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing((GRID / width, GRID / height))
    image.SetOrigin((GRID / width / 2, GRID / height / 2))
    return image


def _on_grid(pixels: NDArray[Any], limits: Limits) -> sitk.Image:
    """Bring a slice (H, W) to `GRID` x `GRID` pixels, black at 0 and white at 1."""
    image = _stretched(windowed(pixels, limits))
    # Smooth what the coarser grid can't show.
    variance = [max(0.0, (1 - step**2) / 4) for step in image.GetSpacing()]
    grid = _stretched(np.zeros((GRID, GRID), np.float32))
    return sitk.Resample(sitk.DiscreteGaussian(image, variance), grid)


def _correlation(first: sitk.Image, second: sitk.Image) -> float:
    """Pearson's, of the grey values; -1 where one is constant."""
    a, b = (sitk.GetArrayViewFromImage(image).ravel() for image in (first, second))
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else -1.0


def _registered(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """Find where each place of ``fixed`` lies in ``moving``; where it is when one of them is constant."""
    if _correlation(fixed, moving) == -1:
        return sitk.Transform(2, sitk.sitkIdentity)
    found = sitk.CompositeTransform(2)
    centred = sitk.CenteredTransformInitializer(fixed, moving, sitk.AffineTransform(2))
    splines = sitk.BSplineTransformInitializer(fixed, [_MESH, _MESH])
    for transform, pyramid in ((sitk.AffineTransform(centred), (4, 2)), (splines, (2,))):
        method = _method(pyramid)
        method.SetMovingInitialTransform(found)
        method.SetInitialTransform(transform, inPlace=True)
        try:
            method.Execute(fixed, moving)
        except RuntimeError:  # nothing in common: go on without
            continue
        found.AddTransform(transform)
    return found


def _method(pyramid: tuple[int, ...]) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # the images are small, and sums keep their order
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, _ITERATIONS)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(pyramid)
    method.SetSmoothingSigmasPerLevel([factor / 2 for factor in pyramid])
    return method

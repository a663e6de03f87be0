"""The body axis along which volumes are cut into slices."""

from enum import Enum


class Axis(str, Enum):
    """The body axis along which a volume is cut into slices."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

"""Volumes in files: read, turned to one orientation, sliced, and written back on their own grid.

NIfTI goes through nibabel, TIFF through tifffile, DICOM series through SimpleITK; nothing else of the package reads
files of images.
"""

from .reading import read_image, read_labels
from .volume import Volume, check_same_grid, from_slices, new_volume, runs_backwards
from .writing import (
    LARGEST_LABEL,
    check_folder,
    check_writable,
    replaced_file,
    write_labels,
)

__all__ = [
    "LARGEST_LABEL",
    "Volume",
    "check_folder",
    "check_same_grid",
    "check_writable",
    "from_slices",
    "new_volume",
    "read_image",
    "read_labels",
    "replaced_file",
    "runs_backwards",
    "write_labels",
]

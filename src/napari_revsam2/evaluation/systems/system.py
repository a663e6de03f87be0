"""Other systems beside RevSAM2 (Tables 1 and 2): support set and query in, mask out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_revsam2.engine.problem import QueryVolume, SupportSlice


class System(Protocol):
    """A system that segments a query volume from annotated slices."""

    @property
    def name(self) -> str:
        """Its ``mode`` in results."""

    def missing(self) -> str:
        """Say in a sentence why it can't run here, and what to do; empty where it can."""

    def segment(
        self,
        supports: tuple[SupportSlice, ...],
        label: int,
        query: QueryVolume,
        spacing: tuple[float, float, float],
        truth: NDArray[Any],
    ) -> NDArray[np.bool_]:
        """Segment one class.

        Parameters
        ----------
        supports : tuple of SupportSlice
            N annotated slices, (H, W) each, which may differ in size.
        label : int
            The class.
        query : QueryVolume
            M slices (H, W).
        spacing : (float, float, float)
            Millimetres between slices, rows and columns of the query.
        truth : ndarray
            (M, H, W) of bool: the query's true mask, which only prompts of Table 1 look at.

        Returns
        -------
        ndarray
            (M, H, W) of bool.
        """

"""Problems that a user can fix."""

from __future__ import annotations

import pytest

from napari_revsam2.vocabulary import errors
from napari_revsam2.vocabulary.errors import NotEnoughMemoryError, ProblemError, RevSAM2Error, is_memory_shortage

OutOfMemoryError = type("OutOfMemoryError", (RuntimeError,), {})
"""As PyTorch's, which has no other mark."""


def test_every_problem_can_be_caught_as_one():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(kinds) > 5
    assert all(issubclass(kind, RevSAM2Error) for kind in kinds)


@pytest.mark.parametrize("error", [NotEnoughMemoryError(), MemoryError(), OutOfMemoryError("CUDA out of memory")])
def test_a_shortage_of_memory_is_known_whoever_says_it(error):
    assert is_memory_shortage(error)


@pytest.mark.parametrize("error", [RuntimeError("out of memory?"), ProblemError("no"), KeyboardInterrupt()])
def test_other_errors_are_no_shortage_of_memory(error):
    assert not is_memory_shortage(error)


def test_a_shortage_of_memory_says_what_to_do():
    assert "smaller checkpoint" in str(NotEnoughMemoryError())
    assert str(NotEnoughMemoryError("Out of disk.")) == "Out of disk."

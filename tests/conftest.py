"""No test reads or fills the user's cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def users_cache_left_alone(tmp_path_factory) -> Iterator[None]:
    """Keep fixtures of longer life than a test off the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path_factory, monkeypatch) -> None:
    """Give each test an empty cache."""
    monkeypatch.setenv("NAPARI_REVSAM2_CACHE", str(tmp_path_factory.mktemp("cache")))

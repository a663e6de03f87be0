"""Names under which layers keep what napari itself doesn't."""

PROVENANCE = "revsam2"
"""Where a result layer's metadata keeps settings, versions and scores."""
VOLUME = "volume"
"""Where a layer's metadata keeps the grid of the file it was read from."""

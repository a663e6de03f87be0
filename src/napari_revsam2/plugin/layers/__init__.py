"""napari's layers: cut into slices, paired, chosen, followed."""

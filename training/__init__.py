"""How the checkpoint in napari-revsam2 is trained and measured; run the modules from the repository root."""

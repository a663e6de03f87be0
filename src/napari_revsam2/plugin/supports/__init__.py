"""The support pairs and their painted slices."""

"""Weights: shipped with the package, published by others, or from a file; and the architectures they fit."""

"""Measurements of speed and memory; run each module from the repository root, as ``python -m benchmarks.speed``."""

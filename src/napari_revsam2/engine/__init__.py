"""The method of the paper: PyTorch-free orchestration of a network with a memory; no files, no Qt, no sam2."""

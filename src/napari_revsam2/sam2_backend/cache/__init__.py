"""Embeddings that outlive a run, in memory and on disk."""

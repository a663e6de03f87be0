"""Scripts that produce the figures and numbers of the documentation; run them from the repository root."""

"""What is segmented from what, in which ways; computed, measured and kept as rows."""

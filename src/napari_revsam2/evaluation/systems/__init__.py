"""Other systems beside RevSAM2 (Tables 1 and 2)."""

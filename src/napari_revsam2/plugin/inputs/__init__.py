"""What the user chose, as a value; no Qt."""

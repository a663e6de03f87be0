"""The reverse scores, and what to do about them."""

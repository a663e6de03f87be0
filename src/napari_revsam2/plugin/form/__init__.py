"""Supports, query, settings and the Run button."""

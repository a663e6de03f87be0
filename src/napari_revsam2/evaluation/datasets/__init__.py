"""Labelled volumes out of the usual layouts."""

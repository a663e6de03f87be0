"""The command line: files in, masks and scores out."""

from .process import main

__all__ = ["main"]

"""The command line: files in, masks and scores out."""

from .app import main

__all__ = ["main"]

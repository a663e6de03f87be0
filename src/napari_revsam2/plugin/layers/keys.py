"""Keys of the widget's buttons."""

NEXT_WORST, PREVIOUS_WORST, CONDITIONAL, AGAIN = "Alt+Shift+N", "Alt+Shift+B", "Alt+Shift+D", "Alt+Shift+P"
"""Keys that napari 0.9 leaves free."""

"""From rows to the paper's tables, figures and one HTML page."""

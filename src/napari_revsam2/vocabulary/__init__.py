"""The words that every layer shares: errors, body axes, names that people type."""

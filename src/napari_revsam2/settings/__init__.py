"""What can be chosen for a run, and the grey window that supports and query are seen through."""

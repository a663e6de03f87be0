"""One run: from a request to layers, scores and an ending."""

"""What all pictures of a result share."""

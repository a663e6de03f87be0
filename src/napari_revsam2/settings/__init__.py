"""What can be chosen for a run: the method, the network, and the grey window that supports and query are seen through.

`config.RevSAM2Config` is all of it; `method`, `network` and `window` are its parts, for those who need one alone.
"""

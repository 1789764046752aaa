"""Attempts to get out of the cage, and the small world of network namespaces in which they are made."""

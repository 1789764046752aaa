"""Elastic Container Registry: its API, and the registry that images are pushed to and pulled from."""

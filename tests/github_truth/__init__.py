"""Holds what passes between the product and the GitHub stand-in against GitHub's own descriptions."""

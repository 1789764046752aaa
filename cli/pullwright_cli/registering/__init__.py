"""Registers the GitHub App of a deployment, and replaces its secrets."""

"""Pullwright's domain: what a session is, how it talks to GitHub, and how it is recorded."""

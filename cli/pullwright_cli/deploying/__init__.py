"""A deployment, step by step: built, deployed, judged by a session, and taken back if that fails."""

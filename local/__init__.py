"""The local stack: all that AWS and GitHub are, on one machine. Nothing outside this folder knows it."""

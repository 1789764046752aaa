"""The local stack: everything that AWS and GitHub are, on one machine. Nothing outside this folder knows it."""

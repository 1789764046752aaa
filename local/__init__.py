"""The local stack: AWS and GitHub on one machine. Nothing outside this folder depends on it."""

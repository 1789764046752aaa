"""A session whose repository, request and artifacts are in one folder: without AWS, and without GitHub."""

"""The task of a preview: builds and serves one commit, and holds nothing but a token that reads."""

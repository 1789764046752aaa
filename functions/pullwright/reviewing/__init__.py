"""Sessions that only comment: what their agent finds, and how it comes onto the pull request."""

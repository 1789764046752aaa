"""Sessions that only comment: a pull request's changes are read, and nothing is pushed, set up or run."""

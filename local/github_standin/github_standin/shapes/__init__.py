"""Records in GitHub's own JSON shapes."""

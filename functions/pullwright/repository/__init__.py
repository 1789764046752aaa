"""What a repository says in its folder `.pullwright`: its configuration, and its workers' files."""

"""The `pullwright` command."""

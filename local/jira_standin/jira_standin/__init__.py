"""A strict stand-in for Jira Cloud."""

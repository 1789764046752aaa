"""Jira Cloud: what a labelled issue there asks for, and what it is told."""

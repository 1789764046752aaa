"""Pages for people who want to look at what happened."""

"""The outcome of a session: one verdict, on GitHub and in the session's record."""

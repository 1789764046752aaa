"""What came of a session: one verdict, told on GitHub and in the session record."""

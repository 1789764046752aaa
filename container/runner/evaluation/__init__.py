"""Sessions of an evaluation: worked on as any other, then judged by tests that the agent never saw."""

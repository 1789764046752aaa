"""The broker: it gives a running task the credentials of its own session, and nothing else to anybody."""

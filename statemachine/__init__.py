"""The state machine, and a picture of it."""

"""The sweep: finishes the sessions of dead executions, and finds lost webhooks.

The state machine ends its own sessions. Here is what happens when it cannot: it was stopped, it ran out of
time, it failed to close. While an execution runs nothing is done for it but stopping a task that hangs, so
the machine and the sweep never both report.
"""

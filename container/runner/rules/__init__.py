"""House rules: what the base branch says about how to work, brought to the agent."""

"""What runs inside the ECS task: it prepares, watches and finishes the agent's work."""

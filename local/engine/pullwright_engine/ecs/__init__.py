"""ECS: moto keeps clusters and task definitions, tasks are local processes."""

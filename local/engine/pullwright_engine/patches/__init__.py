"""Patches of LocalStack, one defect or gap a module; each has an `apply` that runs once at start."""

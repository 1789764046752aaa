"""The workers that are built in, by name: what the webhook knows without importing a model."""

IMPLEMENT = "implement"
REVIEW = "review"
FIX_CI = "fix-ci"

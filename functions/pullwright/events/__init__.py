"""The queue behind the webhook: starts, stops and releases what its messages ask for."""

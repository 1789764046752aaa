"""Lambda functions as local processes that speak the real Runtime API."""

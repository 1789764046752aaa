"""Previews: a pull request's branch runs behind a load balancer until it is not needed."""

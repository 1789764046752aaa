"""From a request to a draft pull request that an agent can work on; every step may be repeated."""

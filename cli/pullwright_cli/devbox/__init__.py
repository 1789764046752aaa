"""The dev box: a machine in the account that builds, tests and deploys, as a stack of its own."""

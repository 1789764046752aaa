"""A package, so that one engine serves all of its modules: fixture scope `package`."""

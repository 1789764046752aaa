"""A package, so that one stand-in serves all of its modules: fixture scope `package`."""

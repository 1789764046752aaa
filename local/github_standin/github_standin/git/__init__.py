"""The real git repositories behind the stand-in, and their smart HTTP."""

"""Which releases of a stack there are, which one is live, and the way back to an earlier one."""

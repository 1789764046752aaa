"""`pullwright run --local`: a session of a checkout, on this machine, without AWS and GitHub."""

"""Git, twice: the runner's own repository, which only root reads, and the agent's workspace.

The runner's repository is the only one that ever meets a token, and nothing that the agent can write is ever
read as configuration, hook, attribute or filter by a git that runs as root.
"""

"""What keeps GitHub's workflows from running on a commit.

https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
"""

SKIP_CHECKS = "skip-checks: true"
_OURS = ("Pullwright-Session: ", "Pullwright-Update: ")


def is_held(message: str) -> bool:
    """Return whether a message is that of a session's commit which keeps workflows from running."""
    trailers = message.rstrip("\n").rpartition("\n\n\n")[2].split("\n")
    return trailers[-1] == SKIP_CHECKS and trailers[0].startswith(_OURS)

"""Which Apps may start sessions: only those that the deployment lists.

GitHub knows no permission of an App on a repository, anybody can make an App, and a suffix proves
nothing. So nothing but the list counts.
"""

SUFFIX = "[bot]"
# GitHub's own agent, github.com/apps/copilot-swe-agent, acts under a login without the suffix:
# https://github.com/anthropics/claude-code-action/issues/1018
_COPILOT = "copilot"
_COPILOT_NAMES = frozenset({_COPILOT, "copilot-swe-agent"})


def is_app(login: str) -> bool:
    """Return whether a login is an App's. No person's has brackets, and none on GitHub is called Copilot."""
    return login.endswith(SUFFIX) or login.lower() == _COPILOT


def is_listed(login: str, allowed_apps: str) -> bool:
    """Return whether a login is that of an App on the list.

    Args:
        allowed_apps: slugs, and `Copilot`, separated by commas.
    """
    # GitHub's names are ASCII; some other letters turn into those when their case is folded.
    if not is_app(login) or not login.isascii():
        return False
    listed = {name.lower() for name in allowed_apps.split(",") if name}
    name = login.removesuffix(SUFFIX).lower()
    return not listed.isdisjoint(_COPILOT_NAMES if login.lower() == _COPILOT else {name})

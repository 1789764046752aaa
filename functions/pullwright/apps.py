"""Which Apps may start sessions: only those that the deployment lists.

GitHub knows no permission of an App on a repository, anybody can make an App, and a suffix proves
nothing. So nothing but the list counts.
"""

SUFFIX = "[bot]"


def is_listed(login: str, allowed_apps: str) -> bool:
    """Whether a login is that of an App on the list. No person's login has brackets.

    Args:
        login: of whoever sent a webhook.
        allowed_apps: slugs, separated by commas.
    """
    slug = login.removesuffix(SUFFIX)
    # GitHub's names are ASCII; some other letters turn into those when their case is folded.
    listed = {name.lower() for name in allowed_apps.split(",") if name}
    return slug != login and slug.isascii() and slug.lower() in listed

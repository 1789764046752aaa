"""Whose repositories this deployment works for.

Anybody can install an App that is public, and what it does there is done at the deployment's cost. So
nothing but the list counts: the sender's rights in a repository of theirs prove nothing.
"""

EVERYBODY = "*"
"""Stands for every owner: for a GitHub server of one's own, where not everybody can install the App."""


def is_allowed(full_name: str, allowed: str) -> bool:
    """Return whether the deployment works for a repository; case does not matter on GitHub.

    Args:
        full_name: `owner/name`, as GitHub calls it now: a name that was given up may be a stranger's.
        allowed: accounts, organisations and `owner/name`, separated by commas.
    """
    entries = _entries(allowed)
    name = full_name.lower()
    # GitHub's names are ASCII; some other letters turn into those when their case is folded.
    return EVERYBODY in entries or (full_name.isascii() and not entries.isdisjoint({name, owner_of(name)}))


def has_any(owner: str, allowed: str) -> bool:
    """Return whether the deployment may work for any repository of an account."""
    owners = {owner_of(entry) for entry in _entries(allowed)}
    return EVERYBODY in owners or (owner.isascii() and owner.lower() in owners)


def owner_of(full_name: str) -> str:
    """Return the account in `owner/name`."""
    return full_name.partition("/")[0]


def _entries(allowed: str) -> set[str]:
    return {entry.lower() for entry in allowed.split(",") if entry}

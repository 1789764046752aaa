"""What git finds wrong in a history: which findings do no harm, and what becomes of one that may.

`transfer.fsckObjects` refuses whatever git calls an error, and every warning too. Old histories hold findings
that harm nobody: time zones and dates that cannot be, lines without a name, folder modes that early clients
wrote with a zero in front. Rewriting such a history would break every clone of it, so nobody does.
https://git-scm.com/docs/git-fsck#_fsck_messages

`fetch.fsck.<finding>` does not help: for a partial clone git calls `index-pack --fsck-objects` without it. So
a history with a harmless finding is fetched once more without that check, and then read by `git fsck`.
"""

from __future__ import annotations

import re

from pullwright.errors import HistoryRefused

# Lines about people and times are only ever shown, and a padded mode means the same as one without padding.
# What could reach a path, a link, a submodule or an attribute stays refused, as does what git cannot parse.
HARMLESS = frozenset(
    {
        "badDate",
        "badDateOverflow",
        "badEmail",
        "badName",
        "badTimezone",
        "missingEmail",
        "missingNameBeforeEmail",
        "missingSpaceBeforeDate",
        "missingSpaceBeforeEmail",
        "zeroPaddedDate",
        "zeroPaddedFilemode",
    }
)

LENIENT = {f"fsck.{name}": "ignore" for name in sorted(HARMLESS)}
"""Configuration with which `git fsck` reports dangerous findings only."""

# Of index-pack and of fsck; LC_ALL=C keeps them in English. What the other side says begins with "remote: ".
_REFUSED = re.compile(
    r"^error(?:: object| in [a-z]+) (?P<object>[0-9a-f]{40}(?:[0-9a-f]{24})?): (?P<finding>[A-Za-z0-9]+): ",
    re.MULTILINE,
)


def is_harmless(stderr: str) -> bool:
    """Tell whether a fetch failed for a finding, and one that is harmless.

    Raises:
        HistoryRefused: it failed for a finding that is not.
    """
    found = _REFUSED.search(stderr)
    if found is not None and found["finding"] not in HARMLESS:
        raise HistoryRefused(
            "The repository's history holds an object that git refuses as dangerous: "
            f"{found['finding']} in {found['object']}."
        )
    return found is not None

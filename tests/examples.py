"""How many examples hypothesis tries where one takes long: more of them when somebody asks."""

from __future__ import annotations

import os


def examples(usual: int) -> int:
    """Return how many to try.

    Args:
        usual: as many as fit into `make test`; `PULLWRIGHT_EXAMPLES` asks for more.
    """
    return max(usual, int(os.environ.get("PULLWRIGHT_EXAMPLES", "0")))

"""Which files are tests, by the names that programs which run tests look for."""

import re

TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__)/.*\.\w+$"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_(?:test|spec)|[^/]*[.-](?:test|spec|cy)|[^/]*(?:Test|Tests|Spec|IT))\.\w+$"
)


def is_test(path: str) -> bool:
    """Return whether a file is a test, or stands beside tests for them to use."""
    return TEST.search(path) is not None

"""Patterns for branches and paths mean what they mean in workflows of GitHub Actions."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pullwright.workers.patterns import matches

# The examples that GitHub's page gives for these wildcards:
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
CHEAT_SHEET = [
    ("feature/*", "feature/my-branch feature/your-branch", "feature/a/b"),
    ("feature/**", "feature/beta-a/my-branch feature/your-branch feature/mona/the/octocat", "feature"),
    ("main", "main", "maintenance"),
    ("releases/mona-the-octocat", "releases/mona-the-octocat", "releases"),
    ("*", "main releases", "feature/x"),
    ("**", "all/the/branches every/tag", ""),
    ("*feature", "mona-feature feature ver-10-feature", "a/feature"),
    ("v2*", "v2 v2.0 v2.9", "v2/0"),
    ("*.js", "app.js index.js", "js/index.js"),
    ("**.js", "index.js js/index.js src/js/app.js", "js"),
    ("docs/*", "docs/README.md docs/file.txt", "docs/a/b"),
    ("docs/**", "docs/README.md docs/mona/octocat.txt", "docs"),
    ("docs/**/*.md", "docs/README.md docs/mona/hello-world.md docs/a/markdown/file.md", "docs/a.txt"),
    ("**/docs/**", "dir/docs/my-file.txt docs/hello.md space/docs/plan/space.doc", "mydocs/a"),
    ("**/README.md", "README.md js/README.md", "XREADME.md"),
    ("**/*src/**", "a/src/app.js my-src/code/js/app.js", "src.js"),
    ("**/*-post.md", "my-post.md path/their-post.md", "post.md"),
    ("**/migrate-*.sql", "migrate-10909.sql db/migrate-v1.0.sql db/sept/migrate-v1.sql", "migrate.sql"),
]


@pytest.mark.parametrize(("pattern", "fitting", "other"), CHEAT_SHEET)
def test_github_s_own_examples(pattern: str, fitting: str, other: str) -> None:
    """Each example of GitHub's page fits, and something near it does not."""
    assert [text for text in fitting.split() if not matches(pattern, text)] == []
    assert not matches(pattern, other) or (pattern, other) == ("**", "")


def as_expression(pattern: str) -> re.Pattern[str]:
    """Return what a pattern means as a regular expression, which may take very long."""
    parts = re.split(r"((?:\A|(?<=/))\*\*/|\*\*|\*)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts), re.DOTALL)


@given(st.text("ab/*", max_size=8), st.text("ab/", max_size=8))
@example("**/a", "ba")
@example("a/**/b", "a/b")
@example("/**/", "//")
def test_the_matcher_agrees_with_regular_expressions(pattern: str, text: str) -> None:
    """Python's `re`, given the same meaning, decides the same for every pattern and text."""
    assert matches(pattern, text) == (as_expression(pattern).fullmatch(text) is not None)


def test_many_wildcards_take_no_longer() -> None:
    """A pattern over which regular expressions despair is decided: the work grows with the lengths alone."""
    assert not matches("*a" * 60 + "b", "a" * 255)
    assert matches("**a" * 60 + "**", "a" * 255)

"""The language of a block of code, as GitHub's page shows it: by its colours."""

import re

from justhtml import Element

from pullwright.rendered.visibility import classes

# What somebody writes after a fence is not on the page, so only languages that everybody knows count. By the
# names that GitHub's own scopes have: https://github.com/github-linguist/linguist/blob/main/lib/linguist/languages.yml
_COMMON = """
batchfile c clojure cmake console cpp csharp css csv dart diff dockerfile elixir erlang fortran go
graphql groovy haskell html ini java javascript json json5 jsonc jsx julia kotlin less lua makefile
markdown matlab nginx nix ocaml perl php powershell protobuf python r ruby rust scala scss shell sql
svelte swift terraform text toml tsx typescript vue xml yaml zig
"""
_NAMES = {
    **{name: name for name in _COMMON.split()},
    "bash": "shell",
    "c++": "cpp",
    "cs": "csharp",
    "html-basic": "html",
    "js": "javascript",
    "py": "python",
    "sh": "shell",
    "shell-session": "console",
    "ts": "typescript",
    "yml": "yaml",
}
_DRAWN = frozenset({"geojson", "math", "mermaid", "stl", "topojson"})
_SCOPE = re.compile(r"highlight-(?:source|text)-([a-z0-9+-]+)")


def language(pre: Element) -> str:
    """Return the language of a block, or nothing."""
    return next((_NAMES[name] for name in _said(pre) if name in _NAMES), "")


def is_drawn(element: Element) -> bool:
    """Return whether GitHub draws a picture of a block's source: a diagram, a map, a model, a formula."""
    return "js-render-needs-enrichment" in classes(element) or not _DRAWN.isdisjoint(_said(element))


def _said(element: Element) -> list[str]:
    parent = element.parent
    around = classes(parent) if isinstance(parent, Element) else frozenset[str]()
    scopes = [match[1] for name in (*classes(element), *around) if (match := _SCOPE.fullmatch(name))]
    # Elsewhere `lang` is the language of people, and anybody may write it.
    named = element.attrs.get("lang") if element.name == "pre" else None
    return [name.lower() for name in (named or "", *scopes)]

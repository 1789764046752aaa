"""Which domains a session's processes may reach: names, presets, and what may be added to them.

The stack names domains (`EgressDomains`), a repository's configuration may add some (`egress`), as far as the
stack lets it (`EgressMayAdd`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

OPEN = "open"
"""In the place of the stack's list: every public domain."""
ANY = "any"
"""In the place of what repositories may add: everything."""
NONE = "none"
"""In the place of a list: nothing."""

STACK = "default"
"""In a repository's configuration: what the stack's list has."""

# Each from the tool's own documentation of where it downloads from.
PRESETS: dict[str, tuple[str, ...]] = {
    # https://docs.pypi.org/api/ and https://docs.astral.sh/uv/concepts/python-versions/
    "python": ("pypi.org", "files.pythonhosted.org"),
    # https://docs.npmjs.com/cli/v11/using-npm/registry, https://yarnpkg.com/configuration/yarnrc#npmRegistryServer
    "node": ("registry.npmjs.org", "registry.yarnpkg.com", "nodejs.org"),
    # https://doc.rust-lang.org/cargo/reference/registries.html and https://rust-lang.github.io/rustup/environment-variables.html
    "rust": ("index.crates.io", "static.crates.io", "crates.io", "static.rust-lang.org"),
    # https://go.dev/ref/mod#environment-variables
    "go": ("proxy.golang.org", "sum.golang.org", "go.dev", "dl.google.com"),
    # https://maven.apache.org/guides/mini/guide-mirror-settings.html, https://docs.gradle.org/current/userguide/gradle_wrapper.html
    "java": (
        *("repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org", "plugins-artifacts.gradle.org"),
        *("services.gradle.org", "downloads.gradle.org"),
    ),
    # https://www.debian.org/mirror/list
    "debian": ("deb.debian.org", "security.debian.org"),
    # https://docs.github.com/en/actions/reference/runners/self-hosted-runners#accessible-domains-by-function
    "github": (
        *("github.com", "codeload.github.com", "raw.githubusercontent.com", "objects.githubusercontent.com"),
        *("release-assets.githubusercontent.com", "media.githubusercontent.com"),
    ),
}
DEFAULT = ",".join(PRESETS)

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TOP = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+{_TOP}")
_LONGEST = 253
_NUMBERS = re.compile(r"\[?[0-9a-f:.]*[:.][0-9a-f:.]*\]?")


class EgressError(ValueError):
    """An entry cannot be used; the text says why, and what to write."""


def is_domain(name: str) -> bool:
    """Return whether something is a domain's name, as an entry may be."""
    return bool(_DOMAIN.fullmatch(name)) and len(name) <= _LONGEST


def is_entry(text: str) -> bool:
    """Return whether a configuration may have such an entry."""
    return text == STACK or text in PRESETS or is_domain(text)


def read_entry(entry: str) -> tuple[str, ...]:
    """Return the domains that an entry stands for.

    Args:
        entry: a preset, a domain, or `*.` before a domain for all below it.

    Raises:
        EgressError: it is none of them.
    """
    name = entry.strip().lower().rstrip(".")
    if name in PRESETS:
        return PRESETS[name]
    if is_domain(name):
        return (name,)
    raise EgressError(f"{entry[:80]!r} {_reason(name)}")


def read_list(text: str) -> tuple[str, ...]:
    """Return the domains of entries that are separated by commas.

    Raises:
        EgressError: an entry is wrong.
    """
    entries = [entry for entry in text.split(",") if entry.strip()]
    return tuple(dict.fromkeys(domain for entry in entries for domain in read_entry(entry)))


def _reason(name: str) -> str:
    if "://" in name or "/" in name:
        return "has a path or a scheme: name the domain alone, such as pypi.org"
    if _NUMBERS.fullmatch(name):
        return "is an address: name the domain; addresses cannot be allowed"
    if ":" in name:
        return "has a port: name the domain alone; port 443 is open, and 80 for reading"
    if "*" in name:
        return (
            "has a wildcard elsewhere than at its beginning: *.example.org stands for all below example.org"
        )
    if "." not in name:
        return f"is no preset; there are {', '.join(PRESETS)}"
    return "is no domain's name: letters, digits, hyphens and dots, such as pypi.org"


class Domains(NamedTuple):
    """A list of domains, or all.

    Attributes:
        names: lower case; `*.x` is everything below x.
        everything: whether every public domain may be reached.
    """

    names: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def read(cls, text: str) -> Domains:
        """Read a parameter's value: entries separated by commas, or `open`, or `none`.

        Raises:
            EgressError: an entry is wrong.
        """
        word = text.strip().lower()
        if word in {OPEN, ANY}:
            return cls(everything=True)
        return cls() if word in {NONE, ""} else cls(frozenset(read_list(text)))

    def allows(self, host: str) -> bool:
        """Return whether a host is among them.

        Args:
            host: in lower case.
        """
        return self.everything or host in self.names or self._has_above(host)

    def covers(self, name: str) -> bool:
        """Return whether everything that an entry stands for is among them.

        Args:
            name: a domain, or `*.` before one.
        """
        if name in self.names or not name.startswith("*."):
            return self.allows(name)
        return self.everything or self._has_above(name.removeprefix("*."))

    def _has_above(self, host: str) -> bool:
        labels = host.split(".")
        return any(f"*.{'.'.join(labels[start:])}" in self.names for start in range(1, len(labels)))


def choose(
    entries: Iterable[str] | None, stack: Domains, may_add: Domains
) -> tuple[Domains, tuple[str, ...]]:
    """Return what a repository's sessions reach, and what its configuration asks for in vain.

    Args:
        entries: the configuration's, each a preset, a domain or `default` for the stack's list; None if it
            says nothing.
        stack: the stack's list.
        may_add: what repositories may have besides.
    """
    if entries is None:
        return stack, ()
    chosen = Domains()
    denied: list[str] = []
    for entry in entries:
        if entry == STACK:
            chosen = Domains(chosen.names | stack.names, chosen.everything or stack.everything)
            continue
        for name in read_entry(entry):
            if stack.covers(name) or may_add.covers(name):
                chosen = Domains(chosen.names | {name}, chosen.everything)
            else:
                denied.append(name)
    return chosen, tuple(denied)


def check_entry(entry: str) -> str:
    """Return a configuration's entry as it is kept.

    Raises:
        EgressError: it is wrong.
    """
    name = entry.strip().lower()
    if name != STACK:
        read_entry(name)
    return name

"""Lists of domains: entries, presets, and what a repository may add."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.egress import (
    DEFAULT,
    PRESETS,
    Domains,
    EgressError,
    check_entry,
    choose,
    read_entry,
    read_list,
)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("ruby", "is no preset; there are python, node"),
        ("pypi.org/simple", "has a path or a scheme: name the domain alone"),
        ("https://pypi.org", "has a path or a scheme"),
        ("pypi.org:443", "has a port"),
        ("*.*.org", "has a wildcard elsewhere than at its beginning"),
        ("files.*.org", "has a wildcard elsewhere than at its beginning"),
        ("pypi*.org", "has a wildcard elsewhere than at its beginning"),
        ("10.0.0.1", "is an address: name the domain"),
        ("[::1]", "is an address"),
        ("::1", "is an address"),
        ("-x.org", "is no domain's name"),
        ("exa mple.org", "is no domain's name"),
        ("bücher.example", "is no domain's name"),
        ("*", "has a wildcard elsewhere"),
        ("", "is no preset"),
    ],
)
def test_a_wrong_entry_is_told_with_what_to_write(entry: str, reason: str) -> None:
    """Each mistake has a sentence of its own."""
    with pytest.raises(EgressError) as error:
        read_entry(entry)
    assert reason in str(error.value)


def test_entries_are_presets_domains_and_everything_below_one() -> None:
    """Letters' case and a dot at the end do not matter."""
    assert read_entry("PYTHON") == ("pypi.org", "files.pythonhosted.org")
    assert read_list("Example.org., *.Example.net,python") == (
        *("example.org", "*.example.net", "pypi.org", "files.pythonhosted.org"),
    )
    assert check_entry("Default") == "default"


def test_every_preset_can_be_read_and_names_no_wildcard() -> None:
    """Each of their domains is a name that somebody has looked at."""
    for name, domains in PRESETS.items():
        assert all(read_entry(domain) == (domain,) for domain in domains), name
        assert not any("*" in domain for domain in domains)
    assert Domains.read(DEFAULT).names == {domain for domains in PRESETS.values() for domain in domains}


@pytest.mark.parametrize(
    ("text", "host", "allowed"),
    [
        ("example.org", "example.org", True),
        ("example.org", "www.example.org", False),
        ("*.example.org", "www.example.org", True),
        ("*.example.org", "a.b.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "badexample.org", False),
        ("open", "anything.example", True),
        ("none", "example.org", False),
    ],
)
def test_a_host_is_allowed_by_its_name_or_by_what_is_above_it(text: str, host: str, *, allowed: bool) -> None:
    """A wildcard stands for one label or more, never for none."""
    assert Domains.read(text).allows(host) is allowed


HOST = st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=4).map(".".join)
ENTRY = st.tuples(st.sampled_from(["", "*."]), HOST).map("".join)


@given(st.lists(ENTRY, max_size=3), ENTRY, HOST)
def test_what_is_covered_is_allowed(names: list[str], entry: str, host: str) -> None:
    """Whatever host an entry allows, a list that covers the entry allows too."""
    stack = Domains(frozenset(names))
    if stack.covers(entry) and Domains(frozenset([entry])).allows(host):
        assert stack.allows(host)


@given(st.lists(ENTRY, max_size=3), st.lists(ENTRY, max_size=3), st.lists(ENTRY, max_size=3), HOST)
def test_a_repository_reaches_no_more_than_the_operator_allows(
    stack: list[str], more: list[str], entries: list[str], host: str
) -> None:
    """What is chosen is within the stack's list and what may be added; the rest is told."""
    ours, may_add = Domains(frozenset(stack)), Domains(frozenset(more))
    chosen, denied = choose(entries, ours, may_add)
    assert not chosen.allows(host) or ours.allows(host) or may_add.allows(host)
    assert chosen.names | set(denied) == set(entries)


def test_without_a_word_the_stack_s_list_holds() -> None:
    """The repository replaces it, narrows it or adds to it by `default`."""
    stack, anything = Domains.read("python,example.org"), Domains.read("any")
    assert choose(None, stack, anything) == (stack, ())
    assert choose([], stack, anything) == (Domains(), ())
    assert choose(["python"], stack, Domains()) == (Domains.read("python"), ())
    assert choose(["default", "example.net"], stack, anything)[0].names == stack.names | {"example.net"}
    assert choose(["default", "example.net"], stack, Domains()) == (stack, ("example.net",))
    assert choose(["default"], Domains.read("open"), Domains())[0].everything
    assert choose(["*.example.net"], stack, Domains.read("a.example.net"))[1] == ("*.example.net",)

"""The reader of a repository's configuration: whatever stands in the file, it is read or explained."""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullwright.repository.configuration import Configuration, read_configuration, strictest
from pullwright.repository.document import ConfigurationError
from pullwright.repository.yaml_reader import read_yaml
from pullwright.repository.yaml_text import YamlError

WHOLE = """\
version: 1
packages: [libpq-dev, g++]
setup: {command: npm ci, timeout: 900}
checks:
  - name: tests
    command: |
      npm test
  - {name: "lint", command: 'npm run lint'}
tools: [Read, Edit, Bash]
instructions:
  - paths: ["api/**"]
    text: Every endpoint has a test.
"""
SNIPPETS = [
    *(
        "\n",
        "  ",
        "- ",
        ": ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "!!bool ",
        "!!timestamp x",
        "!!int ''",
        "!x ",
        "<<: ",
    ),
    *(
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "%TAG ! x\n",
        '"\\x00"',
        '"\\u202e"',
        '"\\uD800"',
        '"\\UFFFFFFFF"',
        "\t",
        "\r",
    ),
    *(
        "\x00",
        "\x85",
        "\ufeff",
        "\u200b",
        "\u202e",
        "\u00a0",
        "|",
        ">",
        "|99",
        "'",
        '"',
        "#",
        "? ",
        "@",
        "`",
        "%",
        "~",
    ),
    *(
        "no",
        "on",
        "1:30",
        "0o17",
        "1e3",
        ".nan",
        ".inf",
        "2001-13-45",
        "9" * 5_000,
        "version: 1\n",
        "setup: x\n",
    ),
]
texts = st.lists(
    st.one_of(
        st.sampled_from(SNIPPETS), st.sampled_from(["a", "b", "version", "tools"]), st.text(max_size=3)
    ),
    max_size=12,
).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Return a good file in which some places say something else."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        until = at + draw(st.integers(0, 12))
        text = text[:at] + draw(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=2))) + text[until:]
    return text


def problem(content: bytes) -> str | None:
    """Return what is wrong with a file; None if nothing is."""
    try:
        read_configuration(content)
    except ConfigurationError as error:
        return str(error)
    return None


@settings(max_examples=300, derandomize=True)
@given(
    st.one_of(mutated().map(str.encode), texts.map(lambda text: text.encode("utf-8", "replace")), st.binary())
)
@example(b"!!bool x")
@example(b"!!timestamp x")
@example(b"version: !!int ''")
@example(b"[" * 60_000)
@example(b"- " * 30_000)
@example("version: 1".encode("utf-16"))
def test_every_mistake_is_a_sentence_with_its_line(content: bytes) -> None:
    """No exception but ours leaves the reader, and what it says names a line of the file."""
    told = problem(content)
    if told is not None:
        found = re.match(r"line (\d+): ", told)
        assert found, told
        assert 1 <= int(found[1]) <= content.count(b"\n") + content.count(b"\r") + 1
    configuration, replaced = strictest(content)
    assert configuration.setup is None
    assert set(replaced) <= set(Configuration.model_fields)


class CoreLoader(yaml.SafeLoader):
    """PyYAML, with the plain words of YAML 1.2's core schema in place of 1.1's.

    https://yaml.org/spec/1.2.2/#1032-tag-resolution: the table's expressions, without fractions, which are
    texts to us.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc] # so does PyYAML itself


for tag, expression, first in (
    ("null", "null|Null|NULL|~|", [*"nN~", ""]),
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", "[-+]?[0-9]+", list("-+0123456789")),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{expression})$"), first)
CoreLoader.add_constructor(
    "tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(cast("yaml.ScalarNode", node)))
)


@settings(max_examples=300, derandomize=True)
@given(st.one_of(mutated(), texts))
@example("a: no\nb: on\nc: off\nd: y\ne: 010\nf: 1_000\ng: 1:30\nh: 0x1F\n")
def test_another_reader_with_the_table_of_yaml_1_2_reads_the_same(text: str) -> None:
    """What is read is what PyYAML reads, given the specification's own table of plain words."""
    try:
        ours = read_yaml(text).value
    except YamlError:
        return
    try:
        theirs = yaml.load(text, CoreLoader)  # noqa: S506 - it is the safe one, with fewer words
    except (yaml.YAMLError, LookupError, ValueError, AttributeError):
        # The grammar of 1.1, which it holds to, refuses some of 1.2's texts; its scanner fails on others.
        return
    assert ours == theirs


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"version: 1\nsetup: a\nsetup: b", "line 3: setup: the field stands in line 2 already"),
        (b"checks:\n- name: a\n  name: b", "line 3: checks.0.name: the field stands in line 2 already"),
        (b"setup: 'a\xe2\x80\xaeb'", "line 1: there is an invisible character (U+202E)"),
        (b'setup: "a\\u200bb"', "line 1: setup: there is an invisible character (U+200B)"),
        (b'\nsetup: "a\\0b"', "line 2: setup: there is an invisible character (U+0000)"),
        (
            "setup: rm\u00a0x".encode(),
            "line 1: setup.command: it has a space that is no ordinary one",
        ),
        (b"version: 1\n<<: {version: 1}", "line 2: it uses one of YAML's merge keys"),
        (b"tools: !!python/name:os.system [Read]", "line 1: it is not valid YAML here (tags"),
        (b"version: 1\n---\nversion: 1", "line 2: a second document"),
        (b"version: true", "line 1: version: input should be 1"),
        (b"setup: true", "line 1: setup: must be a table"),
        (b"checks: [{name: 12, command: a}]", "checks.0.name: must be a text; numbers"),
        (b"setup: {command: a, timeout: '9'}", "setup.timeout: input should be a valid integer"),
        (b"setup: {command: a, timeout: 1:30}", "setup.timeout: input should be a valid integer"),
        (b"version: 1\nchekcs: []", "line 2: chekcs: there is no such field (do you mean checks?)"),
        (
            b"checks:\n- name: a\n  comand: b",
            "line 3: checks.0.comand: there is no such field (do you mean command?)",
        ),
        (b"a\xffb", "line 1: it is not UTF-8"),
    ],
)
def test_a_mistake_is_told_with_field_and_remedy(content: bytes, told: str) -> None:
    """Line, the field's path, and the nearest field there is."""
    assert told in str(problem(content))


def test_words_are_texts_as_in_yaml_1_2() -> None:
    """`no` is a country, and CRLF and a byte order mark change nothing."""
    content = "\ufeffchecks:\r\n- name: no\r\n  command: off\r\n".encode()
    checks = read_configuration(content).checks or ()
    assert [(check.name, check.command) for check in checks] == [("no", "off")]


def test_each_field_says_whether_it_restricts() -> None:
    """A field that restricts what is done names its strictest value, for a file that cannot be used.

    Whoever adds a field decides: it stands here, because it restricts nothing or its default is strictest,
    or it has `strictest` in its `json_schema_extra`.
    """
    open_fields = {"version", "packages", "setup", "checks", "instructions", "comments", "preview"}
    restricting = {
        name
        for name, field in Configuration.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and "strictest" in field.json_schema_extra
    }
    assert restricting | open_fields == set(Configuration.model_fields)


@pytest.mark.parametrize(
    ("content", "tools", "replaced"),
    [
        (b"tools: [Read]\nchekcs: []", ("Read",), ()),
        (b"tools: [Raed]", ("Read", "Edit", "Write", "Glob", "Grep"), ("tools",)),
        (b"tool: [Read]", ("Read", "Edit", "Write", "Glob", "Grep"), ("tools",)),
        (b"tools: [Read]\na: [", ("Read", "Edit", "Write", "Glob", "Grep"), ("tools",)),
        ("tools: [Read]".encode("utf-16"), ("Read", "Edit", "Write", "Glob", "Grep"), ("tools",)),
        (None, ("Read", "Edit", "Write", "Glob", "Grep"), ("tools", "steering", "ci", "egress")),
        (b"setup: [", None, ()),
        (b"chekcs: []", None, ()),
    ],
)
def test_a_restriction_outlives_a_mistake(
    content: bytes | None, tools: tuple[str, ...] | None, replaced: tuple[str, ...]
) -> None:
    """What can be read of it by itself holds; what cannot is replaced by its strictest value."""
    configuration, names = strictest(content)
    assert (configuration.tools, names) == (tools, replaced)

"""What a repository says about itself, and what its files give away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.repository.configuration import Check, Configuration, read_configuration
from pullwright.repository.document import ConfigurationError
from pullwright.results import CheckResult
from runner.agent.command import cli_arguments
from runner.agent.prompt import build_prompt
from runner.repository.detection import detect
from runner.repository.profile import RepositoryProfile
from runner.rules.delivery import HouseRules
from tests.unit.runner_kit import a_request

if TYPE_CHECKING:
    from runner.git.store import Store

WHOLE = b"""
version: 1
packages: [libpq-dev, g++, python3.11]
setup: npm ci
checks:
  - {name: tests, command: npm test, timeout: 900}
  - {name: lint, command: npm run lint}
tools: [Read, Edit, Bash]
instructions:
  - {paths: ["api/**"], text: Every endpoint has a test.}
"""


def test_the_whole_file_is_read() -> None:
    """Setup as a text, checks with their own time, tools and instructions."""
    read = read_configuration(WHOLE)
    assert read.setup is not None
    assert (read.setup.command, read.setup.timeout) == ("npm ci", 600)
    assert [(check.name, check.timeout) for check in read.checks or ()] == [("tests", 900), ("lint", 600)]
    assert read.packages == ("libpq-dev", "g++", "python3.11")
    assert read.tools == ("Read", "Edit", "Bash")
    assert read.instructions[0].paths == ("api/**",)


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"version: 1\n"])
def test_an_empty_file_says_nothing(content: bytes) -> None:
    """No field is needed, and checks that are not given are still detected."""
    assert read_configuration(content) == Configuration()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"version: 2", "version: input should be 1"),
        (b"check: []", "check: there is no such field"),
        (b"checks: [{name: a}]", "checks.0.command: this field is missing"),
        (b"checks: [{name: a, command: b}, {name: a, command: c}]", "same name"),
        (b"checks: [{name: '`x`', command: b}]", "checks.0.name: "),
        (b"checks: [{name: a, command: b, timeout: 0}]", "checks.0.timeout: "),
        (b"setup: [npm, ci]", "setup: must be a table"),
        *(
            (f"packages: [{name}]".encode(), "packages.0: ")
            for name in ("'-o'", "a b", "bash-", "'x;id'", "a/sid", "a=1", "'*'", "A", "./x.deb")
        ),
        (b"tools: [WebFetch]", "tools.0: "),
        (b"- a", "the file: must be a table"),
        (b"a: [", "line 1"),
        (b"a: &x [1]\nb: *x", "aliases"),
        (b"!!python/object/apply:os.system [id]", "not valid YAML"),
        (b"\xff", "UTF-8"),
        (b"#" * 70_000, "larger than 64 KiB"),
    ],
)
def test_a_broken_file_is_explained_by_field(content: bytes, told: str) -> None:
    """Whoever wrote the file is told which field is wrong and why."""
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(content)
    assert told in str(caught.value)


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:-&*!|>\"'# \n\tab1", max_size=60).map(str.encode))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    """Whatever stands there, it is a configuration or an explanation."""
    try:
        read_configuration(content)
    except ConfigurationError as error:
        told = str(error)
    else:
        told = "good"
    assert told


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"Makefile": "build:\n\ntest: build\n\tgo test", "go.mod": ""}, "make test"),
        ({"Makefile": "test := 1\nall:\n", "go.mod": ""}, "go test ./..."),
        ({"tests/test_a.py": ""}, "python3 -m unittest"),
        ({"tests/test_a.py": "", "conftest.py": ""}, "pytest -q"),
        ({"tests/test_a.py": "", "pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest -q"),
        ({"test_a.py": "", "requirements-dev.txt": "pytest==9\n"}, "pytest -q"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n", "uv.lock": ""}, "uv run pytest -q"),
        ({"pytest.ini": "", "poetry.lock": ""}, "poetry run pytest -q"),
        ({"setup.py": "", "src/a.py": ""}, None),
        ({"pyproject.toml": "[[[", "latest.py": ""}, None),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, "npm test"),
        ({"package.json": '{"scripts": {"test": "jest"}}', "pnpm-lock.yaml": ""}, "pnpm test"),
        ({"package.json": '{"scripts": {"test": "jest"}}', "yarn.lock": ""}, "yarn test"),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, None),
        ({"package.json": "[]"}, None),
        ({"package.json": "[" * 60_000, "pyproject.toml": "a = " + "[" * 60_000}, None),
        ({"Cargo.toml": ""}, "cargo test"),
        ({"pom.xml": ""}, "mvn --batch-mode test"),
        ({"pom.xml": "", "mvnw": ""}, "./mvnw --batch-mode test"),
        ({"build.gradle.kts": ""}, "gradle test"),
        ({"gradlew": "", "build.gradle": ""}, "./gradlew test"),
        ({"README.md": ""}, None),
    ],
)
def test_the_files_say_how_to_test(files: dict[str, str], command: str | None) -> None:
    """Each ecosystem's own files choose its command; without them nothing is guessed."""
    found = detect(files, lambda path: files.get(path, ""), which=lambda name: f"/bin/{name}")
    assert (found.command if found else None) == command


def test_a_program_that_is_not_there_is_no_check() -> None:
    """A check that could not run here would only fail."""
    assert detect({"go.mod"}, lambda _path: "", which=lambda _name: None) is None


def test_an_empty_list_of_checks_means_none() -> None:
    """Who writes `checks: []` wants no detection."""
    profile = RepositoryProfile(Configuration(checks=()))
    assert profile.with_checks_of(cast("Store", None), "tree").checks == ()


def test_the_agent_is_told_what_the_maintainers_want() -> None:
    """Instructions with their paths, a setup that failed, and the checks to come are in the prompt."""
    setup = CheckResult(name="setup", command="npm ci", status="failed", exit_code=1, output="no network")
    profile = RepositoryProfile(
        read_configuration(WHOLE), checks=(Check(name="tests", command="npm test"),), setup=setup
    )
    prompt = build_prompt(a_request(), "abcd", profile.notes())
    for part in ("api/**", "Every endpoint has a test.", "npm ci", "no network", "- tests: npm test"):
        assert part in prompt
    assert RepositoryProfile(Configuration()).notes() == ""


@pytest.mark.parametrize(("status", "is_told"), [("passed", False), ("failed", True), ("not_run", True)])
def test_the_agent_is_told_of_packages_that_are_not_there(status: str, *, is_told: bool) -> None:
    """It would else look for them, or try to install them itself."""
    done = CheckResult.model_validate({"name": "packages", "command": "", "status": status})
    profile = RepositoryProfile(read_configuration(b"packages: [libpq-dev]"), packages=done)
    assert ("libpq-dev could not be installed" in profile.notes()) is is_told


@pytest.mark.parametrize("value", ["announce", "refuse"])
def test_the_repository_says_what_becomes_of_files_that_steer(value: str) -> None:
    """They are announced, unless the file refuses them; anything else is a mistake in it."""
    assert read_configuration(f"steering: {value}".encode()).steering == value
    assert read_configuration(b"").steering == "announce"
    with pytest.raises(ConfigurationError, match="steering"):
        read_configuration(b"steering: allow")


def test_the_repository_limits_the_agents_tools() -> None:
    """Only the listed tools are on the command line, beside the todo list."""
    profile = RepositoryProfile(read_configuration(b"tools: [Read, Grep]"))
    rules = HouseRules(Path("/w"))
    assert "--tools=Read,Grep,TodoWrite" in cli_arguments(a_request(), "id", rules, profile.tools)

"""What the demo works on: a repository, an issue and, for the built-in one, the model's script."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.people import Person, StandInError, call

PROJECT = Path(__file__).parent / "project"
OWNER = "octo-labs"
LABEL = "claude-dev"

TITLE = "parse() forgets all but the last unit"
BODY = """\
`parse("1h30m")` returns 1800, which is only the half hour. It should be 5400.

`tests/test_text.py` has a test for it that fails:

```
FAIL: test_several_units (tests.test_text.Parse)
AssertionError: 1800 != 5400
```

Single units such as `45s` are right.
"""


@dataclass(frozen=True)
class Scenario:
    """A repository with an issue that waits for its label.

    Args:
        person: who opened the issue, with write permission.
        repository: `owner/name` on the stand-in.
        issue: its number.
        test_command: proves the change, if the scenario knows one.
    """

    person: Person
    repository: str
    issue: int
    test_command: tuple[str, ...] | None


def _script() -> dict[str, Any]:
    """Return the scripted model's turns for the built-in issue: look, plan, run, mend, run, report."""

    def todos(*statuses: str) -> dict[str, Any]:
        texts = ("Reproduce the failure", "Mend parse()", "Run all tests")
        active = ("Reproducing the failure", "Mending parse()", "Running all tests")
        return {
            "tool": "TodoWrite",
            "input": {
                "todos": [
                    {"content": text, "activeForm": form, "status": status}
                    for text, form, status in zip(texts, active, statuses, strict=True)
                ]
            },
        }

    run = {
        "tool": "Bash",
        "input": {"command": "python3 -m unittest 2>&1 | tail -12", "description": "Run the project's tests"},
    }
    edit = {
        "tool": "Edit",
        "input": {
            "file_path": "{cwd}/durations/text.py",
            "old_string": "        total = int(amount)",
            "new_string": "        total += int(amount)",
            "replace_all": False,
        },
    }
    return {
        "match": "forgets all but the last unit",
        "steps": [
            todos("in_progress", "pending", "pending"),
            {"tool": "Read", "input": {"file_path": "{cwd}/durations/text.py"}},
            run,
            todos("completed", "in_progress", "pending"),
            edit,
            todos("completed", "completed", "in_progress"),
            run,
            todos("completed", "completed", "completed"),
            {
                "text": "Add up all units in parse()\n\n`parse()` assigned each unit's seconds to `total` "
                "instead of adding them, so only the last unit counted. It adds them now, and all three "
                "tests pass."
            },
        ],
    }


def _new_repository(url: str, name: str, content: dict[str, Any], owner: str) -> str:
    """Create the repository under the first free name: each demo leaves the earlier ones to look at."""
    for number in range(1, 1_000):
        full_name = f"{OWNER}/{name}" if number == 1 else f"{OWNER}/{name}-{number}"
        try:
            call(url, "GET", f"/api/v3/repos/{full_name}")
        except StandInError as error:
            if error.status != 404:  # noqa: PLR2004 - not found is what we look for
                raise
            request = {"full_name": full_name, "permissions": {owner: "admin"}, **content}
            call(url, "POST", "/_standin/repositories", request)
            return full_name
    raise RuntimeError(f"{OWNER}/{name} has been used a thousand times; run `make clean`")


def built_in(github_url: str, model_url: str | None) -> Scenario:
    """Create the small Python project with a failing test, and the issue that describes the bug.

    Args:
        github_url: root of the GitHub stand-in.
        model_url: root of the model stand-in, or None when a real model works.
    """
    if model_url:
        call(model_url, "PUT", "/_standin/scripts/demo", _script())
    person = Person.join(github_url, "maintainer")
    files = {
        path.relative_to(PROJECT).as_posix(): path.read_text()
        for path in sorted(PROJECT.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    repository = _new_repository(github_url, "durations", {"files": files}, person.login)
    issue = person.open_issue(repository, TITLE, BODY)
    return Scenario(person, repository, issue, ("python3", "-m", "unittest"))


def own(github_url: str, source: Path, text: str) -> Scenario:
    """Copy a local git repository to the stand-in and open an issue with the given text.

    Args:
        github_url: root of the GitHub stand-in.
        source: a local git repository; it is only read.
        text: the first line becomes the title, all of it the body.
    """
    person = Person.join(github_url, "maintainer")
    name = source.resolve().name.removesuffix(".git")
    repository = _new_repository(github_url, name, {"source": str(source.resolve())}, person.login)
    title = text.strip().splitlines()[0][:200]
    return Scenario(person, repository, person.open_issue(repository, title, text), None)

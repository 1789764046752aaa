"""The demo's repository and issue and, for the built-in project, the model's script."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.people import Person, StandInError, call

PROJECT = Path(__file__).parent / "project"
OWNER = "octo-labs"
LABEL = "claude-dev"
CONFIGURATION = ".pullwright/config.yaml"
PAGE = ("/1h30m", "1h30m is 5400 seconds")

# A rule of the project's CLAUDE.md: the scripted model follows it if the request has it.
RULE = "Every change is noted in CHANGELOG.md"
NOTE = "- `parse()` adds up all units of a duration, not only the last."

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
        test_command: proves the change, if the scenario knows one.
        rule: one of the repository's CLAUDE.md, if the scenario knows one.
        followed: a line that the branch has only if the agent followed the rule, and its file.
        page: of the preview that is left, a path, and what it says after the change; None without one.
    """

    person: Person
    repository: str
    issue: int
    test_command: tuple[str, ...] | None
    rule: str | None = None
    followed: tuple[str, str] | None = None
    page: tuple[str, str] | None = None


def script(*, has_rule: bool) -> dict[str, Any]:
    """Return the scripted model's turns for the built-in issue: plan, read, test, edit, test, report.

    Args:
        has_rule: whether the script is for requests that have the project's rule.
    """

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
    note = {
        "tool": "Bash",
        "input": {"command": f"echo {shlex.quote(NOTE)} >> CHANGELOG.md", "description": "Note the change"},
    }
    issue = "forgets all but the last unit"
    return {
        "match": f"(?=.*{re.escape(RULE)}).*{issue}" if has_rule else issue,
        "steps": [
            todos("in_progress", "pending", "pending"),
            {"tool": "Read", "input": {"file_path": "{cwd}/durations/text.py"}},
            run,
            todos("completed", "in_progress", "pending"),
            edit,
            *([note] if has_rule else []),
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


def _new_repository(url: str, name: str, content: dict[str, Any], admin: str, owner: str = OWNER) -> str:
    """Create the repository under the first free name: each demo leaves the earlier ones to look at."""
    for number in range(1, 1_000):
        full_name = f"{owner}/{name}" if number == 1 else f"{owner}/{name}-{number}"
        try:
            call(url, "GET", f"/api/v3/repos/{full_name}")
        except StandInError as error:
            if error.status != 404:  # noqa: PLR2004 - not found is what we look for
                raise
            request = {"full_name": full_name, "permissions": {admin: "admin"}, **content}
            call(url, "POST", "/_standin/repositories", request)
            return full_name
    raise RuntimeError(f"{owner}/{name} has been used a thousand times; run `make clean`")


def built_in(
    github_url: str, model_url: str | None, owner: str = OWNER, *, leaves_preview: bool = False
) -> Scenario:
    """Create the small Python project with a failing test, and the issue that describes the bug.

    Args:
        model_url: root of the model stand-in, or None when a real model works.
        leaves_preview: whether its configuration has a session leave a preview.
    """
    if model_url:
        # Of the scripts that match, the one stored last answers.
        call(model_url, "PUT", "/_standin/scripts/demo", script(has_rule=False))
        call(model_url, "PUT", "/_standin/scripts/demo-with-rule", script(has_rule=True))
    person = Person.join(github_url, "maintainer")
    files = {
        path.relative_to(PROJECT).as_posix(): path.read_text()
        for path in sorted(PROJECT.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    if not leaves_preview:
        del files[CONFIGURATION]
    repository = _new_repository(github_url, "durations", {"files": files}, person.login, owner)
    issue = person.open_issue(repository, TITLE, BODY)
    test = ("python3", "-m", "unittest")
    followed = ("CHANGELOG.md", NOTE) if model_url else None
    return Scenario(person, repository, issue, test, RULE, followed, PAGE if leaves_preview else None)


def own(github_url: str, source: Path, text: str) -> Scenario:
    """Copy a local git repository to the stand-in and open an issue with the given text.

    Args:
        source: a local git repository; it is only read.
        text: the first line becomes the title, all of it the body.
    """
    person = Person.join(github_url, "maintainer")
    name = source.resolve().name.removesuffix(".git")
    repository = _new_repository(github_url, name, {"source": str(source.resolve())}, person.login)
    title = text.strip().splitlines()[0][:200]
    return Scenario(person, repository, person.open_issue(repository, title, text), None)

"""Files of tasks, and tasks from a repository's own history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.errors import GitHubRefused, NotSaved, RepositoryNotFound
from pullwright.evaluation import EvaluationTask
from pullwright.github.client import GitHubClient
from pullwright.github.transport import Request, Response
from pullwright.repository.tested import is_test
from pullwright_cli.errors import CliError
from pullwright_cli.evaluating.discovery import QUERY, discover
from pullwright_cli.evaluating.tasks import read_tasks, write_tasks
from tests.github_truth.graphql import GraphQL
from tests.unit.test_evaluation_judging import SHA, TASK

if TYPE_CHECKING:
    from pathlib import Path

BASE, HEAD = "c" * 40, "d" * 40
OPENED = "2026-03-02T00:00:00Z"
FILES = [{"filename": "src/totals.py"}, {"filename": "tests/test_totals.py"}]


def issue(number: int = 7, **fields: Any) -> dict[str, Any]:
    """Return a closed issue as GraphQL gives it."""
    return {
        "number": number,
        "title": "Totals are wrong",
        "body": "They are 1 too high.",
        "createdAt": "2026-03-01T00:00:00Z",
        "repository": {"nameWithOwner": "octo/widgets"},
        "userContentEdits": {"nodes": []},
        "timelineItems": {"nodes": []},
        **fields,
    }


def pull(number: int, *issues: Any, **fields: Any) -> dict[str, Any]:
    """Return a merged pull request as GraphQL gives it."""
    return {
        "number": number,
        "createdAt": OPENED,
        "baseRefOid": SHA,
        "headRefOid": HEAD,
        "closingIssuesReferences": {"nodes": list(issues)},
        **fields,
    }


class Answers:
    """GitHub with merged pull requests, in pages, and one comparison for all of them."""

    def __init__(
        self, *pages: list[Any], files: Any = FILES, base: str = BASE, status: int = 200, **data: Any
    ) -> None:
        self._pages = list(pages)
        self._comparison = {"merge_base_commit": {"sha": base}, "files": files}
        self._status = status
        self._data = data
        self.exchanges: list[dict[str, Any]] = []

    def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        if not request.url.endswith("/graphql"):
            return Response(self._status, {}, self._comparison)
        if self._data:
            return Response(200, {}, {"data": self._data})
        found = self._pages.pop(0)
        info = {"hasNextPage": bool(self._pages), "endCursor": "next"}
        answer = {"data": {"repository": {"pullRequests": {"pageInfo": info, "nodes": found}}}}
        self.exchanges.append({"answer": answer, "status": 200, "body": {"query": QUERY, "variables": {}}})
        return Response(200, {}, answer)

    def find(self, count: int = 5) -> Any:
        """Return what is found."""
        client = GitHubClient("https://api.github.com", lambda: "t", transport=self, sleep=lambda _: None)
        return discover(client, "octo/widgets", count)


def test_a_merged_pull_request_with_issue_and_test_is_a_task() -> None:
    """It begins where the branch left its base, and is judged by the tests at the branch's head."""
    found = Answers([pull(9, issue())]).find()
    assert found.left_out == {}
    [task] = found.tasks
    assert task == EvaluationTask(
        id="7",
        repository="octo/widgets",
        base_commit=BASE,
        solution_commit=HEAD,
        title="Totals are wrong",
        body="They are 1 too high.",
        tests=("tests/test_totals.py",),
        issue=7,
        pull_request=9,
    )


def test_query_and_answer_are_as_github_describes_them() -> None:
    """The query is valid in GitHub's published schema, and so are the answers of these tests."""
    answers = Answers([pull(9, issue(userContentEdits={"nodes": [{"editedAt": OPENED, "diff": "x"}]}))])
    answers.find()
    [exchange] = answers.exchanges
    variables = {"owner": "octo", "name": "widgets", "count": 25, "after": None}
    exchange["body"]["variables"] = variables
    assert GraphQL().problems(exchange) == []


def test_the_issue_reads_as_it_did_when_the_change_was_proposed() -> None:
    """Later edits, which may say how it was solved, are not in the task."""
    edits = [
        {"editedAt": "2026-03-05T00:00:00Z", "diff": "Solved by adding one."},
        {"editedAt": "2026-03-01T12:00:00Z", "diff": "They are 1 too high, see here."},
        {"editedAt": "2026-03-01T00:00:00Z", "diff": "They are wrong."},
    ]
    renamings = [
        {"createdAt": "2026-03-01T06:00:00Z", "previousTitle": "Help"},
        {"createdAt": "2026-03-06T00:00:00Z", "previousTitle": "Totals are wrong"},
        {"createdAt": "2026-03-07T00:00:00Z", "previousTitle": "Add one to totals"},
    ]
    told = issue(
        title="Add 1 to all totals",
        body="Solved by adding one.",
        userContentEdits={"nodes": edits},
        timelineItems={"nodes": renamings},
    )
    [task] = Answers([pull(9, told)]).find().tasks
    assert (task.title, task.body) == ("Totals are wrong", "They are 1 too high, see here.")


def test_an_issue_whose_text_is_not_known_any_more_is_no_task() -> None:
    """All that GitHub keeps of its text is newer than the change."""
    told = issue(userContentEdits={"nodes": [{"editedAt": "2026-03-05T00:00:00Z", "diff": "Solved."}]})
    assert "not known" in Answers([pull(9, told)]).find().left_out[9]


@pytest.mark.parametrize(
    ("found", "options", "reason"),
    [
        (pull(9), {}, "no issue"),
        (pull(9, None), {}, "no issue"),
        (pull(9, issue(), issue(8)), {}, "several issues"),
        (pull(9, issue(repository={"nameWithOwner": "octo/other"})), {}, "its issue is in octo/other"),
        (pull(9, issue(createdAt="2026-03-03T00:00:00Z")), {}, "written after it"),
        (pull(9, issue()), {"files": FILES[:1]}, "no test"),
        (pull(9, issue()), {"files": FILES[1:]}, "nothing but tests"),
        (pull(9, issue()), {"files": FILES * 150}, "300 files or more"),
        (pull(9, issue()), {"base": HEAD}, "holds it already"),
        (pull(9, issue()), {"status": 422}, "does not compare"),
    ],
)
def test_a_pull_request_that_makes_no_task_is_told_with_its_reason(
    found: Any, options: Any, reason: str
) -> None:
    """Nothing is left out silently."""
    answers = Answers([found], **options).find()
    assert answers.tasks == []
    assert reason in answers.left_out[9]


def test_a_test_that_was_renamed_is_hidden_under_both_names() -> None:
    """The old one must not stay beside the new one."""
    files = [*FILES, {"filename": "tests/test_new.py", "previous_filename": "tests/test_old.py"}]
    [task] = Answers([pull(9, issue())], files=files).find().tasks
    assert task.tests == ("tests/test_new.py", "tests/test_old.py", "tests/test_totals.py")


def test_pages_are_read_until_there_are_enough() -> None:
    """The newest come first, and an issue that was closed twice counts with its last pull request."""
    pages = ([pull(9, issue(7))], [pull(8, issue(7)), pull(6, issue(5))], [pull(4, issue(3))])
    found = Answers(*pages).find(2)
    assert [task.id for task in found.tasks] == ["7", "5"]
    assert "another pull request" in found.left_out[8]


def test_a_repository_that_the_token_does_not_reach_is_told() -> None:
    """GraphQL gives null for it, or an answer of another form."""
    with pytest.raises(RepositoryNotFound):
        Answers(repository=None).find()
    with pytest.raises(GitHubRefused):
        Answers(repository={}).find()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_totals.py", True),
        ("src/tests/fixtures/data.json", True),
        ("web/app.spec.ts", True),
        ("src/TotalsTest.java", True),
        ("src/latest.py", False),
        ("src/contest/entry.py", False),
    ],
)
def test_tests_are_told_by_their_names(path: str, *, expected: bool) -> None:
    """By folder or by file, as programs that run tests find them."""
    assert is_test(path) is expected


def test_tasks_that_were_written_are_read_again(tmp_path: Path) -> None:
    """A file is the same for tasks that were found and tasks that were written by hand."""
    tasks = [EvaluationTask.model_validate({**TASK, "tests": ("t.py",), "id": name}) for name in "ab"]
    write_tasks(tmp_path / "tasks.jsonl", tasks)
    assert read_tasks(tmp_path / "tasks.jsonl") == tasks
    with pytest.raises(NotSaved):
        write_tasks(tmp_path / "none" / "tasks.jsonl", tasks)


@given(body=st.text(max_size=200), title=st.text(min_size=1, max_size=50))
def test_any_text_of_an_issue_survives_the_file(
    body: str, title: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Line separators of all kinds too: one task is one line."""
    task = EvaluationTask.model_validate({**TASK, "tests": ("t.py",), "title": title, "body": body})
    path = tmp_path_factory.mktemp("tasks") / "tasks.jsonl"
    write_tasks(path, [task])
    assert read_tasks(path) == [task]


def test_tasks_may_be_yaml(tmp_path: Path) -> None:
    """A list, for people to write."""
    path = tmp_path / "tasks.yaml"
    path.write_text(
        f"- id: '7'\n  repository: octo/widgets\n  base_commit: {SHA}\n  solution_commit: {HEAD}\n"
        "  title: Totals are wrong\n  tests: [tests/test_totals.py]\n"
        "  commands: [{name: tests, command: make test}]\n"
    )
    [task] = read_tasks(path)
    assert task.commands[0].command == "make test"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.jsonl", "{", "t.jsonl:1: the line is not JSON"),
        ("t.jsonl", "\n{}", "t.jsonl:2: id: Field required"),
        ("t.jsonl", '{"id": "a b"}', "id: String should match"),
        ("t.jsonl", "", "has no task"),
        ("t.yaml", "a: [", "is not YAML"),
        ("t.yaml", "a: 1", "begin each with a dash"),
        ("t.yml", "- 2026-01-01", "put times and other special values in quotes"),
    ],
)
def test_a_wrong_file_is_told_with_place_field_and_problem(
    name: str, content: str, words: str, tmp_path: Path
) -> None:
    """Nothing is begun with it."""
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(CliError, match=words) as refused:
        read_tasks(path)
    assert refused.value.exit_code == 2


def test_tasks_are_told_apart_and_of_one_repository(tmp_path: Path) -> None:
    """Two of one id, or of two repositories, are refused; so is a file that is none."""
    made = {**TASK, "tests": ("t.py",)}
    one = EvaluationTask.model_validate(made)
    other = EvaluationTask.model_validate({**made, "id": "8", "repository": "octo/other"})
    path = tmp_path / "tasks.jsonl"
    for tasks, words in (([one, one], "two tasks are called 7"), ([one, other], "one repository at a time")):
        write_tasks(path, tasks)
        with pytest.raises(CliError, match=words):
            read_tasks(path)
    with pytest.raises(CliError, match="cannot be read"):
        read_tasks(tmp_path / "missing.jsonl")

"""Reading workers: what stands on the default branch holds, whatever the messages said and in which order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import AwsUnavailable, GitHubUnavailable
from pullwright.events.broken_workers import MARKER
from pullwright.events.messages import QueuedStop, QueuedSync
from pullwright.events.process import _carry_out
from pullwright.events.services import EventServices
from pullwright.github.transport import Response
from pullwright.store import Store
from pullwright.workers.store import WorkerStore
from tests.unit.pipeline_kit import REPOSITORY, GitHub
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import BaseModel

FOLDER = ".pullwright/workers"
DOCS = "on: {event: push}\ninstructions: Keep it true.\n"
BROKEN = "on: {event: push}\ninstructions: x\nmodle: m\n"
LINK, SUBMODULE = "120000", "160000"
Files = dict[str, str | tuple[str, str | None] | None]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Provide DynamoDB with the template's table."""
    with table() as dynamodb:
        yield dynamodb


class Deployed:
    """What reads workers: the stand-in for GitHub, a table, and a queue that keeps what it is given."""

    def __init__(self, folder: Path, client: Any) -> None:
        for item in client.scan(TableName=TABLE)["Items"]:
            client.delete_item(TableName=TABLE, Key={"pk": item["pk"]})
        self.client = client
        self.github = GitHub(folder)
        self.github.repository(installation_permissions=None)
        self.workers = WorkerStore(client, TABLE)
        self.queued: list[tuple[Any, int]] = []
        self.sent = 0
        self.installation_id = self.github.app().installation_of(REPOSITORY)[0].id

    def open_sessions(self) -> list[Any]:
        """See `Ledger`."""
        return []

    def send(self, messages: list[tuple[BaseModel, int]]) -> None:
        """See `Queue`."""
        self.queued += messages

    def services(self, **changes: Any) -> EventServices:
        """Return the services of a fresh Lambda environment."""
        parts: dict[str, Any] = {
            "app": self.github.app(),
            "store": Store(self.client, TABLE),
            "ledger": self,
            "states": None,
            "state_machine_arn": "arn:aws:states:eu-central-1:123456789012:stateMachine:m",
            "queue": self,
            "allowed_owners": "",
        }
        return EventServices(**parts | changes)

    def sync(self, *repositories: str, services: EventServices | None = None, **fields: Any) -> str:
        """Carry out a message about repositories; without any, about the whole installation."""
        fields = {"installation_id": self.installation_id, **fields}
        message = QueuedSync(kind="sync", repositories=repositories or None, **fields)
        return _carry_out(message, services or self.services())

    def work_off(self) -> None:
        """Carry out what is queued, until nothing is."""
        while self.queued:
            message, _ = self.queued.pop(0)
            _carry_out(message, self.services())

    def push(self, files: Files) -> str:
        """Commit files, by path: their text, a mode with a text, or None for none."""
        parent, tree = self.head(), []
        for path, content in files.items():
            mode, text = ("100644", content) if content is None or isinstance(content, str) else content
            entry: dict[str, Any] = {"path": path, "mode": mode}
            if mode == SUBMODULE:
                tree.append(entry | {"type": "commit", "sha": parent})
            else:
                tree.append(entry | {"type": "blob"} | ({"sha": None} if text is None else {"content": text}))
        base = self.github.person("GET", f"/git/commits/{parent}")["tree"]["sha"]
        made = self.github.person("POST", "/git/trees", {"base_tree": base, "tree": tree})["sha"]
        fields = {"message": "Change", "tree": made, "parents": [parent]}
        sha = str(self.github.person("POST", "/git/commits", fields)["sha"])
        self.github.person("PATCH", "/git/refs/heads/main", {"sha": sha})
        return sha

    def head(self) -> str:
        """Return the default branch's newest commit."""
        return str(self.github.person("GET", "/git/ref/heads/main")["object"]["sha"])

    def ids(self, repository: str = REPOSITORY) -> list[str]:
        """Return the ids of the stored workers."""
        return [worker.id for worker in self.workers.read(repository)]

    def told(self, commit: str) -> list[str]:
        """Return the comments on a commit."""
        return [it["body"] for it in self.github.person("GET", f"/commits/{commit}/comments")]

    def items(self) -> list[str]:
        """Return the keys of what is stored under `REPO#`."""
        keys = (item["pk"]["S"] for item in self.client.scan(TableName=TABLE)["Items"])
        return [key for key in keys if key.startswith("REPO#")]


@pytest.fixture
def deployed(tmp_path: Path, client: Any) -> Deployed:
    """Provide a deployment with an empty table and one repository."""
    return Deployed(tmp_path, client)


def test_what_the_default_branch_says_is_stored(deployed: Deployed) -> None:
    """With instructions from a file of the same commit; the same again writes nothing."""
    text = {
        f"{FOLDER}/a.yml": "on: {event: push}\ninstructions: {file: .pullwright/a.md}",
        ".pullwright/a.md": "Do.",
    }
    commit = deployed.push({f"{FOLDER}/docs.yaml": DOCS, f"{FOLDER}/README.md": "none", **text})
    assert deployed.sync(REPOSITORY, commit=commit) == "2 workers were stored."
    stored = deployed.workers.read(REPOSITORY)
    assert [(worker.id, worker.text) for worker in stored] == [("a", "Do."), ("docs", "Keep it true.")]
    head = deployed.workers.head(REPOSITORY)
    assert head is not None
    assert (head.source_commit, head.installation_id) == (commit, deployed.installation_id)
    assert deployed.sync(REPOSITORY) == "Its workers are stored already."
    assert deployed.workers.head(REPOSITORY) == head
    assert deployed.queued == []


def test_a_repository_that_says_nothing_is_not_stored(deployed: Deployed) -> None:
    """Nor is one without a commit; one that says nothing any more is removed."""
    assert deployed.sync(REPOSITORY) == "It has no workers of its own."
    assert deployed.items() == []
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    deployed.push({f"{FOLDER}/docs.yaml": None})
    deployed.sync(REPOSITORY)
    assert deployed.items() == []
    deployed.github.control("POST", "/repositories", {"full_name": "octo/empty", "installed": True})
    assert deployed.sync("octo/empty") == "It has no workers of its own."


def test_a_broken_file_leaves_the_last_good_set_and_says_so_once(deployed: Deployed) -> None:
    """The commit gets one comment with place, reason and remedy, whatever comes twice; then it is mended."""
    good = deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    commit = deployed.push({f"{FOLDER}/docs.yaml": BROKEN})
    for _ in range(2):
        assert deployed.sync(REPOSITORY) == "1 problems, nothing was stored."
    [comment] = deployed.told(commit)
    assert comment.startswith(MARKER)
    place = (
        f"`{FOLDER}/docs.yaml`, line 3](http://github.test/{REPOSITORY}/blob/{commit}/{FOLDER}/docs.yaml#L3)"
    )
    assert f"- [{place}: modle: there is no such field (do you mean mode?)" in comment
    assert f"Those of {good} hold on." in comment
    assert "Push the corrected files" in comment
    head = deployed.workers.head(REPOSITORY)
    assert head is not None
    assert head.problem is not None
    assert (head.problem.commit, head.source_commit) == (commit, good)
    assert head.problem.text.startswith(f"{FOLDER}/docs.yaml: line 3: modle")
    assert deployed.ids() == ["docs"]
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    mended = deployed.workers.head(REPOSITORY)
    assert mended is not None
    assert mended.problem is None


def test_the_same_comment_is_found_again(deployed: Deployed) -> None:
    """Whoever was cut off after it was written writes no second one."""
    commit = deployed.push({f"{FOLDER}/docs.yaml": BROKEN})
    deployed.sync(REPOSITORY)
    deployed.workers.remove(REPOSITORY)
    deployed.sync(REPOSITORY)
    [comment] = deployed.told(commit)
    assert "The built-in workers hold." in comment


def test_a_comment_that_github_refuses_is_no_reason_to_fail(deployed: Deployed) -> None:
    """An installation without the right gets no comment; the head says what is wrong all the same."""
    permissions = {"contents": "read", "issues": "write"}
    deployed.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installation_permissions": permissions})
    commit = deployed.push({f"{FOLDER}/docs.yaml": BROKEN})
    assert deployed.sync(REPOSITORY) == "1 problems, nothing was stored."
    assert deployed.told(commit) == []
    head = deployed.workers.head(REPOSITORY)
    assert head is not None
    assert head.problem is not None


@pytest.mark.parametrize(
    ("files", "path", "reason"),
    [
        (
            {f"{FOLDER}/a.yaml": (LINK, "../b")},
            f"{FOLDER}/a.yaml",
            "it is a symbolic link, which is not followed",
        ),
        ({f"{FOLDER}/a.yaml": (SUBMODULE, None)}, f"{FOLDER}/a.yaml", "it is a submodule, which is not"),
        ({f"{FOLDER}/a.yaml/b": "x"}, f"{FOLDER}/a.yaml", "it is a folder, which is not followed"),
        ({f"{FOLDER}": (LINK, "/etc")}, FOLDER, "it is a symbolic link, and must be a folder"),
        ({FOLDER: "text"}, FOLDER, "it is a file, and must be a folder"),
        ({".pullwright": (SUBMODULE, None)}, ".pullwright", "it is a submodule, and must be a folder"),
        ({f"{FOLDER}/a.yaml": "x" * (65 << 10)}, f"{FOLDER}/a.yaml", "it is larger than 64 KiB"),
        (
            {f"{FOLDER}/a{number}.yaml": "x" * (60 << 10) for number in range(9)},
            FOLDER,
            "the files have 540 KiB together, and no more than 512 KiB are supported",
        ),
        (
            {f"{FOLDER}/a.yaml": "on: {event: push}\ninstructions: {file: b/p.md}", "b": (LINK, "c")},
            f"{FOLDER}/a.yaml",
            "instructions.file: b is a symbolic link, and must be a file",
        ),
        (
            {f"{FOLDER}/a.yaml": "on: {event: push}\ninstructions: {file: p.md}", "p.md": "x" * (257 << 10)},
            f"{FOLDER}/a.yaml",
            "instructions.file: p.md is larger than 256 KiB",
        ),
        (
            {f"{FOLDER}/a.yaml": "on: {event: push}\ninstructions: {file: p.md}"},
            f"{FOLDER}/a.yaml",
            "instructions.file: there is no file p.md",
        ),
    ],
)
def test_what_is_no_plain_file_is_a_problem_by_name(
    deployed: Deployed, files: Files, path: str, reason: str
) -> None:
    """Links and submodules are never followed, and what is too large is never fetched."""
    deployed.push(files)
    deployed.github.seen.clear()
    deployed.sync(REPOSITORY)
    head = deployed.workers.head(REPOSITORY)
    assert head is not None
    assert head.problem is not None
    assert head.problem.text.startswith(f"{path}: {reason}")
    fetched = [place for _, place in deployed.github.seen if "/git/blobs/" in place]
    assert len(fetched) == ("instructions" in reason)


def test_five_thousand_workers_are_refused_unread(deployed: Deployed) -> None:
    """Their number alone is the problem; no file is fetched."""
    deployed.push({f"{FOLDER}/w{number}.yaml": DOCS for number in range(5_000)})
    deployed.github.seen.clear()
    deployed.sync(REPOSITORY)
    head = deployed.workers.head(REPOSITORY)
    assert head is not None
    assert head.problem is not None
    assert "there are 5000 workers, and no more than 100 are supported" in head.problem.text
    assert not [place for _, place in deployed.github.seen if "/git/blobs/" in place]


def test_others_words_act_in_no_comment(deployed: Deployed) -> None:
    """Field names and paths are what somebody wrote: no mention, no link, no HTML."""
    name = f"{FOLDER}/@octo-[x](y)<b>.yaml"
    commit = deployed.push({name: DOCS, f"{FOLDER}/a.yaml": '"@octo/all <img src=x>": 1\n'})
    deployed.sync(REPOSITORY)
    [comment] = deployed.told(commit)
    shown = deployed.github.person("GET", f"/commits/{commit}/comments")[0]
    assert shown["user"]["login"].endswith("[bot]")
    assert "@octo" not in comment.replace("%40octo", "")
    assert "<img" not in comment


def test_any_order_of_messages_gives_the_same_end(deployed: Deployed) -> None:
    """Pushes whose messages come late, twice or never: what the branch says by then holds."""
    commits = [deployed.push({f"{FOLDER}/w{number}.yaml": DOCS}) for number in range(3)]
    for order in itertools.product(range(3), repeat=2):
        for number in order:
            deployed.sync(REPOSITORY, commit=commits[number])
        assert deployed.ids() == ["w0", "w1", "w2"]
        deployed.workers.remove(REPOSITORY)
    assert deployed.queued == []


def test_a_branch_that_moves_while_it_is_read_is_read_again(deployed: Deployed) -> None:
    """Whoever writes looks again, so that the last to write has seen the newest commit."""
    deployed.push({f"{FOLDER}/old.yaml": DOCS})

    class Moving(WorkerStore):
        is_done = False

        def replace(self, *arguments: Any) -> None:
            super().replace(*arguments)
            if not self.is_done:
                Moving.is_done = True
                deployed.push({f"{FOLDER}/new.yaml": DOCS})

    class MovingStore(Store):
        @property
        def workers(self) -> WorkerStore:
            return Moving(deployed.client, TABLE)

    deployed.sync(REPOSITORY, services=deployed.services(store=MovingStore(deployed.client, TABLE)))
    assert deployed.ids() == ["new", "old"]


def test_two_that_write_at_once_end_with_the_newest(deployed: Deployed) -> None:
    """The slower one finds that it was overtaken, and begins again."""
    deployed.push({f"{FOLDER}/old.yaml": DOCS})

    class Slow(WorkerStore):
        is_done = False

        def replace(self, *arguments: Any) -> None:
            if not self.is_done:
                Slow.is_done = True
                deployed.push({f"{FOLDER}/new.yaml": DOCS})
                deployed.sync(REPOSITORY)
            super().replace(*arguments)

    class SlowStore(Store):
        @property
        def workers(self) -> WorkerStore:
            return Slow(deployed.client, TABLE)

    deployed.sync(REPOSITORY, services=deployed.services(store=SlowStore(deployed.client, TABLE)))
    assert deployed.ids() == ["new", "old"]
    assert len(deployed.items()) == 2


def test_a_push_that_github_does_not_show_yet_is_read_again(deployed: Deployed) -> None:
    """Servers that lag behind answer with the commit before; after three times it is what it is."""
    first = deployed.head()
    gone = deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.github.person("PATCH", "/git/refs/heads/main", {"sha": first, "force": True})
    assert deployed.sync(REPOSITORY, commit=gone).endswith("It will be read again.")
    [(again, seconds)] = deployed.queued
    assert (again.attempt, seconds) == (2, 60)
    deployed.work_off()
    assert deployed.items() == []


def test_damage_is_mended_by_the_next_sync(deployed: Deployed) -> None:
    """The same set is written again where a part of the stored one is missing."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    [chunk] = [key for key in deployed.items() if key.count("#") > 1]
    deployed.client.delete_item(TableName=TABLE, Key={"pk": {"S": chunk}})
    assert deployed.sync(REPOSITORY) == "1 workers were stored."
    assert deployed.ids() == ["docs"]


def test_a_repository_that_is_gone_is_removed_when_that_is_sure(deployed: Deployed) -> None:
    """GitHub may not know for a moment what it has told: at first the message is put back."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    deployed.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    assert deployed.sync(REPOSITORY).startswith("It will be asked for again: The GitHub App is not installed")
    assert deployed.ids() == ["docs"]
    deployed.work_off()
    assert deployed.items() == []


def test_a_token_from_before_proves_nothing(deployed: Deployed) -> None:
    """It reads a public repository that the App was taken off since, and nothing must come of that."""
    services = deployed.services()
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY, services=services)
    deployed.github.control("POST", "/repositories", {"full_name": "octo/other", "installed": True})
    deployed.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    assert deployed.sync(REPOSITORY, services=services, is_gone=True) == "Its workers were removed."


@pytest.mark.parametrize("repositories", [None, (REPOSITORY.upper(),)])
def test_taking_the_app_off_removes_what_is_stored(
    deployed: Deployed, repositories: tuple[str, ...] | None
) -> None:
    """The message that ends the sessions does it; a repository that is reached again meanwhile stays."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    stop = QueuedStop(
        kind="stop",
        error="SessionStopped",
        cause="Gone.",
        installation_id=deployed.installation_id,
        repositories=repositories,
    )
    _carry_out(stop, deployed.services())
    deployed.work_off()
    assert deployed.ids() == ["docs"]
    deployed.github.control("PATCH", f"/repositories/{REPOSITORY}", {"installed": False})
    _carry_out(stop.model_copy(update={"repositories": ("octo/other",)}), deployed.services())
    assert deployed.queued == []
    _carry_out(stop, deployed.services())
    deployed.work_off()
    assert deployed.items() == []


def test_a_renamed_repository_keeps_its_workers(deployed: Deployed) -> None:
    """They are stored under the new name alone, whichever of the names is asked for first."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    deployed.github.control("PUT", f"/repositories/{REPOSITORY}/permissions", {"maintainer": "admin"})
    deployed.github.person("PATCH", "", {"name": "gadgets"})
    deployed.sync("octo/gadgets", REPOSITORY)
    deployed.work_off()
    assert deployed.ids("octo/gadgets") == ["docs"]
    assert all(key.startswith("REPO#octo/gadgets") for key in deployed.items())


def test_an_installation_is_read_bit_by_bit(deployed: Deployed) -> None:
    """A message for each repository, two a second, and one for the next page; others' are left out."""
    assert deployed.sync() == "1 repositories will be read."
    assert [message.repositories for message, _ in deployed.queued] == [(REPOSITORY,)]
    deployed.queued.clear()
    reached = {
        "total_count": 101,
        "repositories": [{"full_name": f"octo/r{number}"} for number in range(100)],
    }
    deployed.github.before.append(("GET", "/installation/repositories", Response(200, {}, reached)))
    assert deployed.sync() == "100 repositories will be read."
    *each, (more, seconds) = deployed.queued
    assert (more.repositories, more.page, seconds) == (None, 2, 50)
    assert [delay for _, delay in each] == [number // 2 for number in range(100)]
    assert deployed.sync(services=deployed.services(allowed_owners="acme")) == "0 repositories will be read."


def test_an_installation_that_is_gone_is_asked_for_again_a_few_times(deployed: Deployed) -> None:
    """GitHub may not know it yet; after three times there is nothing to read."""
    assert deployed.sync(installation_id=999).startswith("It will be asked for again")
    assert deployed.sync(installation_id=999, attempt=3).startswith("Nothing is read")


def test_strangers_repositories_are_not_read(deployed: Deployed) -> None:
    """The deployment works for its owners alone, and that is no failure."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    said = deployed.sync(REPOSITORY, services=deployed.services(allowed_owners="acme"))
    assert said.startswith("Nothing was read: This Pullwright does not work for")
    assert deployed.items() == []


def test_a_file_that_github_named_and_does_not_know_is_asked_for_again(deployed: Deployed) -> None:
    """It is no reason to remove anything, and none to take the rest for the whole."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    deployed.sync(REPOSITORY)
    deployed.push({f"{FOLDER}/more.yaml": DOCS})
    absent = ("GET", f"/git/trees/{deployed.head()}", Response(404, {}, {"message": "Not Found"}))
    deployed.github.before += [absent] * 9
    with pytest.raises(GitHubUnavailable):
        deployed.sync(REPOSITORY)
    assert deployed.ids() == ["docs"]


def test_a_table_that_does_not_answer_is_tried_again(deployed: Deployed) -> None:
    """The message fails, and SQS delivers it again."""
    deployed.push({f"{FOLDER}/docs.yaml": DOCS})
    with pytest.raises(AwsUnavailable):
        deployed.sync(REPOSITORY, services=deployed.services(store=Store(deployed.client, "no-such-table")))

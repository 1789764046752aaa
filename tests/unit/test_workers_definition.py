"""A worker's file: read, or explained with line, field and remedy."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullwright.errors import InvalidRequest
from pullwright.models import Limits, SessionRequest, WorkerMode, WorkerType
from pullwright.opening.worker import check_same, fill_in, find_worker
from pullwright.repository.document import ConfigurationError
from pullwright.workers.collection import FOLDER, MOST_WORKERS, read_workers
from pullwright.workers.definition import WorkerDefinition, read_worker
from pullwright.workers.routing import Trigger
from pullwright.workers.unpacking import BrokenManifest

DOCS = b"""\
version: 1
on:
  event: pull_request
  labels: docs
  paths: ["docs/**", "*.md"]
instructions: Keep the documentation true.
limits: {usd: 2.5, minutes: 0.5}
"""


def test_a_file_becomes_a_worker() -> None:
    """Values alone stand for lists of one, fractions are numbers where a field takes them."""
    worker = read_worker(DOCS, "docs")
    assert worker.worker().triggers == (
        Trigger(event="pull_request", labels=("docs",), paths=("docs/**", "*.md")),
    )
    assert (worker.limits.usd, worker.limits.minutes) == (2.5, 0.5)
    assert (worker.type, worker.mode, worker.text) == (
        WorkerType.TASK,
        WorkerMode.WRITE,
        "Keep the documentation true.",
    )


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("implement", WorkerType.IMPLEMENT, WorkerMode.WRITE),
        ("review", WorkerType.REVIEW, WorkerMode.COMMENT),
    ],
)
def test_a_built_in_worker_needs_no_field(name: str, kind: WorkerType, mode: WorkerMode) -> None:
    """An empty file changes nothing of a built-in worker."""
    worker = read_worker(b"", name)
    assert (worker.id, worker.type, worker.mode, worker.worker().triggers) == (name, kind, mode, ())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: 1", "line 1: a: there is no such field"),
        (
            b"on: {event: push}\nlabls: x\ninstructions: a",
            "line 2: labls: there is no such field (do you mean labels?)",
        ),
        (
            b"on: {event: push, pths: x}\ninstructions: a",
            "on.pths: there is no such field (do you mean paths?)",
        ),
        (b"instructions: a", "on: this field is missing"),
        (b"on: {event: push}", "instructions: this field is missing"),
        (b"on: {labels: a}\ninstructions: a", "line 1: on: it needs either an event or a schedule"),
        (
            b"on:\n  - event: issues\n    actions: openned\ninstructions: a",
            "line 2: on.0: the event issues has no action openned to start on (do you mean opened?)",
        ),
        (b"on: {event: issues, paths: a}\ninstructions: a", "the event issues cannot be filtered by paths"),
        (b"on: {event: pull, actions: a}\ninstructions: a", "on.event: input should be 'issues'"),
        (
            b"on: {event: push, paths: 'a[b]'}\ninstructions: a",
            "a pattern knows the wildcards * and ** only, and no [",
        ),
        (
            b"on: {schedule: 61 * * * *}\ninstructions: a",
            "the schedule 61 * * * * is not five fields of cron",
        ),
        (
            b"on: {schedule: 0 6 * * *, timezone: Mars/Olympus}\ninstructions: a",
            "there is no time zone Mars/Olympus",
        ),
        (b"on: {schedule: 0 6 * * *, labels: a}\ninstructions: a", "a schedule has no labels"),
        (b"on: {event: push}\nid: other\ninstructions: a", "line 2: id: must be the file's name, mine"),
        (
            b"on: {event: pull_request, fork: true}\ninstructions: a",
            "on.fork: only a worker in comment mode",
        ),
        (b"on: {event: push}\nallow: everybody\ninstructions: a", "allow: only a worker in comment mode"),
        (b"on: {event: push}\ntype: review\nmode: write", "mode: a review cannot write"),
        (b"on: {event: push}\ntype: fix-ci\nmode: comment", "mode: mending needs to write"),
        (
            b"on: {event: issues, labels: A}\nlabels: a\ninstructions: a",
            "labels: the worker would start itself, because it starts on the label a",
        ),
        (
            b"on: {event: push}\ninstructions: {file: ../x}",
            "instructions.file: it must be a path in the repository",
        ),
        (
            b"on: {event: push}\ninstructions: {file: a, text: b}",
            "instructions: it must be a text, or a table",
        ),
        (b"on: {event: push}\ninstructions: [a]", "instructions: must be a table of fields"),
        (
            b"on: {event: push}\ninstructions: a\nlimits: {minutes: 0}",
            "limits.minutes: input should be greater than or equal to 0.1",
        ),
        (b"on: {event: push}\ninstructions: a\ntools: [Fly]", "tools.0: input should be 'Bash'"),
        (b"on: {event: push}\ninstructions: a\nplan: maybe", "plan: input should be True, False or 'only'"),
        (b"x" * 70_000, "it is larger than 64 KiB"),
        (b"\xff", "line 1: it is not UTF-8"),
        (b"- a", "the file: must be a table of fields"),
    ],
)
def test_a_mistake_is_told_with_its_field(content: bytes, told: str) -> None:
    """What is wrong, where, and what would be right."""
    with pytest.raises(ConfigurationError) as caught:
        read_worker(content, "mine")
    assert told in str(caught.value)


@settings(max_examples=150, derandomize=True)
@given(
    st.one_of(st.binary(max_size=200), st.integers(0, len(DOCS)).map(lambda at: DOCS[:at] + b"[" + DOCS[at:]))
)
@example(b"on: [[]]")
@example(b"on: {event: {}}")
@example(b"on: [1, null]")
def test_whatever_stands_there_is_read_or_explained(content: bytes) -> None:
    """No exception but ours leaves the reader."""
    with suppress(ConfigurationError):
        assert read_worker(content, "mine").id == "mine"


def read(files: dict[str, bytes], others: dict[str, bytes] | None = None) -> list[str]:
    """Read a set and return what is wrong with it."""
    collection = read_workers(files, (others or {}).get)
    return [f"{problem.path}: {problem.text}" for problem in collection.problems]


def test_a_set_is_read_together() -> None:
    """Each file's problem is told with its path; other files of the folder are none of ours."""
    good = {f"{FOLDER}/docs.yaml": DOCS, f"{FOLDER}/README.md": b"x", f"{FOLDER}/more/a.yaml": b"x: 1"}
    assert read(good) == []
    assert read(good | {f"{FOLDER}/docs.yml": DOCS}) == [
        f"{FOLDER}/docs.yml: the worker docs has two files, docs.yaml and docs.yml"
    ]
    assert read({f"{FOLDER}/My.yaml": DOCS})[0].startswith(f"{FOLDER}/My.yaml: My cannot be a worker's id")
    many = {f"{FOLDER}/w{number}.yaml": DOCS for number in range(5_000)}
    assert read(many) == [f"{FOLDER}: there are 5000 workers, and no more than {MOST_WORKERS} are supported"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no file p.md in the same commit"),
        (b" ", "p.md is empty"),
        (b"\xff", "p.md is not UTF-8"),
        (b"x" * 300_000, "p.md is larger than 256 KiB"),
    ],
)
def test_instructions_may_stand_in_a_file(content: bytes | None, told: str) -> None:
    """They are read from the same commit, and are there when the worker is stored."""
    files = {f"{FOLDER}/a.yaml": b"on: {event: push}\ninstructions: {file: p.md}"}
    assert read(files, {} if content is None else {"p.md": content})[0].endswith(told)
    collection = read_workers(files, {"p.md": b" Do it.\n"}.get)
    assert collection.workers[0].text == "Do it."


@pytest.mark.parametrize(("content", "is_on"), [(b"model: m", False), (b"enabled: true", True)])
def test_reviews_are_off_until_a_file_says_otherwise(
    content: bytes,
    is_on: bool,  # noqa: FBT001 - a parameter of pytest's
) -> None:
    """A file that changes something else of the built-in worker switches on nothing that costs money."""
    assert read_worker(content, "review").worker().enabled is is_on
    assert read_worker(content, "implement").enabled


class Stored:
    """What is stored for a repository."""

    def __init__(self, *workers: WorkerDefinition) -> None:
        self.workers = workers

    def read(self, repository: str) -> tuple[WorkerDefinition, ...]:
        """See `WorkerStore`."""
        assert repository == "o/r"
        if not self.workers:
            raise BrokenManifest("a part of it is missing")
        return self.workers


def found(worker: str, store: Any) -> WorkerDefinition:
    """Return the worker that a request names."""
    return find_worker(SessionRequest(repository="o/s", issue=1, worker=worker), "o/r", store)


def test_a_request_names_a_worker_that_is_there() -> None:
    """The repository's own, or a built-in one, which its file changes field by field."""
    own = read_worker(b"on: {event: push}\ninstructions: Dig.", "gardener")
    store = Stored(own, read_worker(b"limits: {usd: 2}", "implement"))
    assert found("gardener", store) == own
    implement = found("implement", store)
    assert (implement.type, implement.limits.usd) == (WorkerType.IMPLEMENT, 2)
    with pytest.raises(InvalidRequest, match="no worker 'x' in o/r; known are fix-ci, gardener, implement"):
        found("x", store)


def test_a_worker_that_is_switched_off_says_where_to_switch_it_on() -> None:
    """A repository's file decides; a built-in worker without one may be started by hand."""
    store = Stored(read_worker(b"enabled: false", "implement"))
    assert found("review", store).id == "review"
    with pytest.raises(InvalidRequest, match="implement is switched off in o/r") as caught:
        found("implement", store)
    assert ".pullwright/workers/implement.yaml" in caught.value.remedy


def test_a_former_name_does_not_hide_the_repositorys_workers() -> None:
    """A request under it is refused where its worker has changed, and goes on where nothing has."""
    store: Any = Stored(read_worker(b"limits: {usd: 2}", "implement"))
    request = SessionRequest(repository="o/former", issue=1)
    with pytest.raises(InvalidRequest, match="o/former is called o/r now"):
        check_same(WorkerDefinition(id="implement"), request, "o/r", store)
    check_same(store.workers[0], request, "o/r", store)
    check_same(WorkerDefinition(id="implement"), SessionRequest(repository="O/R", issue=1), "o/r", store)


def test_workers_that_cannot_be_trusted_are_an_alarm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The built-in ones hold instead, an error is logged, and the alarm's figure is counted."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "pullwright")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    assert found("implement", Stored()).id == "implement"
    assert '"UnreadableWorkers":[1.0]' in capsys.readouterr().out


def test_a_request_outdoes_its_worker() -> None:
    """What the request says holds; the worker says the rest."""
    worker = WorkerDefinition.model_validate(
        {"id": "implement", "model": "m", "limits": {"usd": 2, "turns": 5}, "plan": True}
    )
    request = SessionRequest(repository="o/r", issue=1, limits=Limits(usd=1), plan=False)
    filled = fill_in(request, worker)
    assert (filled.model, filled.limits, filled.plan) == ("m", Limits(usd=1, turns=5), False)
    assert fill_in(SessionRequest(repository="o/r", issue=1, model="n"), worker).model == "n"

"""The repositories' workers in the table: whole or not at all, whatever is damaged or cut off."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.errors import AwsUnavailable
from pullwright.workers.bundle import Bundle, bundle
from pullwright.workers.collection import FOLDER, MOST_WORKERS, Problem, read_workers
from pullwright.workers.definition import LONGEST_INSTRUCTIONS, WorkerDefinition
from pullwright.workers.head import Head
from pullwright.workers.store import Overtaken, WorkerStore
from pullwright.workers.unpacking import BrokenManifest, unpack_routes
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "Octo/Widgets"
KEY = "REPO#octo/widgets"
DOCS = b"on:\n  event: pull_request\n  labels: docs\ninstructions: Keep it true.\n"
NIGHTLY = b"on: {schedule: 0 6 * * *}\ninstructions: Look after it.\nlimits: {minutes: 0.5}\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Provide DynamoDB with the template's table."""
    with table() as dynamodb:
        yield dynamodb


@pytest.fixture
def store(client: Any) -> WorkerStore:
    """Provide the store over an empty table."""
    for item in items(client).values():
        client.delete_item(TableName=TABLE, Key={"pk": item["pk"]})
    return WorkerStore(client, TABLE)


def packed(**files: bytes) -> Bundle:
    """Pack workers' files by id."""
    collection = read_workers({f"{FOLDER}/{name}.yaml": text for name, text in files.items()}, lambda _: None)
    assert not collection.problems
    found = bundle(collection.workers)
    assert isinstance(found, Bundle)
    return found


def put(store: WorkerStore, new: Bundle, commit: str = "c1") -> None:
    """Store a set in place of what is there."""
    before = store.writable_head(REPOSITORY)
    store.replace(before, Head(repository=REPOSITORY, source_commit=commit, installation_id=7), new)


def items(client: Any) -> dict[str, Any]:
    """Return what stands in the table, by key."""
    pages = client.get_paginator("scan").paginate(TableName=TABLE)
    return {item["pk"]["S"]: item for page in pages for item in page["Items"]}


def test_a_set_is_read_as_it_was_written(store: WorkerStore, client: Any) -> None:
    """The head holds what the webhook reads, under the names that it reads."""
    new = packed(docs=DOCS, nightly=NIGHTLY)
    put(store, new)
    assert store.read("octo/WIDGETS") == new.workers
    head = items(client)[KEY]
    assert head["schema_version"] == {"N": "1"}
    routes = unpack_routes(head["routes"]["B"], head["routes_sha256"]["S"])
    assert routes == tuple(worker.worker() for worker in new.workers)
    assert store.repositories_of(7) == [REPOSITORY]
    assert store.repositories_of(8) == []


def test_a_new_set_leaves_nothing_of_the_old_one(store: WorkerStore, client: Any) -> None:
    """Parts that no head names are removed; so is everything when the repository goes."""
    put(store, packed(docs=DOCS))
    put(store, packed(nightly=NIGHTLY), "c2")
    found = items(client)
    assert len(found) == 2
    assert found[KEY]["leftovers"] == {"L": []}
    assert [worker.id for worker in store.read(REPOSITORY)] == ["nightly"]
    assert store.remove(REPOSITORY)
    assert items(client) == {}
    assert not store.remove(REPOSITORY)
    assert store.read(REPOSITORY) == ()


class Dying:
    """A client that dies before its nth call that writes."""

    def __init__(self, client: Any, calls: int) -> None:
        self._client = client
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if not name.startswith(("put", "delete")):
            return call

        def write(**arguments: Any) -> Any:
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
            return call(**arguments)

        return write


@pytest.mark.parametrize("is_removal", [False, True])
def test_a_writing_that_is_cut_off_is_finished_by_the_next(
    store: WorkerStore,
    client: Any,
    is_removal: bool,  # noqa: FBT001 - a parameter of pytest's
) -> None:
    """Wherever it stops, readers see one whole set, and the next writing leaves nothing behind."""
    old, new = packed(docs=DOCS), packed(nightly=NIGHTLY)
    for calls in range(20):
        put(store, old)
        dying: Any = WorkerStore(Dying(client, calls), TABLE)  # type: ignore[arg-type] # it is one, but for dying
        try:
            dying.remove(REPOSITORY) if is_removal else put(dying, new)
        except KeyboardInterrupt:
            wanted = () if is_removal else new.workers
            assert store.read(REPOSITORY) in (old.workers, wanted)
            store.remove(REPOSITORY) if is_removal else put(store, new)
            assert len(items(client)) == (0 if is_removal else 2)
        else:
            assert calls >= 3
            return
    pytest.fail("it never ended")


def test_whoever_was_overtaken_begins_again(store: WorkerStore, client: Any) -> None:
    """A head that has changed since it was read is not written, and the parts for it are removed."""
    put(store, packed(docs=DOCS))
    before = store.writable_head(REPOSITORY)
    put(store, packed(nightly=NIGHTLY))
    with pytest.raises(Overtaken):
        store.replace(before, Head(repository=REPOSITORY), packed(docs=DOCS))
    with pytest.raises(Overtaken):
        store.replace(None, Head(repository=REPOSITORY), packed(docs=DOCS))
    with pytest.raises(Overtaken):
        store.note(before, Head(repository=REPOSITORY))
    assert [worker.id for worker in store.read(REPOSITORY)] == ["nightly"]
    assert len(items(client)) == 2


def test_a_reader_follows_a_set_that_is_replaced_meanwhile(store: WorkerStore, client: Any) -> None:
    """Parts that went while they were read are no damage."""
    put(store, packed(docs=DOCS))

    class Replaced:
        is_done = False

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def get_item(self, **arguments: Any) -> Any:
            if arguments["Key"]["pk"]["S"] != KEY and not self.is_done:
                self.is_done = True
                put(store, packed(nightly=NIGHTLY))
            return client.get_item(**arguments)

    reader: Any = Replaced()
    assert [worker.id for worker in WorkerStore(reader, TABLE).read(REPOSITORY)] == ["nightly"]


def test_a_missing_part_is_told_and_mended(store: WorkerStore, client: Any) -> None:
    """Nothing is guessed from the rest; the next writing makes it whole."""
    put(store, packed(docs=DOCS))
    [key] = [key for key in items(client) if key != KEY]
    client.delete_item(TableName=TABLE, Key={"pk": {"S": key}})
    with pytest.raises(BrokenManifest, match="a part of it is missing"):
        store.read(REPOSITORY)
    put(store, packed(docs=DOCS))
    assert [worker.id for worker in store.read(REPOSITORY)] == ["docs"]


@pytest.mark.parametrize("version", [0, 2])
def test_what_another_release_wrote_is_not_guessed(store: WorkerStore, client: Any, version: int) -> None:
    """A schema version that this release does not know is refused."""
    put(store, packed(docs=DOCS))
    client.put_item(TableName=TABLE, Item=items(client)[KEY] | {"schema_version": {"N": str(version)}})
    with pytest.raises(BrokenManifest, match=f"its form is {version}"):
        store.read(REPOSITORY)


PROTECTED = ("schema_version", "current", "routes", "routes_sha256", "chunk")


def _flipped(value: Any, place: random.Random) -> Any:
    """Return one of DynamoDB's values with one bit changed somewhere."""
    [(kind, content)] = value.items()
    if kind == "M":
        name = place.choice(sorted(content))
        return {"M": {**content, name: _flipped(content[name], place)}}
    if kind == "N":
        return {"N": str(int(content) ^ (1 << place.randrange(3)))}
    as_bytes = bytearray(content.encode() if kind == "S" else content)
    as_bytes[place.randrange(len(as_bytes))] ^= 1 << place.randrange(7)
    return {kind: as_bytes.decode() if kind == "S" else bytes(as_bytes)}


def test_no_flipped_bit_changes_what_is_read(store: WorkerStore, client: Any) -> None:
    """Whatever part of it is damaged: the very set that was written, or an error."""
    new = packed(docs=DOCS, nightly=NIGHTLY)
    put(store, new)
    written = items(client)
    chunk = next(key for key in written if key != KEY)
    outcomes = set()

    @settings(deadline=None, max_examples=80)
    @given(st.sampled_from(PROTECTED), st.integers(0, 2**32))
    def check(name: str, seed: int) -> None:
        item = written[chunk if name == "chunk" else KEY]
        changed = _flipped(item[name], random.Random(seed))  # noqa: S311 - not for secrecy
        client.put_item(TableName=TABLE, Item=item | {name: changed})
        try:
            # A few bits of gzip's header say nothing about the content.
            assert store.read(REPOSITORY) == new.workers
        except BrokenManifest:
            outcomes.add(name)
        finally:
            client.put_item(TableName=TABLE, Item=item)

    check()
    assert outcomes == set(PROTECTED)


def test_a_hundred_workers_of_the_largest_size_fit(store: WorkerStore, client: Any) -> None:
    """Text that cannot be compressed well fills many parts, each within DynamoDB's 400 KB."""
    noise = random.Random(1)  # noqa: S311 - not for secrecy
    files, texts = {}, {}
    for number in range(MOST_WORKERS):
        name = f"w{number:03d}"
        texts[f"{name}.md"] = noise.randbytes(LONGEST_INSTRUCTIONS // 2).hex().encode()
        files[f"{FOLDER}/{name}.yaml"] = f"on: {{event: push}}\ninstructions: {{file: {name}.md}}\n".encode()
    collection = read_workers(files, texts.get)
    assert not collection.problems
    new = bundle(collection.workers)
    assert isinstance(new, Bundle)
    put(store, new)
    assert store.read(REPOSITORY) == new.workers
    assert len(items(client)) == 1 + len(new.packed.chunks) > 40
    store.remove(REPOSITORY)
    assert items(client) == {}


def test_workers_that_say_too_much_are_refused() -> None:
    """What the table or the webhook could not hold is a problem with a remedy, not a failure."""
    text = "\x01" * LONGEST_INSTRUCTIONS
    large = [
        WorkerDefinition.model_validate({"id": f"w{n}", "on": {"event": "push"}, "instructions": text})
        for n in range(50)
    ]
    problem = bundle(large)
    assert isinstance(problem, Problem)
    assert "shorten their instructions" in problem.text
    noise = random.Random(2)  # noqa: S311 - not for secrecy
    wordy = [
        WorkerDefinition.model_validate(
            {
                "id": f"w{number}",
                "instructions": "x",
                "on": [
                    {"event": "issues", "labels": [noise.randbytes(50).hex() for _ in range(50)]}
                    for _ in range(10)
                ],
            }
        )
        for number in range(15)
    ]
    problem = bundle(wordy)
    assert isinstance(problem, Problem)
    assert "fewer labels" in problem.text


def test_the_largest_head_fits_into_an_item(store: WorkerStore, client: Any) -> None:
    """With as many schedules as there may be, and what starts workers in nearly a whole part."""
    hourly = [
        {"schedule": f"{minute} * * * *", "timezone": "America/Argentina/ComodRivadavia"}
        for minute in range(10)
    ]
    noise = random.Random(3)  # noqa: S311 - not for secrecy
    labels = [
        {"event": "issues", "labels": [noise.randbytes(50).hex() for _ in range(50)]} for _ in range(10)
    ]
    definitions = [
        WorkerDefinition.model_validate({"id": f"{'w' * 30}{number:02d}", "instructions": "x", "on": hourly})
        for number in range(10)
    ]
    for number in range(9):
        wordy = {
            "id": f"l{number}",
            "instructions": "x",
            "on": [on | {"actors": str(number)} for on in labels],
        }
        definitions.append(WorkerDefinition.model_validate(wordy))
    new = bundle(definitions)
    assert isinstance(new, Bundle)
    assert len(new.routes.chunks[0]) > 200_000
    put(store, new)
    assert store.read(REPOSITORY) == new.workers
    one_more = WorkerDefinition.model_validate({"id": "z", "instructions": "x", "on": hourly[0]})
    problem = bundle([*definitions, one_more])
    assert isinstance(problem, Problem)
    assert "101 schedules" in problem.text
    store.remove(REPOSITORY)
    assert items(client) == {}


def test_a_table_that_does_not_answer_is_no_damage(client: Any) -> None:
    """It is an error to be tried again, so that nobody takes the built-in workers for it."""
    with pytest.raises(AwsUnavailable):
        WorkerStore(client, "no-such-table").read(REPOSITORY)

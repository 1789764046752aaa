"""The examples on the page about workers: read, routed over GitHub's deliveries, and fit for the schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from docs import contracts
from pullwright.repository.document import ConfigurationError
from pullwright.repository.yaml_reader import read_yaml
from pullwright.repository.yaml_text import YamlError
from pullwright.workers.collection import FOLDER, read_workers
from pullwright.workers.definition import read_worker
from pullwright.workers.schema import worker_schema
from pullwright_cli.app import app
from pullwright_cli.errors import CliError
from tests.unit import routing_table
from tests.unit.cli_kit import matches
from tests.unit.webhook_kit import payload

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = jsonschema_rs.validator_for(worker_schema())
INSERTED = ["", "\n", "[", "a", "- ", "null", "enabled: false\n", "labels: [a, b]\n", "plan: only\n"]
EXAMPLES = routing_table.examples()


def test_every_example_is_a_worker() -> None:
    """The page shows the eight kinds, and all of them are right together."""
    collection = read_workers(EXAMPLES, lambda _: b"Mend the documentation.")
    assert collection.problems == ()
    assert {worker.id for worker in collection.workers} == {
        *(
            "implement",
            "review",
            "fix-ci",
            "triage",
            "docs",
            "dependency-update",
            "security-review",
            "nightly",
        )
    }


def test_the_table_of_deliveries_is_as_it_stands() -> None:
    """What each of octokit's example deliveries starts is what was read and committed."""
    assert routing_table.TABLE.read_text() == routing_table.render()


def test_the_table_says_something() -> None:
    """The deliveries start several workers, and none is refused."""
    table = routing_table.TABLE.read_text()
    for told in ("starts review", "starts triage", "ignored"):
        assert told in table
    assert "refused" not in table


def test_the_schema_stands_in_the_documentation() -> None:
    """What editors are given is what the command prints."""
    assert contracts.SCHEMA.read_text() == contracts.render_schema()
    printed = CliRunner().invoke(app, ["workers", "schema"])
    assert json.loads(printed.output) == worker_schema()


def as_json(content: bytes) -> Any:
    """Return a file as an editor's validator sees it: fractions are numbers there."""
    value = read_yaml(content.decode()).value
    if isinstance(value, dict) and isinstance(value.get("limits"), dict):
        value["limits"] = {name: float(limit) for name, limit in value["limits"].items()}
        if "turns" in value["limits"]:
            value["limits"]["turns"] = int(value["limits"]["turns"])
    return {} if value is None else value


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_example_fits_the_schema(path: str) -> None:
    """The validator is jsonschema-rs."""
    SCHEMA.validate(as_json(EXAMPLES[path]))


@settings(max_examples=300, derandomize=True)
@given(st.data())
def test_what_the_reader_takes_fits_the_schema(data: st.DataObject) -> None:
    """No editor complains about a file that Pullwright takes."""
    text = EXAMPLES[data.draw(st.sampled_from(sorted(EXAMPLES)))].decode()
    at = data.draw(st.integers(0, len(text)))
    inserted = data.draw(
        st.sampled_from(
            ["", "\n", "[", "a", "- ", "null", "enabled: false\n", "labels: [a, b]\n", "plan: only\n"]
        )
    )
    changed = (text[:at] + inserted + text[at + data.draw(st.integers(0, 6)) :]).encode()
    try:
        read_worker(changed, "task")
        value = as_json(changed)
    except (ConfigurationError, YamlError, ValueError, TypeError):
        return
    assert SCHEMA.is_valid(value), changed.decode()


def test_the_command_says_what_a_delivery_starts(tmp_path: Path) -> None:
    """A checkout's workers are routed as the webhook does it; the exit code says whether one starts."""
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / ".pullwright/prompts").mkdir()
    (tmp_path / ".pullwright/prompts/docs.md").write_text("Mend the documentation.")
    for path, content in EXAMPLES.items():
        (tmp_path / path).write_bytes(content)
    body = tmp_path / "delivery.json"
    body.write_text(json.dumps(payload("issues_labeled")))
    done = CliRunner().invoke(app, ["workers", "test", "--dir", str(tmp_path), str(body)])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "✓ implement starts"
    assert "✗ triage starts on opened, not on labeled" in done.output
    body.write_text(json.dumps(payload("issues_labeled") | {"action": "reopened"}))
    done = CliRunner().invoke(app, ["workers", "test", "--json", "--dir", str(tmp_path), str(body)])
    assert matches("WorkersRouted", json.loads(done.output))
    assert (done.exit_code, json.loads(done.output)["matched"]) == (1, [])


@pytest.mark.parametrize(
    ("body", "more", "told"),
    [
        ("[]", [], "is not a JSON object"),
        ("{", [], "is not JSON"),
        ("{}", [], "--event: no worker starts on this"),
        ('{"action": 1}', ["--event", "issues"], "this is no delivery of issues: action must be a text"),
    ],
)
def test_the_command_explains_what_it_cannot_read(
    tmp_path: Path, body: str, more: list[str], told: str
) -> None:
    """A wrong file or option is named, with exit code 2."""
    (tmp_path / "delivery.json").write_text(body)
    done = CliRunner().invoke(app, ["workers", "test", *more, str(tmp_path / "delivery.json")])
    assert isinstance(done.exception, CliError)
    assert told in str(done.exception)
    assert done.exception.exit_code == 2

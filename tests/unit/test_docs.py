"""The documentation that is drawn from the code."""

from pathlib import Path

from docs import contracts
from pullwright.models import SessionRequest
from statemachine import graph

ROOT = Path(__file__).parents[2]


def test_the_contracts_page_is_current() -> None:
    """docs/contracts.md says what the models say."""
    assert contracts.PAGE.read_text() == contracts.render()


def test_the_schema_of_what_commands_print_is_current() -> None:
    """docs/commands.schema.json says what the models say."""
    assert contracts.COMMANDS.read_text() == contracts.render_commands()


def test_the_contracts_page_names_every_input_field() -> None:
    """Every field of the execution input stands on the page."""
    for name in SessionRequest.model_fields:
        assert f"| `{name}` |" in contracts.render()


def test_the_readme_shows_the_state_machine_as_it_is() -> None:
    """The graph in the README is the one that the definition draws."""
    assert graph.main(["--check", str(ROOT / "README.md")]) == 0


def test_each_decision_has_a_number_of_its_own() -> None:
    """A number names one record, and the record's heading has the number of its file."""
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [record.name.partition("-")[0] for record in records]
    assert len(set(numbers)) == len(numbers) > 0
    for record, number in zip(records, numbers, strict=True):
        assert record.read_text().startswith(f"# {number}: ")

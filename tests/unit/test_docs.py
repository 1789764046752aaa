"""The documentation that is drawn from the code."""

from docs import contracts
from pullwright.models import SessionRequest


def test_the_contracts_page_is_current() -> None:
    """docs/contracts.md says what the models say."""
    assert contracts.PAGE.read_text() == contracts.render()


def test_the_contracts_page_names_every_input_field() -> None:
    """Every field of the execution input stands on the page."""
    for name in SessionRequest.model_fields:
        assert f"| `{name}` |" in contracts.render()

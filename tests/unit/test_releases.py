"""What one release writes, the next one reads, and the one before it too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pullwright import models, results
from pullwright.brokering import models as broker_models
from pullwright.brokering.models import BrokerGrant
from pullwright.fields import Stored
from pullwright.models import AgentRequest, OpenedPullRequest, SessionRequest
from pullwright.results import AgentResult

LAST = Path(__file__).parents[1] / "events/last_release"
STORED = [
    model
    for module in (models, results, broker_models)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Stored)
]


def last(name: str) -> dict[str, Any]:
    """Return what a session of the last release left."""
    decoded: dict[str, Any] = json.loads((LAST / name).read_text(encoding="utf-8"))
    return decoded


def with_unknown(value: Any) -> Any:
    """Return the same with a field more in every object, as a later release may write it."""
    if isinstance(value, list):
        return [with_unknown(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {**{name: with_unknown(inner) for name, inner in value.items()}, "of_a_later_release": {"x": 1}}


@pytest.mark.parametrize(("model", "name"), [(AgentRequest, "request.json"), (AgentResult, "result.json")])
def test_artifacts_of_the_last_release_are_read(model: type[BaseModel], name: str) -> None:
    """A session that the last release began is ended by this one: nothing new is needed."""
    read = model.model_validate_json(json.dumps(last(name)))
    assert read.model_dump(mode="json").items() >= {"session_id": last(name)["session_id"]}.items()


@pytest.mark.parametrize(("model", "name"), [(AgentRequest, "request.json"), (AgentResult, "result.json")])
def test_artifacts_of_a_later_release_are_read(model: type[BaseModel], name: str) -> None:
    """After a rollback too: what is unknown is ignored, wherever it stands, and changes nothing."""
    later = {name: value for name, value in with_unknown(last(name)).items() if name != "phases"}
    now = {name: value for name, value in last(name).items() if name != "phases"}
    assert model.model_validate_json(json.dumps(later)) == model.model_validate_json(json.dumps(now))


def test_all_that_we_leave_to_ourselves_is_read_leniently() -> None:
    """Answer to the state machine and to the runner are among it; what people ask is not."""
    assert {AgentRequest, AgentResult, BrokerGrant, OpenedPullRequest} <= set(STORED)
    for model in STORED:
        assert model.model_config["extra"] == "ignore", model
        assert model.model_config["frozen"], model
        assert model.model_config["strict"], model
    with pytest.raises(ValidationError):
        SessionRequest.model_validate({"repository": "o/r", "issue": 1, "of_a_later_release": 1})

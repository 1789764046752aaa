"""What LookForSlot makes of AWS's answer, by JSONata's reference implementation."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.template.kit import ROOT, definition

JSONATA = ROOT / ".local" / "node" / "node_modules" / "jsonata"
STACK, REPOSITORY = "SLOTS", "SLOTS#acme/shop"
SCRIPT = """
const [library, expression, values] = process.argv.slice(1);
const evaluated = require(library)(expression).evaluate({}, JSON.parse(values));
evaluated.then(found => console.log(JSON.stringify(found)));
"""


def _item(key: str, *holders: str, kind: str = "Ss", **attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, **({"holders": {kind: list(holders)}} if holders else {}), **attributes}


@pytest.mark.parametrize(
    ("items", "has_room"),
    [
        ([], True),
        ([_item(STACK), _item(REPOSITORY)], True),
        ([_item(STACK, "a"), _item(REPOSITORY, "a")], True),
        ([_item(STACK, "a", "b")], False),
        ([_item(STACK, "a", "b", kind="SS")], False),
        ([_item(STACK, "a"), _item(REPOSITORY, "a", "b")], False),
        ([_item(STACK, "a", "me")], True),
        ([_item(STACK, "a", "me"), _item(REPOSITORY, "a", "b")], False),
        ([_item(STACK, paused={"Bool": True})], False),
        ([_item(STACK, "me", paused={"Bool": True})], True),
    ],
)
def test_a_look_finds_room_where_admission_would(items: list[dict[str, Any]], has_room: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """Room is a place in both sets, or one that is ours; paused slots are none, however AWS writes the types.

    Step Functions answers sets as `Ss` and booleans as `Bool`: https://github.com/aws/aws-sdk-js/issues/4294.
    """
    expression = definition()["States"]["LookForSlot"]["Assign"]["has_room"].strip("{}% ")
    values = {
        "states": {"result": {"Responses": {"sessions": items}}, "context": {"Execution": {"Name": "me"}}},
        "opened": {"repository": "acme/shop", "max_sessions": 2, "max_sessions_of_repository": 2},
    }
    arguments = ["node", "-e", SCRIPT, str(JSONATA), expression, json.dumps(values)]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) is has_room

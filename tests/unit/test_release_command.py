"""Which release a rollback goes to, and what it does when there is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pullwright.errors import ReleaseMissing
from pullwright.executions import execution_arn
from pullwright_cli.releasing import aliases
from pullwright_cli.releasing.records import Release, parse, target
from tests.unit.cli_kit import matches, run

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:prod-agent-session"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:webhook"


PREVIEWS = "arn:aws:states:eu-central-1:123456789012:stateMachine:prod-preview"


def release(number: int, machine: int, function: int, previews: int | None = None) -> Release:
    """Make the release of some versions, without previews unless a version of their machine is given."""
    return parse(
        {
            "Version": number,
            "LastModifiedDate": datetime(2026, 11, 20, 12, number, tzinfo=UTC),
            "Value": json.dumps(
                {
                    "machine": f"{MACHINE}:{machine}",
                    "functions": [f"{FUNCTION}:{function}"],
                    "task_definition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/agent:3",
                    "image": "repository@sha256:0",
                    "of_a_later_release": True,
                    **({} if previews is None else {"preview_machine": f"{PREVIEWS}:{previews}"}),
                }
            ),
        }
    )


THREE = [release(1, 1, 1), release(2, 1, 2), release(3, 2, 3)]


def test_a_rollback_goes_to_the_release_before_the_live_one() -> None:
    """Twice in a row it goes back by two, as what is live has changed."""
    assert target(THREE, THREE[2].parts).number == 2
    assert target(THREE, THREE[1].parts).number == 1


def test_a_rollback_moves_the_previews_too() -> None:
    """Both machines' aliases go to the release; one of before previews leaves theirs, and is live with it."""
    moved: dict[str, str] = {}

    class Client:
        def describe_task_definition(self, **_: Any) -> dict[str, Any]:
            return {"taskDefinition": {"status": "ACTIVE"}}

        def update_state_machine_alias(self, **named: Any) -> None:
            [route] = named["routingConfiguration"]
            moved[named["stateMachineAliasArn"]] = route["stateMachineVersionArn"]

        def describe_state_machine_alias(self, **named: Any) -> dict[str, Any]:
            version = moved[named["stateMachineAliasArn"]]
            return {"routingConfiguration": [{"stateMachineVersionArn": version, "weight": 100}]}

        def get_alias(self, **_: Any) -> dict[str, str]:
            return {"FunctionVersion": "1"}

        def __getattr__(self, name: str) -> Any:
            return lambda **_: None

    before, first, second = release(1, 1, 1), release(2, 2, 1, 1), release(3, 3, 1, 2)
    for chosen in (second, first):
        aliases.move(lambda _: Client(), chosen)
        assert moved == {f"{MACHINE}:live": chosen.machine, f"{PREVIEWS}:live": chosen.preview_machine}
    aliases.move(lambda _: Client(), before)
    assert moved == {f"{MACHINE}:live": before.machine, f"{PREVIEWS}:live": first.preview_machine}
    live = aliases.live(lambda _: Client(), second)
    assert [one.number for one in (before, first, second) if one.is_live(live)] == [1]
    assert target([before, first, second], live, 3) == second


def test_a_deployment_that_was_undone_is_skipped_by_itself() -> None:
    """CloudFormation records the former values again: what came before them is what first did."""
    undone = [*THREE, release(4, 3, 4), release(5, 2, 3)]
    assert target(undone, undone[4].parts).number == 2


@pytest.mark.parametrize(
    ("live", "number", "words"),
    [
        (THREE[0].parts, None, "no release before the live one"),
        (frozenset({f"{MACHINE}:2", f"{FUNCTION}:1"}), None, "interrupted"),
        (THREE[0].parts, 7, "There is no release 7. Known are: 1, 2, 3."),
    ],
)
def test_without_a_release_to_go_to_the_reason_is_told(
    live: frozenset[str], number: int | None, words: str
) -> None:
    """The message says what is wrong and what to give."""
    with pytest.raises(ReleaseMissing, match=words):
        target(THREE, live, number)


def test_any_release_can_be_chosen_whatever_is_live() -> None:
    """So the way forward again is the same command."""
    assert target(THREE, frozenset(), 3) == THREE[2]


def test_what_is_printed_for_programs_has_its_schema(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Releases, and a rollback that is only planned, are as docs/commands.schema.json says."""
    monkeypatch.setattr(aliases, "known", lambda _: (THREE, THREE[2].parts))
    assert run("releases", "--stack-name", "prod", "--json") == 0
    releases = json.loads(capsys.readouterr().out)
    assert matches("ReleaseList", releases)
    assert [release["is_live"] for release in releases] == [False, False, True]
    assert run("rollback", "--stack-name", "prod", "--dry-run", "--json") == 0
    assert matches("RolledBack", json.loads(capsys.readouterr().out))


def test_nothing_moves_when_a_part_is_gone() -> None:
    """All parts are looked up before the first alias moves, and the missing one is named."""
    moved: list[str] = []

    class Client:
        def describe_state_machine(self, **_: Any) -> None:
            return None

        def get_function(self, **named: Any) -> None:
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException", "Message": str(named)}}, "GetFunction"
            )

        def describe_task_definition(self, **_: Any) -> dict[str, Any]:
            return {"taskDefinition": {"status": "INACTIVE"}}

        def __getattr__(self, name: str) -> Any:
            return lambda **_: moved.append(name)

    with pytest.raises(ReleaseMissing, match=r"Missing: .*function:webhook:3, .*task-definition/agent:3"):
        aliases.move(lambda _: Client(), THREE[2])
    assert moved == []


@pytest.mark.parametrize("qualifier", ["", ":live", ":12"])
def test_an_execution_is_called_by_its_machine(qualifier: str) -> None:
    """Whichever version or alias it was started through: as AWS answered in LocalStack's recorded tests."""
    arn = "arn:aws:states:eu-central-1:123456789012:execution:prod-agent-session:implement-1"
    assert execution_arn(MACHINE + qualifier, "implement-1") == arn

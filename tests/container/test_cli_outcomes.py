"""What the real CLI does at the gateway, beyond the endings of whole sessions in `test_endings`."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest

from runner.agent.command import NO_PDF
from runner.gateway import Gateway, GatewayConfig
from tests.container.cli import AGENT_UID, Cli, StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

Provider = Literal["anthropic", "bedrock"]
MODELS: dict[Provider, str] = {
    "anthropic": "claude-opus-5-5",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
}
TRUST = "--dangerously-skip-permissions"
READ = {"tool": "Read", "input": {"file_path": "{cwd}/hello.py"}}
EDIT = {
    "tool": "Edit",
    "input": {"file_path": "{cwd}/hello.py", "old_string": "helo", "new_string": "hello"},
}
TODOS = {"todos": [{"content": "Mend it", "status": "in_progress", "activeForm": "Mending it"}]}
DONE = {"text": "It says hello now."}


@pytest.fixture(scope="module")
def cli() -> Iterator[Cli]:
    """Provide the CLI, ready for the agent's user."""
    with Cli.installed() as installed:
        yield installed


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """Provide the model stand-in."""
    with StandIn.running() as running:
        yield running


@pytest.fixture(params=["anthropic", "bedrock"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """Both ways to the model."""
    found: Provider = request.param
    return found


def gateway_to(
    url: str, provider: Provider, monkeypatch: pytest.MonkeyPatch, limit_usd: float = 5.0
) -> Gateway:
    """Return a gateway whose provider is at `url`, told by the standard variables only."""
    variables = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": "us-east-1",
        "ANTHROPIC_BASE_URL": url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Gateway(
        GatewayConfig(
            provider=provider,
            model=MODELS[provider],
            limit_usd=limit_usd,
            api_key="made-up",
            max_retries=1,
            patience=2,
        )
    )


@dataclass(frozen=True)
class Case:
    """One way to end.

    Args:
        result: what its last line must hold.
        budget_spent: what the gateway says of it afterwards.
        text: what `hello.py` holds afterwards.
        calls: how many answers the model gave to the agent's conversation, where that matters.
    """

    steps: tuple[dict[str, Any], ...]
    code: int
    result: dict[str, Any]
    arguments: tuple[str, ...] = (TRUST,)
    limit_usd: float = 5.0
    budget_spent: bool = False
    text: str = "helo"
    calls: dict[Provider, int] = field(default_factory=dict)


def ended(subtype: str, reason: str, status: int | None = None, *, is_error: bool = True) -> dict[str, Any]:
    """Return the fields of the result line that decide."""
    return {
        "subtype": subtype,
        "is_error": is_error,
        "terminal_reason": reason,
        "api_error_status": status,
    }


GOOD = ended("success", "completed", is_error=False)


CASES = {
    "several tools in one turn": Case(
        ({"text": "Let me see.", "tools": [READ, {"tool": "TodoWrite", "input": TODOS}]}, EDIT, DONE),
        0,
        GOOD,
        text="hello",
    ),
    "money used up on the way": Case(
        ({**READ, "usage": {"output_tokens": 60_000}}, EDIT, DONE),
        1,
        ended("success", "api_error", 402),
        limit_usd=1.25,
        budget_spent=True,
        calls={"anthropic": 1, "bedrock": 1},
    ),
    "overloaded for a while": Case(
        (
            READ,
            {**EDIT, "fault": {"status": 503, "headers": {"retry-after": "0"}, "times": 1}},
            DONE,
        ),
        0,
        GOOD,
        text="hello",
    ),
    "answer broke off": Case(({**READ, "drop_after": 3}, DONE), 1, ended("success", "api_error")),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_outcome(
    case: Case, provider: Provider, cli: Cli, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code, result line, gateway and work tree together say how the run ended."""
    standin.play(*case.steps)
    with gateway_to(standin.url, provider, monkeypatch, case.limit_usd) as gateway:
        run = cli.run(gateway.environment(), "--model", MODELS[provider], *case.arguments)

    assert {name: run.result.get(name) for name in case.result} == case.result, run.result
    assert run.code == case.code
    assert gateway.budget_spent is case.budget_spent
    assert (run.folder / "hello.py").read_text() == f"print('{case.text}')\n"
    if provider in case.calls:
        calls = [
            request for request in standin.requests() if request.get("tools") or request["status"] >= 400
        ]
        assert len(calls) == case.calls[provider], calls


def test_costs_agree(provider: Provider, cli: Cli, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway counts the tokens that the CLI counts, and prices them by the list."""
    standin.play(READ, EDIT, DONE)
    with gateway_to(standin.url, provider, monkeypatch) as gateway:
        run = cli.run(gateway.environment(), "--model", MODELS[provider], TRUST)

    counted = run.result["usage"]
    tokens = gateway.usage.tokens
    assert (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write) == (
        counted["input_tokens"],
        counted["output_tokens"],
        counted["cache_read_input_tokens"],
        counted["cache_creation_input_tokens"],
    )
    # The CLI does not know of Bedrock's regional premium of 10 %.
    premium = 1.1 if provider == "bedrock" else 1.0
    assert gateway.usage.cost_usd == pytest.approx(run.result["total_cost_usd"] * premium)


def test_nothing_but_the_gateway(
    provider: Provider, cli: Cli, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CLI runs as the agent's user, with no credential and with one place to go."""
    names = "compgen -e | sort > {cwd}/names; id -u > {cwd}/uid; cat /proc/$PPID/environ > {cwd}/parent"
    standin.play({"tool": "Bash", "input": {"command": names}}, DONE)
    with gateway_to(standin.url, provider, monkeypatch) as gateway:
        run = cli.run(gateway.environment(), "--model", MODELS[provider], TRUST)
        paths = {request["path"] for request in standin.requests()}

    assert (run.folder / "uid").read_text().strip() == str(AGENT_UID if os.geteuid() == 0 else os.getuid())
    names_seen = (run.folder / "names").read_text()
    assert "AWS_SECRET_ACCESS_KEY" not in names_seen
    assert "made-up" not in (run.folder / "parent").read_text()
    # No probe of other models and no other operation came through.
    quoted = MODELS[provider]
    only = {"anthropic": "/v1/messages", "bedrock": f"/model/{quoted}/invoke-with-response-stream"}
    assert paths == {only[provider]}


def test_todo_list_is_visible(cli: Cli, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent's todo list appears in the stream of events, which the tracking comment shows."""
    standin.play({"tool": "TodoWrite", "input": TODOS}, DONE)
    with gateway_to(standin.url, "anthropic", monkeypatch) as gateway:
        run = cli.run(gateway.environment(), "--model", MODELS["anthropic"], TRUST)

    assert run.uses("TodoWrite") == [TODOS]
    assert not [line for line in run.lines if "No such tool" in str(line)]


def test_five_cents_hold_for_parallel_agents(
    provider: Provider, cli: Cli, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three CLIs at once on one budget: all are refused in the end, and the sum was never exceeded."""
    standin.play({**READ, "delay": 0.2}, repeat_last=True)
    with (
        gateway_to(standin.url, provider, monkeypatch, limit_usd=0.05) as gateway,
        ThreadPoolExecutor(3) as pool,
    ):
        arguments = (gateway.environment(), "--model", MODELS[provider], TRUST)
        runs = [pool.submit(cli.run, *arguments) for _ in range(3)]
        ends = [run.result() for run in runs]
    assert gateway.budget_spent
    assert [end.code for end in ends] == [1, 1, 1]
    assert gateway.usage.cost_usd <= 0.05


@pytest.mark.parametrize("name", ["a.pdf", "A.PDF"])
def test_a_pdf_is_not_read(name: str, cli: Cli, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI, started as the runner starts it, tells the agent so, and the conversation goes on."""
    make = f"printf '%%PDF-1.4 a' > {{cwd}}/{name}"
    read = {"tool": "Read", "input": {"file_path": f"{{cwd}}/{name}"}}
    standin.play({"tool": "Bash", "input": {"command": make}}, read, DONE)
    with gateway_to(standin.url, "anthropic", monkeypatch) as gateway:
        run = cli.run(gateway.environment(), "--model", MODELS["anthropic"], TRUST, NO_PDF)
    assert run.code == 0
    assert run.result["result"] == DONE["text"]
    assert "denied by your permission settings" in json.dumps(run.lines)

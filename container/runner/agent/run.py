"""The agent's part of a session: the gateway to the model, the CLI beside it, and what it says."""

from __future__ import annotations

import secrets
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pullwright.errors import InternalError
from runner.agent.command import agent_environment, cli_arguments
from runner.agent.conversation import keep_conversation
from runner.agent.input import AgentInput
from runner.agent.notices import Notices
from runner.agent.process import Stop, run_as_agent
from runner.agent.prompt import RULES, build_prompt
from runner.agent.readable import ReadableTranscript
from runner.agent.stream import Conversation, decode
from runner.agent.tools import TOOLS
from runner.agent.transcript import Transcript
from runner.agent.verdict import AgentEnd
from runner.gateway import PATIENCE_SECONDS, Gateway, GatewayConfig, Trouble
from runner.git.leaks import redact_line
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pullwright.models import AgentRequest
    from runner.agent.process import ShouldStop
    from runner.agent.stuck import StuckGuard
    from runner.git.workspace import Workspace
    from runner.report import Report
    from runner.rules.delivery import HouseRules
    from runner.tracking import Tracker


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One run of the agent.

    Attributes:
        never_began: it ended by itself before the model had answered.
    """

    end: AgentEnd
    summary: str
    conversation_id: str
    never_began: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it has done what it was asked for."""
        result = self.end.result
        return self.end.ended.exit_code == 0 and result is not None and result.good


def run_agent(
    request: AgentRequest,
    workspace: Workspace,
    rules: HouseRules,
    *,
    tracker: Tracker,
    transcript: Path,
    api_key: str | None,
    should_stop: ShouldStop,
    elapsed: Callable[[], float],
    guard: StuckGuard,
    settle: Callable[[Stop | None], None] = lambda _: None,
    open_port: Callable[[int], None] = lambda _: None,
    resumed: bool = False,
    tools: Sequence[str] = TOOLS,
    notes: str = "",
    prompt: str | None = None,
    conversation_id: str | None = None,
    system_prompt: str = RULES,
    reply: Callable[[str], str | None] = lambda _: None,
    patience: float = PATIENCE_SECONDS,
    report: Report,
) -> AgentRun:
    """Let the agent work until it ends or is stopped.

    Args:
        transcript: file for the CLI's lines; what people can read of them goes into an `.md` beside it.
        api_key: of the model's service, if it wants one; stays in this process.
        elapsed: seconds of the session's time that are used.
        settle: called when the agent has ended, before everything that it left is ended too.
        open_port: lets the agent connect to a port of this machine's.
        resumed: the workspace holds the work of a session that was cut off.
        notes: what the repository's maintainers want it to know.
        prompt: in place of the one that asks for a change.
        conversation_id: of the conversation that goes on, whose record is in its place; without it, a new
            one begins.
        system_prompt: the rules that it works by.
        reply: called with its last words when it has done what was asked; what it returns is said to it in
            the same conversation, and None ends that.
        patience: seconds for which a model's service that fails is asked again.
        report: told what is used; knows what earlier tasks have used.

    Raises:
        InternalError: there is no CLI on PATH.
        PullwrightError: the model cannot be used as it is configured.
    """
    if shutil.which("claude") is None:
        raise InternalError("The program `claude` is not on PATH.")
    goes_on = conversation_id is not None
    conversation_id = conversation_id or str(uuid.uuid4())
    conversation = Conversation(workspace.folder)
    kept, readable = Transcript(transcript), ReadableTranscript(transcript.with_suffix(".md"))
    first = prompt or build_prompt(request, secrets.token_hex(8), notes, resumed=resumed)
    agent_input = AgentInput(first)

    def on_line(line: bytes) -> None:
        # At the source: transcripts, comments, the commit's message and the summary all come from here.
        line = redact_line(line)
        kept.write(line)
        event = decode(line)
        if event is None:
            return
        readable.take(event)
        guard.take(event)
        if conversation.take(event):
            tracker.show(
                conversation.activity,
                todos=conversation.todos,
                turns=conversation.turns,
                tool=conversation.tool,
            )
        if event.get("type") == "result":
            _go_on(conversation, agent_input, reply)

    config = GatewayConfig(
        provider=request.provider,
        model=request.model,
        price=request.price,
        limit_usd=request.limits.usd,
        spent_usd=report.before.cost_usd,
        api_key=SecretStr(api_key) if api_key else None,
        patience=patience,
    )

    def on_wait(trouble: Trouble) -> None:
        tracker.show(f"Waiting for the model's service, which fails with status {trouble.status}")

    try:
        with Gateway(config, on_wait) as gateway:
            open_port(gateway.port)
            tracker.cost = lambda: gateway.usage.cost_usd
            notices = Notices(
                request.limits,
                usd=lambda: gateway.usage.cost_usd,
                turns=lambda: report.before.turns + conversation.turns,
                seconds=elapsed,
            )

            def look() -> Stop | None:
                usage = gateway.usage
                report.use(usage.cost_usd, usage.tokens, conversation.turns)
                for notice in notices.due():
                    logger.info("the agent is told that a limit is near", notice=notice)
                    agent_input.send(notice)
                if report.turns > request.limits.turns:
                    return Stop.OVERTURNS
                return should_stop() or (Stop.STUCK if guard.reason else None)

            ended = run_as_agent(
                cli_arguments(
                    *(request, conversation_id, rules, tools),
                    goes_on=goes_on,
                    used_turns=report.before.turns,
                    system_prompt=system_prompt,
                ),
                user=workspace.user,
                cwd=workspace.folder,
                env=agent_environment(
                    workspace, {**gateway.environment(), "CLAUDE_CONFIG_DIR": str(rules.folder)}
                ),
                agent_input=agent_input,
                on_line=on_line,
                should_stop=look,
                settle=settle,
            )
    finally:
        kept.close()
        readable.close()
    keep_conversation(workspace, rules.folder, conversation_id, transcript.with_name("conversation.jsonl"))
    result, usage, trouble = conversation.result, gateway.usage, gateway.trouble
    # Where it was asked twice, the last line counts the second time alone.
    turns = max(conversation.turns, result.turns if result else 0)
    report.use(usage.cost_usd, usage.tokens, turns)
    return AgentRun(
        end=AgentEnd(ended, result, gateway.budget_spent, trouble, guard.reason),
        summary=(result.result if result and result.good else None) or conversation.last_text,
        conversation_id=conversation_id,
        never_began=ended.exit_code != 0 and ended.stop is None and not turns and trouble is None,
    )


def _go_on(conversation: Conversation, agent_input: AgentInput, reply: Callable[[str], str | None]) -> None:
    """Say something more to the CLI when it has ended one task well, or end its input."""
    result = conversation.result
    more = reply(result.result or conversation.last_text) if result is not None and result.good else None
    if more is None:
        agent_input.end()
    else:
        agent_input.send(more)

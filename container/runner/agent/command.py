"""How the CLI is started: its arguments and its whole environment.

https://code.claude.com/docs/en/cli-reference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.agent.prompt import RULES
from runner.agent.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pullwright.models import AgentRequest
    from runner.git.workspace import Workspace
    from runner.rules.delivery import HouseRules

NO_PDF = "--disallowedTools=Read(//**/*.pdf),Read(//**/*.[pP][dD][fF])"
"""The gateway refuses PDFs, and a conversation that holds one could not go on."""


def cli_arguments(
    request: AgentRequest,
    conversation_id: str,
    rules: HouseRules,
    tools: Sequence[str] = TOOLS,
    *,
    goes_on: bool = False,
    used_turns: int = 0,
    system_prompt: str = RULES,
) -> list[str]:
    """Return the command line. The prompt is not in it: every user of a machine can read command lines.

    Nothing of the work tree is read as settings or instructions (`--setting-sources`), nor are MCP servers:
    they could run programs and widen what the agent may do. What the base branch says is in a folder of the
    runner's. Nobody could be asked for permission, so none is: what protects others is that the agent's user
    has nothing to lose.

    Args:
        conversation_id: a UUID, under which the conversation can be continued.
        tools: what the agent may use, besides what makes use of the rules.
        goes_on: there is such a conversation already, and it is continued.
    """
    tools = (*tools, *rules.tools)
    return [
        "claude",
        "--print",
        "--input-format=stream-json",
        "--output-format=stream-json",
        "--verbose",
        "--dangerously-skip-permissions",
        "--strict-mcp-config",
        "--setting-sources=user",
        f"--settings={rules.settings(tools)}",
        f"--tools={','.join(tools)}",
        NO_PDF,
        f"--model={request.model}",
        f"--max-turns={max(request.limits.turns - used_turns, 1)}",
        f"--{'resume' if goes_on else 'session-id'}={conversation_id}",
        f"--append-system-prompt={system_prompt}",
    ]


def agent_environment(workspace: Workspace, gateway: Mapping[str, str]) -> dict[str, str]:
    """Return the agent's whole environment; nothing of the runner's own is passed on but PATH.

    Args:
        gateway: the variables that lead the CLI to the model.
    """
    scratch = str(workspace.scratch)
    return {**workspace.environment("agent"), "CLAUDE_CODE_TMPDIR": scratch, **gateway}

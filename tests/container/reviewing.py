"""A person's pull request, a session that reads it, and an agent that answers from a list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pullwright.reviewing.models import Findings
from tests.container.test_checks import commit

if TYPE_CHECKING:
    from tests.container.harness import Harness

# Outside of its `.home`, whose folder the agent reaches too.
_AGENT = """\
#!/bin/sh
printf '%s\\n' "$@" > "$HOME/arguments"
for number in {numbers}; do
  read -r PROMPT || exit 1
  printf '%s' "$PROMPT" > "$HOME/prompt$number"
  {script}
  cat "$(dirname "$0")/answer$number"
done
exec < /dev/null
"""


def open_pull(harness: Harness, files: dict[str, str], **changes: Any) -> str:
    """Push a person's branch, let GitHub keep it for pull request 8, and ask for a session that reads it.

    Returns:
        The commit.
    """
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "-B", "topic", "main", cwd=seed)
    commit(harness, "topic", files)
    head = harness.git("rev-parse", "topic")
    harness.git("update-ref", "refs/pull/8/head", head)
    harness.git("branch", "-q", "-D", "topic")
    fields = {
        "mode": "comment",
        "worker": "review",
        "worker_type": "review",
        "branch": "pull/8/head",
        "branch_is_ours": False,
        "issue": None,
        "head_commit": head,
        **changes,
    }
    harness.ask(**fields)
    return head


def agent(harness: Harness, *answers: object, script: str = "") -> None:
    """Put an agent on the runner's PATH that says these things, one for each time it is spoken to.

    Args:
        answers: texts, or what becomes JSON.
        script: for sh, run each time before it answers.
    """
    folder = harness.folder / "bin"
    folder.mkdir(exist_ok=True)
    for number, answer in enumerate(answers):
        text = answer if isinstance(answer, str) else json.dumps(answer)
        said = {"id": f"m{number}", "content": [{"type": "text", "text": text}]}
        lines = [
            {"type": "assistant", "message": said},
            {
                "type": "result",
                "subtype": "success",
                "is_error": False,
                "terminal_reason": "completed",
                "result": text,
                "num_turns": 1,
            },
        ]
        (folder / f"answer{number}").write_text("".join(json.dumps(line) + "\n" for line in lines))
    cli = folder / "claude"
    cli.write_text(_AGENT.format(numbers=" ".join(map(str, range(len(answers)))), script=script))
    cli.chmod(0o755)


def said_to_agent(harness: Harness, number: int = 0) -> str:
    """Return what the agent was told."""
    line = (harness.folder / f"work{harness.started}/agent/.home/prompt{number}").read_text()
    return str(json.loads(line)["message"]["content"])


def findings(harness: Harness) -> Findings:
    """Return what the session found."""
    return Findings.model_validate_json(harness.artifact("findings.json"))

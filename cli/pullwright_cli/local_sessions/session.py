"""One session of a checkout: prepared, shown while it runs, and brought back as a branch."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullwright.json_object import decode_object
from pullwright.models import AgentRequest
from pullwright.results import AgentResult
from pullwright.text import plain_line, slug
from pullwright_cli.errors import CliError
from pullwright_cli.local_sessions import engines, repository
from pullwright_cli.terminal import dollars, duration, plain, print_fields, print_json

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from pullwright_cli.local_sessions.model import Choice

_SUBJECT_LENGTH = 200
_AUTHOR = {"name": "Pullwright", "email": "pullwright@localhost"}
_LIMITS: dict[str, float] = {"usd": 5.0, "turns": 100, "minutes": 60.0}
# podman and Docker end with these where the container did not start.
_NOT_STARTED = (125, 126, 127)


@dataclass(frozen=True)
class Wanted:
    """What is to be done, and where.

    Attributes:
        checkout: top folder of the repository.
        limits: those that differ from the usual ones.
        folder: where the artifacts go, in a folder of the session's own.
        variables: for the runner's environment, none of them secret.
        keeps_branch: whether the work becomes a branch of the checkout; `diff.patch` has it anyway.
    """

    checkout: Path
    prompt: str
    choice: Choice
    limits: Mapping[str, float]
    plan: bool
    stub: bool
    folder: Path
    image: str
    variables: Mapping[str, str]
    without_container: bool
    allows_same_user: bool
    keeps_branch: bool


def run(wanted: Wanted, *, as_json: bool) -> int:
    """Run the session to its end and show what came of it.

    Returns:
        The exit code: 0, or that of the session's error.

    Raises:
        CliError: it could not be started, or its branch not be brought back.
    """
    identity = f"local-{uuid.uuid4().hex[:12]}"
    branch = f"pullwright/{slug(wanted.prompt)}-{identity[-6:]}"
    base = repository.current_branch(wanted.checkout)
    folder = wanted.folder / identity
    with tempfile.TemporaryDirectory(prefix="pullwright-", dir="/var/tmp") as work:
        engine = engines.find(
            wanted.image, Path(work), without_container=wanted.without_container, stub=wanted.stub
        )
        if not (engine.is_isolated or wanted.stub or wanted.allows_same_user):
            raise CliError(
                f"{engine.sentence()} Set PULLWRIGHT_ALLOW_SAME_USER=1 if you accept that, or be root",
                2,
            )
        folder.mkdir(mode=0o700, parents=True)
        repository.copy(wanted.checkout, folder / "repository.git", base, branch)
        (folder / "request.json").write_text(_request(wanted, identity, base, branch))
        _say(engine.sentence())
        if repository.has_changes(wanted.checkout):
            _say("What is not committed in the checkout is not part of the session.")
        variables = {"SESSION_ID": identity, "EGRESS_MODE": "preferred", **wanted.variables}
        process = engine.start(identity, folder, variables)
        code = _follow(engine, identity, process, wanted.choice.credentials)
        shutil.rmtree(folder / "repository.git")
    return _end(wanted, folder, branch, code, as_json=as_json)


def _request(wanted: Wanted, identity: str, base: str, branch: str) -> str:
    """Return request.json, as OpenPullRequest would write it."""
    request = {
        "session_id": identity,
        "execution_arn": "",
        "repository": f"local/{slug(wanted.checkout.name)}",
        "git_url": "",
        "base": base,
        "branch": branch,
        "pull_request": 0,
        "pull_request_url": "",
        "comment_id": 0,
        "issue": None,
        "title": plain_line(wanted.prompt, _SUBJECT_LENGTH),
        "body": "",
        "prompt": wanted.prompt,
        "requested_by": None,
        "author": _AUTHOR,
        "provider": wanted.choice.provider,
        "model": wanted.choice.model,
        "limits": {**_LIMITS, **wanted.limits},
        "stub": wanted.stub,
        "plan": wanted.plan,
        # Nobody's workflows run on a branch that is not pushed.
        "repository_is_private": True,
        "created_at": datetime.now(UTC).isoformat(),
    }
    return AgentRequest.model_validate_json(json.dumps(request)).model_dump_json(indent=2)


def _follow(engine: engines.Engine, name: str, process: subprocess.Popen[str], credentials: str) -> int:
    """Show what the runner says until it ends; Ctrl-C asks it to keep what it has and end.

    Returns:
        Its exit code.
    """
    if process.stdin is None or process.stdout is None:
        raise TypeError("the runner has no pipes")
    try:
        process.stdin.write(f"{credentials}\n")
        process.stdin.close()
    except BrokenPipeError:
        pass  # It has ended, and its output says why.
    while True:
        try:
            for line in process.stdout:
                _show(line)
            return process.wait()
        except KeyboardInterrupt:
            _say("Ending: the session keeps what it has done so far.")
            engine.stop(name, process)


def _show(line: str) -> None:
    fields = decode_object(line)
    if not fields:
        _say(plain(line))
    elif "activity" in fields:
        cost = fields.get("cost_usd") or 0
        _say(f"{plain(fields['activity'])}{f'  {dollars(cost)}' if cost else ''}")
    elif fields.get("level") in {"WARNING", "ERROR", "CRITICAL"}:
        reason = fields.get("reason") or fields.get("problems") or ""
        _say(f"{plain(fields.get('message'))}{f': {plain(reason)}' if reason else ''}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _end(wanted: Wanted, folder: Path, branch: str, code: int, *, as_json: bool) -> int:
    path = folder / "result.json"
    if not path.exists():
        if code in _NOT_STARTED:
            raise CliError(
                "the container did not start, as said above: build its image (docs/image.md), name another "
                "with --image, or say --no-container"
            )
        raise CliError(
            f"the session ended with {code} and without a result; what it left is in {folder}", code or 1
        )
    result = AgentResult.model_validate_json(path.read_text())
    bundle = folder / "branch.bundle"
    has_branch = wanted.keeps_branch and result.commit is not None and bundle.exists()
    if has_branch:
        repository.bring_back(wanted.checkout, bundle, branch)
        bundle.unlink()
    found = _as_json(result, folder, branch if has_branch else None)
    if as_json:
        print_json(found)
    else:
        _tell(result, found)
    return result.exit_code


def _as_json(result: AgentResult, folder: Path, branch: str | None) -> dict[str, Any]:
    patch = folder / "diff.patch"
    return {
        "session": result.session_id,
        "outcome": result.outcome.value,
        "error": result.failure.error if result.failure else None,
        "sentence": result.failure.sentence if result.failure else None,
        "summary": result.summary,
        "branch": branch,
        "commit": result.commit,
        "patch": str(patch) if patch.exists() and patch.stat().st_size else None,
        "checks": {check.name: check.status for check in result.checks},
        "cost_usd": result.cost_usd,
        "turns": result.turns,
        "egress": result.egress.state if result.egress else None,
        "notices": list(result.notices),
        "folder": str(folder),
        "exit_code": result.exit_code,
    }


def _tell(result: AgentResult, found: Mapping[str, Any]) -> None:
    seconds = (result.ended_at - result.started_at).total_seconds()
    if result.summary:
        print(f"\n{result.summary.strip()}\n")
    checks = ", ".join(f"{name} {status}" for name, status in found["checks"].items())
    print_fields(
        [
            ("outcome", result.outcome.value),
            ("why", found["sentence"]),
            ("checks", checks),
            ("cost", f"{dollars(result.cost_usd)}, {result.turns} turns, {duration(seconds)}"),
            ("network", _network(result)),
            ("branch", found["branch"]),
            ("patch", found["patch"]),
            ("artifacts", found["folder"]),
        ]
    )
    for notice in result.notices:
        print(plain(notice))


def _network(result: AgentResult) -> str:
    """Say whether the agent was kept to the domains that are allowed."""
    egress = result.egress
    if egress is None:
        return ""
    if egress.state == "caged":
        return "only the domains that the repository allows"
    return f"not restricted{f' ({egress.reason})' if egress.reason else ''}"

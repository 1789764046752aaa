"""How sessions are printed, for people and for programs."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pullwright_cli.terminal import (
    ago,
    dollars,
    duration,
    plain,
    print_fields,
    print_json,
    print_table,
    status_style,
    styled,
)

if TYPE_CHECKING:
    from pullwright_cli.logbook import Line
    from pullwright_cli.session import Artifact

_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_WORTH_READING = ("error", "outcome", "status", "reason", "repository", "exit_code", "turns", "cost_usd")
_SOURCE_WIDTH = 26
_BAR = 30
_FRACTION = re.compile(r"\.\d+(?=[+Z])")
_CLEAR = "\x1b[H\x1b[2J"


def print_sessions(rows: list[dict[str, Any]], stack: str, *, as_json: bool, is_fresh: bool = False) -> None:
    """Print a list of sessions.

    Args:
        is_fresh: in place of what stands on the terminal.
    """
    if as_json:
        print_json({"stack": stack, "sessions": rows})
        return
    if is_fresh and sys.stdout.isatty():
        print(_CLEAR, end="")
    if not rows:
        print(f"No session of {stack} fits.")
        return
    print_table(
        ("SESSION", "STATUS", "BEGAN", "TOOK", "COST", "WHERE", "WHAT CAME OF IT"),
        [
            (
                row["session"],
                row["status"],
                ago(row["created_at"]),
                duration(_seconds(row["created_at"], row["closed_at"])),
                dollars(row["cost_usd"]),
                _where(row),
                row["error"] or row["outcome"],
            )
            for row in rows
        ],
        {place: status_style(str(row["status"])) for place, row in enumerate(rows)},
    )


def print_details(value: dict[str, Any], *, as_json: bool) -> None:
    """Print what `pullwright_cli.details` found of a session."""
    if as_json:
        print_json(value)
        return
    record, execution = value["record"] or {}, value["execution"] or {}
    status = record.get("status") or execution.get("status", "")
    error = record.get("error") or execution.get("error")
    print(styled(f"{value['session']}  {status}", status_style(status)))
    print_fields(
        [
            ("outcome", record.get("outcome")),
            ("why" if error else "result", record.get("sentence") or execution.get("cause")),
            ("error", error),
            ("what to do", record.get("remedy")),
            ("repository", record.get("repository") or value["request"].get("repository")),
            ("pull request", record.get("pull_request_url")),
            ("branch", record.get("branch")),
            ("commit", record.get("commit")),
            ("checks", record.get("checks")),
            ("worker", record.get("worker")),
            ("model", record.get("model")),
            ("asked by", record.get("requested_by")),
            ("began", _FRACTION.sub("", record.get("created_at") or "")),
            ("took", duration(_seconds(record.get("created_at"), record.get("closed_at")))),
            ("cost", dollars(record.get("cost_usd"))),
            ("turns", record.get("turns")),
            ("tokens", _tokens(record)),
            ("task", record.get("task_arn")),
            ("image", record.get("image_digest")),
            ("execution", execution.get("arn") or "forgotten by Step Functions, as 90 days after its end"),
            ("log", _log(record)),
            ("artifacts", ", ".join(value["artifacts"]) or "none, or their time was up"),
        ]
    )
    if value["states"]:
        print()
        print_table(
            ("STATE", "ENTERED", "SECONDS"),
            [
                (
                    state["name"],
                    state["entered_at"][:19],
                    "" if state["seconds"] is None else f"{state['seconds']:.2f}",
                )
                for state in value["states"]
            ],
        )


def print_line(line: Line, *, as_json: bool) -> None:
    """Print one line of a log; with JSON, an object on one line."""
    if as_json:
        print(json.dumps(line.as_json()), flush=True)
        return
    style = _LEVELS.get(line.level, "")
    part = line.part if line.part != line.source else ""
    where = plain(f"{line.source} {part}").ljust(_SOURCE_WIDTH)
    more = " ".join(f"{name}={line.fields[name]}" for name in _WORTH_READING if line.fields.get(name))
    message = line.message.partition("\n")[0]  # of a traceback, what it is about
    text = f"{plain(message)}{f'  {plain(more)}' if more else ''}"
    print(
        f"{styled(line.at.strftime('%H:%M:%S.%f')[:-3], 'dim')}  {where}  {styled(text, style)}", flush=True
    )


def print_events(events: list[dict[str, Any]], stack: str, *, as_json: bool) -> None:
    """Print deliveries of webhooks."""
    if as_json:
        print_json({"stack": stack, "events": events})
        return
    if not events:
        print(f"No delivery came to {stack} in that time.")
        return
    print_table(
        ("AT", "EVENT", "WHERE", "CODE", "STATUS", "WHY", "SESSION OR WORKERS THAT DID NOT MATCH"),
        [
            (
                event["at"][:19],
                event["event"],
                _place(event["repository"], event["number"]),
                event["status_code"],
                event["status"],
                event["reason"],
                event["session"] or "; ".join(f"{name}: {why}" for name, why in event["unmatched"].items()),
            )
            for event in events
        ],
    )


def print_artifacts(session: str, files: list[tuple[Artifact, str | None]], *, as_json: bool) -> None:
    """Print artifacts, and where they were saved."""
    if as_json:
        listed = [{"name": found.name, "bytes": found.size, "path": path} for found, path in files]
        print_json({"session": session, "artifacts": listed})
        return
    print_table(("ARTIFACT", "BYTES", "SAVED AS"), [(found.name, found.size, path) for found, path in files])


def print_cost(value: dict[str, Any], *, as_json: bool) -> None:
    """Print what sessions cost, with a bar for each group."""
    if as_json:
        print_json(value)
        return
    groups, total = value["groups"], value["total"]
    most = max((group["cost_usd"] for group in groups), default=0)
    rows = [
        (
            group["key"],
            group["sessions"],
            group["failed"],
            group["turns"],
            dollars(group["cost_usd"]),
            "\N{FULL BLOCK}" * round(_BAR * group["cost_usd"] / most) if most else "",
        )
        for group in groups
    ]
    all_of_them = ("all", total["sessions"], total["failed"], total["turns"], dollars(total["cost_usd"]), "")
    print_table((value["by"].upper(), "SESSIONS", "FAILED", "TURNS", "COST", ""), [*rows, all_of_them])
    if total["cost_unknown"]:
        print(f"Of {total['cost_unknown']} sessions nobody knows the cost: their tasks left no result.")


def _where(row: dict[str, Any]) -> str:
    return _place(row["repository"], row["pull_request"] or row["issue"])


def _place(repository: str | None, number: int | None) -> str:
    return f"{repository or ''}#{number}" if number else repository or ""


def _log(record: dict[str, Any]) -> str:
    return f"{record['log_group']} {record['log_stream']}" if record.get("log_stream") else ""


def _tokens(record: dict[str, Any]) -> str:
    kinds = ("input", "output", "cache_read", "cache_write")
    counts = [(kind, record.get(f"{kind}_tokens")) for kind in kinds]
    return ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in counts if count)


def _seconds(began: Any, ended: Any) -> float | None:
    try:
        return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
    except (TypeError, ValueError):
        return None

"""How sessions are printed, for people and for programs."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from pullwright_cli.terminal import (
    ago,
    dollars,
    duration,
    print_fields,
    print_json,
    print_table,
    status_style,
    styled,
)

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
    print(styled(f"{value['session']}  {status}", status_style(status)))
    print_fields(
        [
            ("outcome", record.get("outcome")),
            ("why", record.get("sentence") or execution.get("cause")),
            ("error", record.get("error") or execution.get("error")),
            ("what to do", record.get("remedy")),
            ("repository", record.get("repository") or value["request"].get("repository")),
            ("pull request", record.get("pull_request_url")),
            ("branch", record.get("branch")),
            ("commit", record.get("commit")),
            ("checks", record.get("checks")),
            ("worker", record.get("worker")),
            ("model", record.get("model")),
            ("asked by", record.get("requested_by")),
            ("began", record.get("created_at")),
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


def _where(row: dict[str, Any]) -> str:
    number = row["pull_request"] or row["issue"]
    return f"{row['repository'] or ''}{f'#{number}' if number else ''}"


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

"""Processes that want to stay, and those that take everything. Each is bounded by the limits of the test."""

from __future__ import annotations

STAYING = {
    "double_fork": "(setsid sh -c 'while :; do date > late.txt; sleep 0.2; done' &) > /dev/null 2>&1 < /dev/null",
    "nohup_that_ignores_signals": (
        "nohup setsid sh -c 'trap \"\" TERM INT HUP QUIT; while :; do sleep 1; done' > /dev/null 2>&1 &"
    ),
    "stopped_process": "setsid sh -c 'kill -STOP $$' > /dev/null 2>&1 < /dev/null &",
    "holds_the_pipes_open": "setsid sleep 300 &",
    "forks_without_end": (
        "cat > ~/bomb <<'X'\n#!/bin/sh\nwhile :; do ~/bomb & done\nX\n"
        "chmod 755 ~/bomb; setsid ~/bomb > /dev/null 2>&1 < /dev/null & sleep 1"
    ),
    "opens_many_connections": (
        "python3 $HOME/../../../tools.py hold_connections 2000 > /dev/null 2>&1 & sleep 1"
    ),
    "says_too_much": "head -c 40000000 /dev/zero | tr '\\0' x; head -c 20000000 /dev/zero | tr '\\0' y >&2; echo",
}

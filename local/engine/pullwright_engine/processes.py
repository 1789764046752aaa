"""Child processes in groups of their own, with a note on disk about each so that none outlives the stack.

An engine that was killed cannot end its children; the clean-up reads the notes. A note carries the
process's start time, because process ids are used again.
"""

import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO


def started_at(pid: int) -> str | None:
    """Return when a process started, as the system writes it: equal only for the same process.

    Returns:
        An opaque text, or `None` if there is no such process (a zombie counts as none).
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The name (second field) may hold spaces and brackets: count from its closing bracket.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else fields[19]
    found = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not found or found.startswith("Z") else found.split(maxsplit=1)[1]


@dataclass
class Child:
    """A process that leads a group of its own.

    Attributes:
        note: the file that tells others about it.
    """

    process: subprocess.Popen[bytes]
    note: Path

    def signal_main(self, number: signal.Signals) -> None:
        """Send a signal to the first process only, as a container runtime does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """End the whole group at once and forget the note."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.note.unlink(missing_ok=True)


def spawn(
    command: list[str],
    *,
    kind: str,
    notes: Path,
    cwd: Path,
    environment: dict[str, str],
    output: int | IO[bytes],
) -> Child:
    """Start a process that leads its own group and leave a note about it.

    Args:
        kind: what the process is, for people who read the note.

    Raises:
        OSError: the program cannot be started.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    notes.mkdir(parents=True, exist_ok=True)
    note = notes / f"{process.pid}.json"
    note.write_text(
        json.dumps({"pid": process.pid, "started_at": started_at(process.pid), "kind": kind}),
        encoding="utf-8",
    )
    return Child(process, note)

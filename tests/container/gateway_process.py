"""A gateway in a process of its own, so that its memory can be measured.

`python -m tests.container.gateway_process <model's address>` prints where it listens, and ends with its
standard input.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "claude-opus-5-5"


@dataclass
class Measured:
    """A gateway and the process that it is.

    Args:
        start: memory from which growth is counted, in bytes.
    """

    url: str
    pid: int
    start: int = 0

    @property
    def peak_above_start(self) -> int:
        """By how much its memory has grown at most since `forget_peak`, in bytes."""
        return self.peak - self.start

    @property
    def peak(self) -> int:
        """The most memory that it had at once, in bytes (VmHWM of proc_pid_status(5))."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def forget_peak(self) -> None:
        """Measure anew from here on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
        self.start = self.peak


@contextmanager
def measured(model_url: str) -> Iterator[Measured]:
    """Run it for a while."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.container.gateway_process", model_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Measured(process.stdout.readline().strip(), process.pid)
        finally:
            process.stdin.close()


def _main(model_url: str) -> None:
    from runner.gateway import Gateway, GatewayConfig  # noqa: PLC0415 - only the process itself needs it

    config = GatewayConfig(
        provider="anthropic", model=MODEL, limit_usd=1000, api_key="k", anthropic_url=model_url
    )
    with Gateway(config) as gateway:
        sys.stdout.write(gateway.base_url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(sys.argv[1])

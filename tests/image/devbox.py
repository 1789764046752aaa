"""Runs devbox/bootstrap.sh in a Debian container, twice, then lints and tests a clone as the developer.

What a container lacks is said at the end. Exit code 0 when all of it worked, 1 with what went wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from local.layout import ROOT, TOOLS
from tests.image import bases
from tests.image.engine import Engine, ImageError, need_programs

if TYPE_CHECKING:
    from collections.abc import Sequence

_BASE = TOOLS / "image" / f"python-{bases.SUITE}.tar"
_NAME = "pullwright-devbox-test"
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_LONGEST_BOOTSTRAP = 300
_console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
_NOT_HERE = (
    "the names of Amazon Linux's packages: dnf",
    "systemd at work: the timer that stops an idle box, whose units are read alone, and Docker's service",
    "Docker's daemon: an image is built by `make image-test`",
    "Session Manager's agent, and whatever asks AWS: its log, its metric",
)
# What a run changes: packages, what is installed, settings, users.
_FINGERPRINT = """
dpkg-query --show
find /opt/pullwright /usr/local /etc /home/developer -xdev -not -path '*/__pycache__*' -not -type d \
  -printf '%p %y %m %u %s %T@ %l\\n' | sort
"""
# Debian's own systemd, which does not run here, knows what a unit may say and whether its program is there.
_UNITS = """
apt-get --quiet=2 install --yes --no-install-recommends systemd >/dev/null
cd /etc/systemd/system && systemd-analyze verify --man=no pullwright-devbox.service pullwright-devbox.timer
"""
# The source is root's, and git reads no repository of somebody else's unless told.
_CHECKS = """
git config --global --add safe.directory '*'
git clone --quiet /source ~/work && cd ~/work && make lint && make test LAYER=unit
"""


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.image.devbox", description=__doc__)
    parser.add_argument("--bootstrap-only", action="store_true", help="leave lint and tests out")
    only = parser.parse_args().bootstrap_only
    try:
        need_programs()
        with Engine.open() as engine:
            _all(engine, checks=not only)
    except ImageError as error:
        sys.stderr.write(f"devbox-test: {error}\n")
        return 1
    for thing in _NOT_HERE:
        _console.print(f"  - not here: {thing}", markup=False)
    return 0


def _all(engine: Engine, *, checks: bool) -> None:
    began = time.monotonic()

    def done(what: str) -> None:
        _console.print(f"  ✓ {what:<78}{time.monotonic() - began:6.0f} s", markup=False)

    if not _BASE.exists():
        bases.bootstrap(engine, _BASE)
    engine.run("podman", "import", "--quiet", _BASE, bases.PYTHON)
    done("Debian's base")
    source = engine.folder / "source"
    engine.run("git", "clone", "--quiet", ROOT, source)
    _check_without_network(engine, source)
    done("bootstrap.sh without a network says what it needs")
    options = [f"--volume={source}:/source:ro", *_options()]
    engine.run("podman", "run", "--detach", f"--name={_NAME}", *options, bases.PYTHON, "sleep", "infinity")
    started = time.monotonic()
    _in(engine, ["/source/devbox/bootstrap.sh"])
    seconds = time.monotonic() - started
    done("bootstrap.sh on a machine that has nothing")
    if seconds > _LONGEST_BOOTSTRAP:
        raise ImageError(f"it took {seconds:.0f} s, and {_LONGEST_BOOTSTRAP} are promised")
    before = _in(engine, ["bash", "-c", _FINGERPRINT])
    _in(engine, ["/source/devbox/bootstrap.sh"])
    after = _in(engine, ["bash", "-c", _FINGERPRINT])
    if before != after:
        changed = sorted(set(before.splitlines()) ^ set(after.splitlines()))
        raise ImageError("the second run changed something:\n" + "\n".join(changed[:20]))
    done("bootstrap.sh again: nothing is changed")
    _check_half_done(engine)
    done("what a run that was cut off has left half done is done again")
    versions = _in(engine, ["cat", "/var/lib/pullwright-devbox/versions"]).splitlines()
    _console.print(f"    {', '.join(versions)}", markup=False)
    _in(engine, ["bash", "-euc", _UNITS])
    done("systemd reads the units without a complaint")
    if checks:
        as_developer = ["runuser", "--user", "developer", "--", "env", "HOME=/home/developer"]
        _in(engine, [*as_developer, "bash", "-c", _CHECKS])
        done("a clone passes `make lint` and `make test LAYER=unit` as the developer")


def _options() -> list[str]:
    options = ["--no-healthcheck", "--network=host", "--env=RETRY_SECONDS=1"]
    if Path(_AUTHORITIES).exists():
        # A machine whose way out is inspected has an authority of its own. It is lent, not copied.
        variables = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
        options += [
            f"--volume={_AUTHORITIES}:/lent.crt:ro",
            *(f"--env={name}=/lent.crt" for name in variables),
        ]
    return options


def _check_without_network(engine: Engine, source: Path) -> None:
    """Expect the set-up's own code and words."""
    options = ["--rm", "--no-healthcheck", "--network=none", "--env=RETRY_SECONDS=0"]
    script = ["bash", "-c", "/source/devbox/bootstrap.sh 2>&1"]
    try:
        engine.run("podman", "run", *options, f"--volume={source}:/source:ro", bases.PYTHON, *script)
    except ImageError as error:
        if "FAILED network with 3" not in str(error) or "needs a way out" not in str(error):
            raise
    else:
        raise ImageError("without a network the set-up went on")


def _check_half_done(engine: Engine) -> None:
    """Break what a power cut would: an environment without its mark, no marker, half a setting."""
    cut = (
        "rm -rf /opt/pullwright/node/.from /opt/pullwright/node/bin /var/lib/pullwright-devbox/ready; "
        ": >/etc/profile.d/pullwright.sh"
    )
    whole = "test -s /etc/profile.d/pullwright.sh && node --version && cat /var/lib/pullwright-devbox/ready"
    for script in (cut, "/source/devbox/bootstrap.sh", whole):
        _in(engine, ["bash", "-c", script])


def _in(engine: Engine, command: Sequence[str]) -> str:
    return engine.run("podman", "exec", _NAME, *command)


if __name__ == "__main__":
    sys.exit(main())

"""Lets a browser, Go and Gradle work in the cage, installing them from Debian where they are missing.

Exit code 0 when each of them worked, in the cage as outside; 1 with what could not be had or went wrong.
Cargo is not among them: Debian's asks for its index over git, which the test's registry does not speak.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from local.layout import ROOT
from tests.container.egress.toolchains import PACKAGES, PROGRAMS
from tests.container.test_egress import SEPARATE
from tests.image.engine import ImageError, install

_SECONDS = 900


def main() -> int:
    """Install, run and print."""
    if os.geteuid() != 0:
        sys.stderr.write("The cage is for a second user, which needs root: run `sudo make cage-test`.\n")
        return 1
    for name, package in PACKAGES.items():
        if shutil.which(PROGRAMS[name]) is None:
            try:
                install([package])
            except ImageError as error:
                sys.stderr.write(f"  ✗ {name}: {error}\n")
    command = [
        *SEPARATE,
        "--kill-child",
        sys.executable,
        "-m",
        "tests.container.egress.work",
        "1",
        "toolchains",
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=_SECONDS)
    found = json.loads(done.stdout)
    failed = False
    for name in PACKAGES:
        for place in ("bare", "caged"):
            [made] = found[name][place] if name in found else [{"code": None, "said": "it is not here"}]
            works = made["code"] == 0
            failed |= not works
            said = f"{made['seconds']:6.1f} s" if works else f"exit code {made['code']}: {made['said']}"
            sys.stdout.write(f"  {'✓' if works else '✗'} {name}, {place:<8}{said}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

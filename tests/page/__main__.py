"""Looks at the pages in headless Chromium, installing it from Debian where it is missing.

Exit code 0 when all checks passed. `--pictures FOLDER` keeps what was seen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from local.layout import ROOT, TOOLS
from tests.image.engine import ImageError, install

BROWSER = "chromium"


def main() -> int:
    """Install what is missing, and run the checks with pytest."""
    if shutil.which(BROWSER) is None:
        if os.geteuid() != 0:
            sys.stderr.write(f"There is no {BROWSER}: install it, or run `sudo make page-test`.\n")
            return 1
        try:
            install([BROWSER])
        except ImageError as error:
            sys.stderr.write(f"page-test: {error}\n")
            return 1
    uv = [str(TOOLS / "tools" / "bin" / "uv"), "sync", "--frozen", "--inexact", "--group", "page", "--quiet"]
    environment = {**os.environ, "VIRTUAL_ENV": str(ROOT / ".venv"), "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(uv, cwd=ROOT, env=environment, check=True)
    checks = ["tests/page/dashboard_checks.py", "tests/page/setup_checks.py"]
    command = [sys.executable, "-m", "pytest", "-p", "tests.page.browser", *checks, *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""`python -m local.lock`, part of `make lock`: the functions need fewer wheels than uv.lock knows."""

import re
import tomllib

from local.layout import ROOT

REQUIREMENTS = ROOT / "functions" / "requirements.txt"
# Lambda is Linux on two processors, and the local stack, which installs the same, runs on Linux and macOS.
_ELSEWHERE = re.compile(
    r"-(win32|win_\w+)\.whl|-pp\d+-|_(i686|armv7l|ppc64le|s390x|riscv64|loongarch64)\.whl"
)
# The wheel for manylinux2014 holds the same and is 0.1 MB smaller; the others run on fewer systems.
_LARGER = re.compile(r"/cryptography-[^/]*-manylinux_2_(28|34)_\w+\.whl")


def unwanted(lock: str) -> set[str]:
    """Return the hashes of wheels that are not for the functions.

    Args:
        lock: content of uv.lock.
    """
    return {
        wheel["hash"]
        for package in tomllib.loads(lock)["package"]
        for wheel in package.get("wheels", ())
        if _ELSEWHERE.search(wheel["url"]) or _LARGER.search(wheel["url"])
    }


def without(requirements: str, hashes: set[str]) -> str:
    """Return requirements without some of their hashes."""
    lines = [
        line for line in requirements.splitlines() if line.strip(" \\").removeprefix("--hash=") not in hashes
    ]
    # A hash goes on with a backslash where another one follows it.
    following = [*(line.startswith("    --hash=") for line in lines[1:]), False]
    return "".join(
        line.rstrip(" \\") + (" \\\n" if continues else "\n")
        for line, continues in zip(lines, following, strict=True)
    )


if __name__ == "__main__":
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    REQUIREMENTS.write_text(
        without(REQUIREMENTS.read_text(encoding="utf-8"), unwanted(lock)), encoding="utf-8"
    )

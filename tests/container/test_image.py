"""The image's recipe, as far as it can be checked without building it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "container/Dockerfile"


def test_hadolint_has_nothing_to_say() -> None:
    """The Dockerfile follows hadolint's rules."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_everything_that_is_copied_reaches_the_builder() -> None:
    """What the Dockerfile copies from the context is there and not ignored."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE.read_text(), re.MULTILINE))
    assert copied == kept
    assert all((ROOT / path).exists() for path in copied)


def test_the_cli_is_the_version_that_was_tested() -> None:
    """Image and local stack install the same version of the CLI, and no other than that one."""
    pinned = re.search(r"CLAUDE_CODE_VERSION=(\S+)", DOCKERFILE.read_text())
    assert pinned is not None
    sources = [path.read_text() for path in (ROOT / "local").rglob("*") if path.suffix in {".py", ".json"}]
    versions = {
        v for text in sources for v in re.findall(r"@anthropic-ai/claude-code\W{1,6}(\d[\d.]*)", text)
    }
    assert versions == {pinned[1]}


def test_every_requirement_is_pinned_by_hash() -> None:
    """The image's packages come from a lock with hashes and without addresses."""
    text = (ROOT / "container/requirements.txt").read_text()
    pinned = re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE)
    assert len(pinned) > 5
    assert text.count("--hash=") >= len(pinned)
    assert "://" not in text

"""The image's recipe, as far as it can be checked without building it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from local.install import CLAUDE_VERSION
from slim import SERVICES, slim

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
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    copied = {source for line in lines for source in line.split()}
    assert copied == kept
    assert all((ROOT / path).exists() for path in copied)


def test_the_cli_comes_from_the_lock_that_the_tests_use() -> None:
    """Image and local stack install one version of the CLI, each package of it with its checksum."""
    packages = json.loads((ROOT / "container/package-lock.json").read_text())["packages"]
    prefix = "node_modules/@anthropic-ai/claude-code"
    for name in (prefix, f"{prefix}-linux-x64", f"{prefix}-linux-arm64"):
        assert packages[name]["version"] == CLAUDE_VERSION
        assert packages[name]["integrity"].startswith("sha512-")
    assert "npm ci " in DOCKERFILE.read_text()
    assert "npm install" not in DOCKERFILE.read_text()


def test_what_is_built_without_a_target_is_the_agents_image() -> None:
    """It is the last stage; that of previews has nothing of the CLI's, and neither is built on the other."""
    stages = DOCKERFILE.read_text().split("\nFROM ")
    assert stages[-1].startswith("base AS agent\n")
    preview = next(stage for stage in stages if stage.partition("\n")[0].endswith(" AS preview"))
    assert preview.startswith("base AS preview\n")
    assert "COPY --from=cli " in stages[-1]
    assert not re.search("--from=cli|claude", preview + next(s for s in stages if " AS base\n" in s))
    assert '"runner.preview"]' in preview


def test_a_target_that_is_none_is_refused() -> None:
    """A misspelt one would else be found out by Docker, after the set-up of its builder."""
    script = ROOT / "container/image.sh"
    done = subprocess.run(
        [script], check=False, capture_output=True, text=True, env={**os.environ, "TARGET": "x"}
    )
    assert (done.returncode, "TARGET=x is not known" in done.stderr) == (1, True)


def test_the_runners_services_keep_their_descriptions(tmp_path: Path) -> None:
    """What the image leaves out of botocore is what no client of the runner needs."""
    data = tmp_path / "botocore/data"
    for name in (*SERVICES, "ec2", "lambda"):
        (data / name).mkdir(parents=True)
    (data / "endpoints.json").touch()
    (tmp_path / "boto3/data").mkdir(parents=True)
    slim(tmp_path)
    assert {path.name for path in data.iterdir()} == {*SERVICES, "endpoints.json"}
    source = "".join(path.read_text() for path in (ROOT / "container/runner").rglob("*.py"))
    assert set(re.findall(r'client\(\s*"([a-z0-9-]+)"', source)) <= SERVICES


def test_without_a_docker_engine_the_remedy_is_said(tmp_path: Path) -> None:
    """`make image` on a machine without Docker says what to do, and that another way exists."""
    for name in ("dirname", "sh"):
        program = shutil.which(name)
        assert program is not None
        (tmp_path / name).symlink_to(program)
    done = subprocess.run(
        [ROOT / "container/image.sh"],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "docker is missing" in done.stderr
    assert "make image-test" in done.stderr


def test_every_requirement_is_pinned_by_hash() -> None:
    """The image's packages come from a lock with hashes and without addresses."""
    text = (ROOT / "container/requirements.txt").read_text()
    pinned = re.findall(r"^[a-z0-9-]+==", text, re.MULTILINE)
    assert len(pinned) > 5
    assert text.count("--hash=") >= len(pinned)
    assert "://" not in text

"""`pullwright deploy --canary` and `canary` on the whole stack, with the real SAM CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from local import model_choice
from local import stack as local_stack
from local.layout import Layout, venv_bin
from pullwright_cli.releasing.aliases import history, live
from tests.integration.conftest import FOLDER, JIRA, ROOT
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.sam import Sam
    from local.sessions import Stack
    from tests.integration.conftest import Repository

BROKEN = "sha256:" + "b" * 64
# What is built and uploaded already is deployed: a build of its own would take a minute.
SHIM = """#!/bin/sh
[ "$1" = deploy ] || exit 0
shift
exec "{sam}" deploy --template-file "{template}" --s3-bucket "{bucket}" --no-resolve-s3 "$@"
"""


@pytest.fixture
def here(stack: Stack) -> Sam:
    """Provide the deployment that stands."""
    local = local_stack.Stack(Layout(FOLDER), model_choice.of_environment(), JIRA)
    return local._sam(stack.described)


@pytest.fixture
def environment(stack: Stack, here: Sam, tmp_path: Path) -> dict[str, str]:
    """Provide variables with which commands reach the stack, and find a SAM CLI that builds nothing."""
    shim = tmp_path / "sam"
    shim.write_text(
        SHIM.format(
            sam=venv_bin("sam") / "sam",
            template=here.build_dir / "packaged.json",
            bucket=f"{here.stack}-deployments",
        )
    )
    shim.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PULLWRIGHT_STACK_NAME": here.stack,
        "AWS_ENDPOINT_URL": stack.described["endpoint_url"],
        "AWS_DEFAULT_REGION": stack.described["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SAM_CLI_TELEMETRY": "0",
    }


@pytest.fixture
def put_back(here: Sam) -> Iterator[None]:
    """Deploy the image by its tag again when the test is over."""
    yield
    replace(here, parameters={**here.parameters, "AgentImageDigest": '""'}).deploy()


def _run(environment: dict[str, str], *arguments: str) -> tuple[int, Any, str]:
    """Return exit code, JSON and standard error of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "pullwright_cli", *arguments, "--json"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


@pytest.mark.usefixtures("put_back")
def test_a_release_whose_image_is_broken_is_taken_back(
    stack: Stack, repository: Repository, environment: dict[str, str]
) -> None:
    """The canary fails as its image cannot be pulled, the release before is live again, and works."""
    parameter = stack.outputs["ReleaseParameter"]
    (before,) = history(stack.client, parameter)[-1:]
    code, _, said = _run(
        environment,
        *("deploy", "--parameter", f"AgentImageDigest={BROKEN}", "--canary", "--repo", repository.name),
    )
    assert code == 74, said
    (broken,) = history(stack.client, parameter)[-1:]
    assert (broken.number, broken.image) == (before.number + 1, BROKEN)
    error = json.loads(said.splitlines()[-1])
    assert error["error"] == "CanaryFailed"
    assert f"Release {before.number} of {before.at} is live again." in error["sentence"]
    assert "image" in error["sentence"]
    assert live(stack.client, before) == before.parts
    code, verdict, said = _run(environment, "canary", "--repo", repository.name)
    assert code == 0, said
    assert matches("CanaryVerdict", verdict)
    assert verdict["succeeded"]
    assert verdict["image_digest"].startswith("sha256:")

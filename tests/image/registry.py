"""The image in the local stack's registry: pushed by buildah, moved by the command, pulled by podman."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from local.emulator import Emulator, runner_images
from local.layout import ROOT, Layout
from local.sam import REGION, client
from local.supervise import end, free_port
from pullwright_cli.imaging.content import content_tag
from tests.image.engine import Engine, ImageError

_STACK = "pullwright-image-test"
_TEMPLATE = """
Parameters:
  Architecture: {Type: String}
  AgentImageTag: {Type: String, Default: latest}
Resources:
  AgentRepository:
    Type: AWS::ECR::Repository
    Properties: {EmptyOnDelete: true}
Outputs:
  AgentRepositoryUri: {Value: !GetAtt AgentRepository.RepositoryUri}
"""
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64"}


class _Registry(NamedTuple):
    """A running engine's registry, and what logs in to it.

    Attributes:
        place: host, port and name of the repository.
        login: file for buildah and podman.
    """

    url: str
    place: str
    login: Path

    def command(self, *words: str) -> Any:
        """Return what `pullwright image` prints as JSON.

        Raises:
            ImageError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "pullwright_cli", "image", *words, "--stack-name", _STACK, "--json"],
            cwd=ROOT,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": self.url,
                "AWS_REGION": REGION,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ImageError(
                f"pullwright image {' '.join(words)} ended with {done.returncode}:\n{done.stderr}"
            )
        return json.loads(done.stdout)


def run(engine: Engine, image: str) -> None:
    """Push the image, point tags to it and back, and pull it into an empty storage.

    Raises:
        ImageError: a step failed, or what came back is another image.
    """
    folder = Path(tempfile.mkdtemp(prefix="pullwright-registry-", dir="/var/tmp"))
    emulator = Emulator(Layout(folder), free_port(), runner_images())
    process = emulator.start()
    try:
        _push_and_pull(engine, image, _deployed(emulator.url, folder))
    finally:
        end([process], seconds=10)
        shutil.rmtree(emulator.layout.shared)
        shutil.rmtree(folder)


def _architecture() -> str:
    return _ARCHITECTURES.get(platform.machine(), "x86_64")


def _deployed(url: str, folder: Path) -> _Registry:
    stacks = client("cloudformation", url)
    parameter = {"ParameterKey": "Architecture", "ParameterValue": _architecture()}
    stacks.create_stack(StackName=_STACK, TemplateBody=_TEMPLATE, Parameters=[parameter])
    stacks.get_waiter("stack_create_complete").wait(StackName=_STACK, WaiterConfig={"Delay": 1})
    [stack] = stacks.describe_stacks(StackName=_STACK)["Stacks"]
    name = stack["Outputs"][0]["OutputValue"].partition("/")[2]
    [grant] = client("ecr", url).get_authorization_token()["authorizationData"]
    host = grant["proxyEndpoint"].partition("//")[2]
    login = folder / "login.json"
    login.touch(mode=0o600)
    login.write_text(json.dumps({"auths": {host: {"auth": grant["authorizationToken"]}}}))
    return _Registry(url, f"{host}/{name}", login)


def _push_and_pull(engine: Engine, image: str, registry: _Registry) -> None:
    way = ("--quiet", "--tls-verify=false", f"--authfile={registry.login}")
    content = content_tag(ROOT, _architecture())
    engine.run(
        *("buildah", "push", *way, "--compression-format", "zstd"),
        image,
        f"docker://{registry.place}:{content}",
    )
    # The content is there, so that nothing is built and no Docker asked.
    pushed = registry.command("push")
    digest = pushed["digest"]
    _expect(not pushed["built"], f"the image that was pushed is not found by its content: {pushed}")
    moved = registry.command("promote", "--yes")
    _expect((moved["digest"], moved["moved"]) == (digest, True), f"it was not promoted: {moved}")
    run = [row["digest"] for row in registry.command("list") if row["is_run"]]
    _expect(run == [digest], f"the stack does not run what was promoted: {run}")
    back = registry.command("rollback", "--yes")
    _expect(back["digest"] == moved["before"], f"the tag did not go back: {back}")
    registry.command("rollback", "--yes")
    with Engine.open() as empty:
        pulled = empty.run("podman", "pull", *way, f"{registry.place}:latest").strip()
    ours = engine.run("podman", "image", "inspect", "--format", "{{.Id}}", image).strip()
    _expect(pulled == ours, f"pulled {pulled}, pushed {ours}")


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - like assert, which -O takes out
    if not holds:
        raise ImageError(f"registry: {otherwise}")

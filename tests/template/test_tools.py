"""What the owners' tools say of the template and the state machine, and what a build makes of it."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from local.certificates import trust
from tests.template.kit import DEFINITION, ROOT, resources

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = ROOT / ".local"
SAM = TOOLS / "venvs" / "sam" / "bin"
ASL_VALIDATOR = TOOLS / "node" / "node_modules" / ".bin" / "asl-validator"
MEGABYTE = 1_000_000


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        # sam finds uv on PATH; a region is needed for its own model of the template only.
        env={
            **os.environ,
            "PATH": f"{SAM}:{os.environ['PATH']}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAM_CLI_TELEMETRY": "0",
            **trust(),
        },
        check=False,
        capture_output=True,
        text=True,
    )


def test_sam_finds_nothing_wrong() -> None:
    """`sam validate --lint` is clean."""
    told = _run(SAM / "sam", "validate", "--lint")
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_asl_validator_finds_nothing_wrong() -> None:
    """The definition is valid, and the same tool refuses one with a way to nowhere."""
    # The tool takes no placeholder inside an ARN.
    text = DEFINITION.read_text(encoding="utf-8").replace("${Partition}", "aws-cn")
    told = _run(ASL_VALIDATOR, "--json-definition", text)
    assert told.returncode == 0, told.stdout + told.stderr
    broken = text.replace('"Next": "RunAgent"', '"Next": "Nowhere"')
    assert _run(ASL_VALIDATOR, "--json-definition", broken).returncode != 0


@pytest.fixture(scope="module", params=["arm64", "x86_64"])
def architecture(request: pytest.FixtureRequest) -> str:
    """Provide each value of the parameter Architecture."""
    return str(request.param)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, architecture: str) -> Path:
    """Provide the functions' package, built for AWS on this machine."""
    build = tmp_path_factory.mktemp("build")
    parameters = ("--parameter-overrides", f"Architecture={architecture}")
    told = _run(SAM / "sam", "build", "--build-dir", build, "--cache-dir", build / "cache", *parameters)
    assert told.returncode == 0, told.stdout + told.stderr
    packages = [one for one in build.iterdir() if one.is_dir() and one.name != "cache"]
    assert len(packages) == 1, "all functions share one build"
    return packages[0]


def test_the_package_is_made_for_aws(package: Path, architecture: str) -> None:
    """Compiled parts are for Python 3.13 on the stack's architecture, whatever this machine is."""
    compiled = {path.name for path in package.rglob("*.so")}
    platforms = {found[1] for name in compiled if (found := re.search(r"\.cpython-(\w+-\w+)-linux", name))}
    assert platforms == {f"313-{'aarch64' if architecture == 'arm64' else 'x86_64'}"}


def test_the_package_holds_the_functions_and_is_small(package: Path) -> None:
    """It has every handler and its requirements, at most 31 MB, and no AWS SDK, which Lambda brings."""
    for function in resources("AWS::Serverless::Function").values():
        module = function["Properties"]["Handler"].rpartition(".")[0]
        assert (package / f"{module.replace('.', '/')}.py").is_file()
    pinned = re.findall(
        r"^([A-Za-z0-9_.-]+)==", (ROOT / "functions" / "requirements.txt").read_text("utf-8"), re.MULTILINE
    )
    shipped = {path.name.partition("-")[0].lower() for path in package.glob("*.dist-info")}
    assert {name.lower().replace("-", "_").replace(".", "_") for name in pinned} >= shipped
    assert {"cryptography", "pydantic", "urllib3"} <= shipped
    assert not shipped & {"boto3", "botocore"}
    assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) <= 31 * MEGABYTE

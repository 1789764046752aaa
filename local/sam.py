"""Building and deploying a template with the SAM CLI, as an operator would, against a local engine."""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local import packages
from local.certificates import trust
from local.layout import venv_bin

REGION = "us-east-1"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - the engine takes any


def client(service: str, endpoint: str) -> Any:
    """Return a boto3 client for the engine."""
    make: Any = boto3.client  # its overloads want the service's name as a literal
    return make(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(
            inject_host_prefix=False,
            # A sweep may take five minutes, and who asks again starts another one.
            read_timeout=330,
            retries={"max_attempts": 3},
            s3={"addressing_style": "path"},
        ),
    )


class SamError(RuntimeError):
    """The SAM CLI failed.

    Args:
        step: `build`, `deploy` or `delete`.
    """

    def __init__(self, step: str, output: str, log: Path) -> None:
        tail = "\n".join(output.strip().splitlines()[-25:])
        super().__init__(f"sam {step} failed; its last words (all of them in {log}):\n{tail}")


@dataclass(frozen=True)
class Sam:
    """One template and where its build goes."""

    template: Path
    build_dir: Path
    log_dir: Path
    endpoint: str
    stack: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def build(self) -> None:
        """Run `sam build`; the wheels are for this machine, by the template's own parameters.

        Raises:
            SamError: it failed.
        """
        self._run(
            "build",
            ["--template-file", str(self.template), "--build-dir", str(self.build_dir), *self._overrides()],
        )

    def deploy(self) -> dict[str, str]:
        """Run `sam deploy`.

        Returns:
            The stack's outputs.

        Raises:
            SamError: it failed.
        """
        bucket = f"{self.stack}-deployments"
        s3 = client("s3", self.endpoint)
        s3.create_bucket(Bucket=bucket)
        template = packages.upload(self.build_dir / "template.yaml", s3, bucket, content_of)
        self._run(
            "deploy",
            [
                *("--template-file", str(template)),
                *("--stack-name", self.stack),
                # A bucket made before: --resolve-s3 would deploy a stack of its own first.
                *("--s3-bucket", bucket),
                *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
                *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
                "--use-json",
                *self._overrides(),
            ],
        )
        stacks = client("cloudformation", self.endpoint).describe_stacks(StackName=self.stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}

    def delete(self) -> None:
        """Run `sam delete`.

        Raises:
            SamError: it failed.
        """
        self._run("delete", ["--stack-name", self.stack, "--no-prompts", "--region", REGION])

    def _overrides(self) -> list[str]:
        if not self.parameters:
            return []
        return ["--parameter-overrides", *(f"{name}={value}" for name, value in self.parameters.items())]

    def _run(self, step: str, arguments: list[str]) -> None:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self.build_dir.mkdir(parents=True, exist_ok=True)
        # The project's own samconfig.toml is for AWS: its sections would be read otherwise.
        config = self.log_dir / "samconfig.toml"
        config.write_text("version = 0.1\n", encoding="utf-8")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))
        }
        environment |= {
            "PATH": f"{venv_bin('sam')}:{environment.get('PATH', '')}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            # sam build downloads with uv.
            **trust(),
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_BETA_UV_PACKAGE_MANAGER": "1",
        }
        command = [str(venv_bin("sam") / "sam"), step, *arguments, "--config-file", str(config)]
        done = subprocess.run(
            command,
            cwd=self.template.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log = self.log_dir / f"sam-{step}.log"
        log.write_text(done.stdout, encoding="utf-8")
        if done.returncode:
            raise SamError(step, done.stdout, log)


def content_of(folder: Path) -> str:
    """Return a hash over what is in a folder, whatever the folder is called."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(folder)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """Return a hash over files and folders, to know whether a build is still current.

    Args:
        paths: files, or folders with everything below them but caches.
    """
    digest = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        content = content_of(path) if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.name}\0{content}".encode())
    return digest.hexdigest()

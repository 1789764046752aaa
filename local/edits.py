"""Makes edited functions and an edited state machine live in a running stack, within seconds.

It does with the APIs of Lambda and Step Functions what a deployment does with CloudFormation: it publishes
versions of the functions and one of the state machine that names them, and moves the aliases. Sessions in
flight end on the versions that they began with.
"""

import compileall
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.layout import ROOT, venv_bin
from local.packages import code_folder
from local.sam import client

ALIAS = "live"
DEFINITION = ROOT / "statemachine" / "agent_session.asl.json"
_NAME = "agent_session.asl.json"
_PACKAGE = Path("functions/pullwright")
_FOLDERS = "hot-reload"
"""The bucket's name by which LocalStack takes code from a folder, so that nothing is zipped and unpacked.

https://docs.localstack.cloud/aws/tooling/lambda-tools/hot-reloading/
"""
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_IMPORT_HANDLERS = """
import importlib, pkgutil
from pullwright import handlers
for found in pkgutil.iter_modules(handlers.__path__, "pullwright.handlers."):
    importlib.import_module(found.name)
"""
_WAIT = {"Delay": 0.1, "MaxAttempts": 300}
_LAST_LINES = 3


class EditError(Exception):
    """Edited code that cannot be made live, so that the version before it stays; the text says why."""


@dataclass(frozen=True)
class Publisher:
    """Publishes to one stack.

    Attributes:
        machine: ARN of the state machine's alias.
        build: the deployment as SAM built it, which has the packages that the functions need.
        folder: gets a copy of the code for each version.
        substitutions: the values of the definition's placeholders.
        source: the checkout.
    """

    endpoint: str
    stack: str
    machine: str
    build: Path
    folder: Path
    substitutions: Mapping[str, str]
    source: Path = ROOT

    def publish_functions(self) -> dict[str, str]:
        """Make the functions' code live, and the state machine that names their versions.

        Returns:
            The values of the definition's placeholders from now on.

        Raises:
            EditError: a handler cannot be imported, or the definition is refused.
        """
        code = self._copy()
        functions = _client("lambda", self.endpoint)

        def publish(name: str) -> str:
            functions.update_function_code(FunctionName=name, S3Bucket=_FOLDERS, S3Key=str(code))
            functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=_WAIT)
            version = functions.publish_version(FunctionName=name)["FunctionArn"]
            functions.get_waiter("function_active_v2").wait(FunctionName=version, WaiterConfig=_WAIT)
            return str(version)

        with ThreadPoolExecutor() as pool:
            # Takes as long as all the rest; what fails it is published and never called.
            checking = pool.submit(_check, code)
            versions = [version.rpartition(":") for version in pool.map(publish, self._names())]
            checking.result()
        latest = {function: f"{function}:{number}" for function, _, number in versions}
        substitutions = {
            name: latest.get(value.rpartition(":")[0], value) for name, value in self.substitutions.items()
        }
        self.publish_machine(substitutions)
        for function, _, number in versions:
            functions.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=number)
        return substitutions

    def publish_machine(self, substitutions: Mapping[str, str] | None = None) -> None:
        """Make the state machine's definition live.

        Args:
            substitutions: the values of its placeholders, where they differ from those of before.

        Raises:
            EditError: it is no JSON, names a placeholder that the stack did not have, or is refused.
        """
        source = self.source / DEFINITION.relative_to(ROOT)
        definition = filled(source.read_text(encoding="utf-8"), substitutions or self.substitutions)
        states = _client("stepfunctions", self.endpoint)
        try:
            version = states.update_state_machine(
                stateMachineArn=self.machine.rpartition(":")[0], definition=definition, publish=True
            )["stateMachineVersionArn"]
        except ClientError as error:
            raise EditError(f"{_NAME}: {error.response['Error']['Message']}") from None
        route = {"stateMachineVersionArn": version, "weight": 100}
        states.update_state_machine_alias(stateMachineAliasArn=self.machine, routingConfiguration=[route])

    def _names(self) -> list[str]:
        resources = _client("cloudformation", self.endpoint).describe_stack_resources(StackName=self.stack)
        return [
            resource["PhysicalResourceId"]
            for resource in resources["StackResources"]
            if resource["ResourceType"] == "AWS::Lambda::Function"
        ]

    def _copy(self) -> Path:
        """Return a folder that holds the code as it is now, and that nothing will change."""
        package = self.source / _PACKAGE
        compileall.compile_dir(package, quiet=2)
        draft = self.folder / uuid.uuid4().hex
        shutil.copytree(self._packages(), draft, copy_function=os.link)
        shutil.copytree(package, draft / package.name)
        return draft

    def _packages(self) -> Path:
        """Return a folder with what SAM built, but for our own code, compiled once for all versions."""
        built = code_folder(self.build / "template.yaml")
        packages = self.folder / f"packages-{built.stat().st_mtime_ns}"
        if not packages.exists():
            draft = packages.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            own = shutil.ignore_patterns(_PACKAGE.name)
            shutil.copytree(
                built,
                draft,
                copy_function=os.link,
                ignore=lambda folder, names: own(folder, names) if Path(folder) == built else set(),
            )
            compileall.compile_dir(draft, quiet=2, workers=0)
            draft.rename(packages)
        return packages


@cache
def _client(service: str, endpoint: str) -> Any:
    """Return a client; making one takes longer than an edit's other calls."""
    return client(service, endpoint)


def _check(code: Path) -> None:
    """Import all handlers.

    Raises:
        EditError: one of them cannot be imported.
    """
    done = subprocess.run(
        [venv_bin("lambda") / "python", "-c", _IMPORT_HANDLERS],
        cwd=code,
        env={"PATH": os.defpath, "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        raise EditError(said.replace(f"{code}/", "functions/"))


def filled(definition: str, substitutions: Mapping[str, str]) -> str:
    """Return a definition with its placeholders filled in, as CloudFormation does.

    Raises:
        EditError: it is no JSON, or one of them is not known.
    """
    unknown = {name for name in _PLACEHOLDER.findall(definition) if name not in substitutions}
    if unknown:
        raise EditError(f"{_NAME}: the stack has no value for {', '.join(sorted(unknown))}: run make up once")
    text = _PLACEHOLDER.sub(lambda found: substitutions[found[1]], definition)
    try:
        json.loads(text)
    except ValueError as error:
        raise EditError(f"{_NAME}: {error}") from None
    return text


def find_substitutions(definition: str, deployed: str) -> dict[str, str]:
    """Return what CloudFormation put in the place of each placeholder.

    Args:
        definition: as it stands in the checkout.
        deployed: what the stack has.

    Raises:
        EditError: the one was not made from the other.
    """
    template, text = (json.dumps(json.loads(written)) for written in (definition, deployed))
    found = re.fullmatch("".join(_pattern(template)), text)
    if found is None:
        raise EditError(f"{_NAME} is not what was deployed: run make up")
    return found.groupdict()


def _pattern(template: str) -> Iterator[str]:
    """Yield the parts of an expression that matches what was made from a template."""
    seen = set[str]()
    end = 0
    for place in _PLACEHOLDER.finditer(template):
        yield re.escape(template[end : place.start()])
        yield f"(?P={place[1]})" if place[1] in seen else f"(?P<{place[1]}>.*?)"
        seen.add(place[1])
        end = place.end()
    yield re.escape(template[end:])

"""What is installed: one lock, and what is exported from it for SAM and the image."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from local.lock import unwanted, without
from tests.template.kit import ROOT

UV = ROOT / ".local" / "tools" / "bin" / "uv"


def _uv(*arguments: str) -> str:
    done = subprocess.run(
        [UV, *arguments, "--offline"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _requirements(text: str) -> str:
    """Leave out the first lines, which name the command."""
    return re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)


def test_the_lock_is_what_the_project_asks_for() -> None:
    """`uv.lock` fits `pyproject.toml`."""
    _uv("lock", "--check")


@pytest.mark.parametrize("folder", ["functions", "container"])
def test_exported_requirements_are_the_locks(folder: str) -> None:
    """`make lock` would write the same requirements, every package of them with its hashes."""
    text = (ROOT / folder / "requirements.txt").read_text(encoding="utf-8")
    command = re.search(r"^#\s+uv (export .*) -o \S+$", text, re.MULTILINE)
    assert command is not None
    exported = _requirements(_uv(*shlex.split(command[1])))
    if folder == "functions":
        exported = without(exported, unwanted((ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert exported == _requirements(text)
    packages = re.findall(r"^(\S+)==.*\\\n(\s+--hash=sha256:)?", text, re.MULTILINE)
    assert {"pydantic", "urllib3"} <= {name for name, _ in packages}
    assert all(hashed for _, hashed in packages)


@pytest.mark.parametrize(
    ("python", "platform"),
    [
        ((3, 13), "manylinux_2_17_x86_64"),
        ((3, 13), "manylinux_2_17_aarch64"),
        ((3, 11), "manylinux_2_17_x86_64"),
        ((3, 12), "macosx_11_0_arm64"),
    ],
)
def test_wheels_are_left_for_lambda_and_for_laptops(python: tuple[int, int], platform: str) -> None:
    """Among the wheels that are left is one of each package, by the tags of PyPA's `packaging`."""
    text = (ROOT / "functions" / "requirements.txt").read_text(encoding="utf-8")
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    fitting = {*cpython_tags(python, platforms=[platform]), *compatible_tags(python, "cp313", [platform])}
    pinned = set(re.findall(r"^(\S+)==", text, re.MULTILINE))
    found = {
        package["name"]
        for package in lock["package"]
        for wheel in package.get("wheels", ())
        if wheel["hash"] in text and fitting & parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]
    }
    assert found == pinned


@pytest.mark.parametrize("folder", ["functions", "container"])
def test_nothing_of_the_command_is_deployed(folder: str) -> None:
    """What only the command line needs is neither in the functions nor in the image."""
    text = (ROOT / folder / "requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"^(typer|rich|shellingham)==", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["github_standin", "jira_standin", "model_standin"])
def test_a_stand_in_can_be_installed_alone(name: str) -> None:
    """A stand-in imports itself and what it declares, nothing of the product and nothing of the launcher."""
    project = tomllib.loads((ROOT / "local" / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {dependency.lower() for dependency in project["dependencies"]}
    # The hook of a push finds the modules beside it.
    known = {name, "rules", "workflow_files", *sys.stdlib_module_names}
    # What is installed from a folder of the checkout does not list its modules.
    provided = {**packages_distributions(), "standin": ["pullwright-standin"]}
    for file in (ROOT / "local" / name / name).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for module in {module.partition(".")[0] for module in modules} - known:
                names = {found.lower().replace("_", "-") for found in provided[module]}
                assert declared & names, f"{file}: {module}"

"""The name and place of a stack, as `samconfig.toml` has them."""

from __future__ import annotations

import shlex
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "samconfig.toml"


class Section(NamedTuple):
    """What a section says of a stack; empty where it is silent.

    Attributes:
        path: of the file that holds it.
    """

    path: Path
    stack: str
    region: str
    profile: str


def read_section(folder: Path, environment: str) -> Section | None:
    """Return a section of the nearest `samconfig.toml`; None without one that names a stack.

    It is looked for in the folder and those above it, up to the root of its git checkout.

    Raises:
        CliError: the file cannot be read.
    """
    path = _find(folder)
    if path is None:
        return None
    document = _read(path)
    # A command's own parameters go before those of all commands:
    # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
    merged = {**_parameters(document, environment, "global"), **_parameters(document, environment, "deploy")}
    values = {name: value for name, value in merged.items() if isinstance(value, str)}
    if not values.get("stack_name"):
        return None
    return Section(path, values["stack_name"], values.get("region", ""), values.get("profile", ""))


def read_overrides(folder: Path, environment: str) -> dict[str, str]:
    """Return the parameters that a section deploys with.

    An option of the command line takes the place of all of them, so that what adds one has to repeat them:
    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html

    Raises:
        CliError: the file cannot be read, or has them in another form than `NAME=VALUE NAME=VALUE`.
    """
    path = _find(folder)
    if path is None:
        return {}
    document = _read(path)
    value = _parameters(document, environment, "deploy").get("parameter_overrides", "")
    words = value if isinstance(value, list) else shlex.split(str(value))
    pairs = [str(word).partition("=") for word in words]
    if isinstance(value, dict) or any(not mark or name == "ParameterKey" for name, mark, _ in pairs):
        raise CliError(
            f"{path}: parameter_overrides of [{environment}.deploy.parameters] is not "
            'of the form "NAME=VALUE NAME=VALUE"; write it so',
            2,
        )
    return {name: text for name, _, text in pairs}


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CliError(
            f"{path} cannot be read: {error}. Mend it, or name the stack with --stack-name", 2
        ) from None


def _find(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        if (place / NAME).is_file():
            return place / NAME
        if (place / ".git").exists():
            return None
    return None


def _parameters(document: dict[str, object], *names: str) -> dict[str, object]:
    found: object = document
    for name in (*names, "parameters"):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}

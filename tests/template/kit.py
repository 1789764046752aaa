"""The template, the state machine and the sam configuration, decoded."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
DEFINITION = ROOT / "statemachine" / "agent_session.asl.json"
EVALUATION = ROOT / "statemachine" / "evaluation.asl.json"
PREVIEW = ROOT / "statemachine" / "preview.asl.json"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)


@cache
def template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template, the main stack's unless another is named."""
    # A loader of our own is needed for the short forms; it builds plain values only.
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    return document


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the resources of one type, by logical id."""
    return {name: one for name, one in template()["Resources"].items() if one["Type"] == kind}


def defaults() -> dict[str, str]:
    """Return the parameters' values where nobody gives any."""
    return {name: str(one["Default"]) for name, one in template()["Parameters"].items()}


def deployed(**parameters: str) -> set[str]:
    """Return the logical ids of what a deployment makes."""
    values = defaults() | parameters
    return {
        name
        for name, one in template()["Resources"].items()
        if "Condition" not in one or is_true({"Condition": one["Condition"]}, values)
    }


def is_true(condition: dict[str, Any], values: dict[str, str]) -> bool:
    """Evaluate a condition, or the function of a rule.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html

    Args:
        values: of parameters and pseudo parameters.
    """
    ((function, operands),) = condition.items()
    match function:
        case "Condition":
            return is_true(template()["Conditions"][operands], values)
        case "Fn::Not" | "Fn::And" | "Fn::Or":
            found = [is_true(one, values) for one in operands]
            return {"Fn::Not": not found[0], "Fn::And": all(found), "Fn::Or": any(found)}[function]
        case "Fn::Equals":
            first, second = (_text(one, values) for one in operands)
            return first == second
        case "Fn::EachMemberIn":
            given = _text(operands[0], values)
            return all(member in operands[1] for member in (given.split(",") if given else []))
        case "Fn::Contains":
            return _text(operands[1], values) in [_text(one, values) for one in operands[0]]
    raise LookupError(function)


def _text(operand: Any, values: dict[str, str]) -> str:
    return str(resolved(operand, values))


def resolved(value: Any, values: dict[str, str]) -> Any:  # noqa: PLR0911 - a case a function
    """Return what a property has in a deployment; entries without a value are left out.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html

    Args:
        values: of parameters and pseudo parameters.
    """
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": name}:
            return values[name]
        case {"Fn::If": [condition, yes, no]}:
            return resolved(yes if is_true({"Condition": condition}, values) else no, values)
        case {"Fn::Select": [index, entries]}:
            return resolved(entries, values)[int(index)]
        case {"Fn::Split": [separator, text]}:
            return resolved(text, values).split(separator)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)
        case dict():
            return {key: resolved(item, values) for key, item in value.items()}
        case list():
            return [item for entry in value if (item := resolved(entry, values)) is not None]
    return value


@cache
def definition(path: Path = DEFINITION) -> dict[str, Any]:
    """Return a state machine, that of sessions unless another is named."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def states(path: Path = DEFINITION) -> dict[str, dict[str, Any]]:
    """Return a state machine's states, those inside of a Map or a Parallel too."""
    found: dict[str, dict[str, Any]] = {}
    machines = [definition(path)]
    while machines:
        found |= machines[-1]["States"]
        inner = machines.pop()["States"].values()
        machines += [state["ItemProcessor"] for state in inner if "ItemProcessor" in state]
        machines += [branch for state in inner for branch in state.get("Branches", [])]
    return found


def tasks(path: Path = DEFINITION) -> dict[str, dict[str, Any]]:
    """Return a state machine's Task states."""
    return {name: state for name, state in states(path).items() if state["Type"] == "Task"}


@cache
def samconfig() -> dict[str, Any]:
    """Return the sam configuration."""
    return tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def listed(value: Any) -> list[Any]:
    """Return a value that may be one or a list, as a list."""
    return value if isinstance(value, list) else [value]


def statements(path: Path = TEMPLATE) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every policy statement but trust policies, with the logical id of what it stands in."""
    for name, resource in template(path)["Resources"].items():
        properties = resource.get("Properties", {})
        policies = [one["Fn::If"][1] if "Fn::If" in one else one for one in properties.get("Policies", [])]
        documents = [policy["PolicyDocument"] for policy in policies]
        if "PolicyDocument" in properties:
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                # It may depend on a condition, as a policy may; what it says is in the first branch.
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def placeholders(path: Path = DEFINITION) -> set[str]:
    """Return the names that a state machine leaves open."""
    return set(re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8")))

"""The state machine as a picture: a Mermaid graph drawn from its definition.

python -m statemachine.graph                    prints it
python -m statemachine.graph --write README.md  puts it between the markers of that file
python -m statemachine.graph --check README.md  exits with 1 if the file shows another one
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINITION = Path(__file__).with_name("agent_session.asl.json")
BEGIN = "<!-- state machine: drawn by `python -m statemachine.graph --write README.md` -->"
END = "<!-- end of state machine -->"
SHAPES = {"Choice": ("{", "}"), "Succeed": ("([", "])"), "Fail": ("([", "])")}


class MarkersMissingError(Exception):
    """A file has no place for the graph: the two markers are not in it, each once and in order."""


def graph(definition: dict[str, Any]) -> str:
    """Draw a definition.

    Args:
        definition: decoded Amazon States Language, without Map states.

    Returns:
        A Mermaid flowchart: solid lines are the way on, dotted ones what an error leads to. A frame
        around its branches is a Parallel state.
    """
    states = definition["States"]
    start = f"    start(( )) --> {definition['StartAt']}"
    return "\n".join(["flowchart TD", start, *_nodes(states, "    "), *_lines(states)])


def _nodes(states: dict[str, Any], indent: str) -> Iterator[str]:
    for name, state in states.items():
        if state["Type"] == "Parallel":
            yield f"{indent}subgraph {name}"
            for branch in state["Branches"]:
                yield from _nodes(branch["States"], f"{indent}    ")
            yield f"{indent}end"
            continue
        before, after = SHAPES.get(state["Type"], ("[", "]"))
        detail = f"<br/><i>{_service(state['Resource'])}</i>" if state["Type"] == "Task" else ""
        yield f'{indent}{name}{before}"{name}{detail}"{after}'


def _lines(states: dict[str, Any]) -> Iterator[str]:
    for name, state in states.items():
        for branch in state.get("Branches", []):
            yield from _lines(branch["States"])
        yield from (f"    {name} {arrow} {target}" for arrow, target in _ways(state))


def _service(resource: str) -> str:
    return resource.rpartition(":::")[2].removeprefix("aws-sdk:")


def _ways(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "Next" in state:
        yield "-->", state["Next"]
    for choice in state.get("Choices", []):
        yield "-->|yes|", choice["Next"]
    if "Default" in state:
        yield "-->|otherwise|" if state.get("Choices") else "-->", state["Default"]
    caught: dict[str, list[str]] = {}
    for catch in state.get("Catch", []):
        caught.setdefault(catch["Next"], []).extend(catch["ErrorEquals"])
    for target, errors in caught.items():
        yield f"-.->|{_errors(errors)}|", target


def _errors(names: list[str]) -> str:
    return "any error" if "States.ALL" in names else ", ".join(names)


def embed(text: str, drawn: str) -> str:
    """Put a graph between a text's markers.

    Args:
        text: Markdown with both markers.
        drawn: what `graph` returned.

    Raises:
        MarkersMissingError: the text has no place for it.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise MarkersMissingError
    return f"{before}{BEGIN}\n\n```mermaid\n{drawn}\n```\n\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Return the command line.

    Returns:
        0, or 1 if a checked file shows another graph or has no place for one.
    """
    parser = argparse.ArgumentParser(
        prog="python -m statemachine.graph", description=__doc__.partition("\n")[0]
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", type=Path, metavar="FILE", help="put the graph into a Markdown file")
    how.add_argument("--check", type=Path, metavar="FILE", help="fail if the file shows another graph")
    given = parser.parse_args(arguments)
    drawn = graph(json.loads(DEFINITION.read_text(encoding="utf-8")))
    file: Path | None = given.write or given.check
    if file is None:
        sys.stdout.write(f"{drawn}\n")
        return 0
    text = file.read_text(encoding="utf-8")
    try:
        embedded = embed(text, drawn)
    except MarkersMissingError:
        sys.stderr.write(f"{file} needs these two lines, once each:\n{BEGIN}\n{END}\n")
        return 1
    if given.write:
        file.write_text(embedded, encoding="utf-8")
    elif embedded != text:
        sys.stderr.write(f"{file} shows another state machine: python -m statemachine.graph --write {file}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

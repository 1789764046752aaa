"""How many sessions an hour one account carries, what binds first, what to raise, and what it costs.

`python -m tests.benchmarks.simulate` prints the study of docs/scaling.md; `--write` puts it there. With
`--sessions-per-hour` it measures these loads instead. `--set fargate_vcpu=24 max_sessions=12` changes the
deployment; every field of `Parameters` has a name there.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from tests.benchmarks.simulation.parameters import Parameters
from tests.benchmarks.simulation.report import Study, loads
from tests.benchmarks.simulation.study import measure

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
BEGIN, END = "<!-- simulation: begin -->\n", "<!-- simulation: end -->\n"


def setting(text: str) -> tuple[str, float]:
    """Read `name=number`.

    Raises:
        argparse.ArgumentTypeError: no such name, or no number.
    """
    name, _, value = text.partition("=")
    if name not in {field.name for field in fields(Parameters)}:
        raise argparse.ArgumentTypeError(f"{name}: no such number; see docs/scaling.md")
    try:
        return name, float(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: not name=number") from error


def plain(value: Any) -> Any:
    """Replace what JSON does not know: endless becomes null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def main(arguments: list[str] | None = None) -> int:
    """Run the study or single loads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions-per-hour", type=float, nargs="+", metavar="N", help="measure these loads")
    parser.add_argument("--set", type=setting, nargs="+", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="draw the picture (.svg or .png)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scaling.md")
    options = parser.parse_args(arguments)
    parameters = replace(Parameters(), **dict(options.set))
    if options.sessions_per_hour:
        measured = [measure(parameters, per_hour, options.seed) for per_hour in options.sessions_per_hour]
        found, text = plain([asdict(load) for load in measured]), loads(measured)
    else:
        study = Study.run(parameters, options.seed)
        found, text = (
            plain(asdict(study)),
            "\n".join([f"**{study.sentence()}**\n", *study.tables(options.seed)]),
        )
        if options.plot:
            study.plot(options.plot)
        if options.write:
            before, _, rest = PAGE.read_text().partition(BEGIN)
            PAGE.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.partition(END)[2])
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if options.json else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""docs/devbox.md: what the box costs, from the template's own parameters, and what the page names."""

from __future__ import annotations

import re

import pytest

from pullwright.errors import error_class
from pullwright_cli import devbox_commands
from tests.template.devbox_kit import DEVBOX, Resolved
from tests.template.kit import ROOT, template

PAGE = (ROOT / "docs" / "devbox.md").read_text(encoding="utf-8")
HOURLY = {"t4g.small": 0.0168, "t3a.small": 0.0188}
GIGABYTE, ADDRESS, ALARM, FIGURE, THOUSAND_FIGURES = 0.08, 0.005, 0.10, 0.30, 0.01
"""US dollars in us-east-1, list prices of November 2026; the page links to where they stand."""
MONTH = 730
MOST = 27


def _month(processor: str, hours: int) -> dict[str, float]:
    machine = Resolved(Architecture=processor).resource("Instance")
    (disk,) = machine["BlockDeviceMappings"]
    return {
        "machine": hours * HOURLY[machine["InstanceType"]],
        "disk": disk["Ebs"]["VolumeSize"] * GIGABYTE,
        "public address": hours * ADDRESS,
        "alarm and figure": ALARM + FIGURE + hours * 12 / 1000 * THOUSAND_FIGURES,
    }


def test_the_page_says_what_it_costs() -> None:
    """Each figure is the template's sizes times the prices, and a month stays below 27 dollars."""
    columns = [_month("arm64", MONTH), _month("x86_64", MONTH), _month("arm64", 200)]
    for name in columns[0]:
        row = re.search(rf"^\| {name} \|.*$", PAGE, re.MULTILINE)
        assert row is not None, name
        cells = [float(cell) for cell in row[0].split("|")[3:6]]
        assert cells == [pytest.approx(column[name], abs=0.006) for column in columns], name
    sums = re.search(r"^\| \*\*sum\*\* .*$", PAGE, re.MULTILINE)
    assert sums is not None
    told = [float(cell) for cell in re.findall(r"\*\*([0-9.]+)\*\*", sums[0])]
    assert told == [pytest.approx(sum(column.values()), abs=0.02) for column in columns]
    assert max(told) <= MOST


def test_the_page_names_what_exists() -> None:
    """Commands, errors, outputs and tests that it names are there, and it shows every command."""
    registered = devbox_commands.app.registered_commands
    commands = {one.name or one.callback.__name__ for one in registered if one.callback}
    assert set(re.findall(r"pullwright devbox ([a-z-]+)", PAGE)) == commands
    for name in re.findall(r"`(DevBox\w+|NoWayOut|OutputMissing|PluginMissing)`", PAGE):
        assert error_class(name) is not None, name
    for path in re.findall(r"`(tests/[\w/.]+)`", PAGE):
        assert (ROOT / path).exists(), path
    assert "PermissionsBoundaryArn" in template(DEVBOX)["Outputs"]

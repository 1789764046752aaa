"""The parameters of what the agent reaches, and the code that reads them."""

from __future__ import annotations

import re

from pullwright.egress import DEFAULT, PRESETS, Domains
from runner.settings import Settings
from tests.template.kit import template

PARAMETERS = template()["Parameters"]


def test_template_and_code_have_the_same_presets_and_defaults() -> None:
    """What a deployment gets without a word is what a task without the variables takes."""
    assert PARAMETERS["EgressDomains"]["Default"] == DEFAULT
    for name, variable in (
        *(("EgressMode", "egress_mode"), ("EgressDomains", "egress_domains")),
        ("EgressMayAdd", "egress_may_add"),
    ):
        assert PARAMETERS[name]["Default"] == Settings.model_fields[variable].default
    for name in ("EgressDomains", "EgressMayAdd"):
        presets = re.search(r"\(([a-z|]+)\|\(\\\*", PARAMETERS[name]["AllowedPattern"])
        assert presets is not None
        assert set(presets[1].split("|")) - {"open", "any", "none"} == PRESETS.keys()
        assert all(preset in PARAMETERS[name]["ConstraintDescription"] for preset in PRESETS)


def test_what_the_template_accepts_the_task_reads() -> None:
    """No value passes the pattern and fails in the task."""
    for text in ("open", "none", DEFAULT, "example.org", "*.example.org,python"):
        assert re.fullmatch(PARAMETERS["EgressDomains"]["AllowedPattern"], text)
        Domains.read(text)

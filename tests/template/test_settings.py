"""The template sets exactly what the functions read."""

from __future__ import annotations

import pytest

from pullwright import settings
from pullwright.jira.settings import Settings as JiraWebhookSettings
from pullwright.webhook.settings import Settings as WebhookSettings
from tests.template.kit import ROOT, resources, template

READ = {
    "WebhookFunction": frozenset(name.upper() for name in WebhookSettings._fields),
    "JiraWebhookFunction": frozenset(name.upper() for name in JiraWebhookSettings._fields),
    "EventsFunction": settings.EventsSettings.names(),
    "OpenPullRequestFunction": settings.OpenPullRequestSettings.names(),
    "ReportOutcomeFunction": settings.ReportOutcomeSettings.names(),
    "ReconcileFunction": settings.ReconcileSettings.names(),
    "PreparePreviewFunction": settings.PreparePreviewSettings.names(),
    "RoutePreviewFunction": settings.RoutePreviewSettings.names(),
    "RemovePreviewFunction": settings.RemovePreviewSettings.names(),
    "BrokerFunction": settings.BrokerSettings.names(),
}
FUNCTIONS = resources("AWS::Serverless::Function")


def test_every_function_is_looked_at() -> None:
    """No function of the template is left out here."""
    assert set(READ) == set(FUNCTIONS)


@pytest.mark.parametrize("name", READ)
def test_a_function_gets_the_settings_that_it_reads(name: str) -> None:
    """Name in the template and in the function's settings are the same."""
    assert set(FUNCTIONS[name]["Properties"]["Environment"]["Variables"]) == READ[name]


def test_all_functions_get_the_settings_of_the_logger() -> None:
    """The logger's and metrics' names are set once for all."""
    assert set(template()["Globals"]["Function"]["Environment"]["Variables"]) == {
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_METRICS_NAMESPACE",
    }


@pytest.mark.parametrize("name", READ)
def test_a_handler_is_where_the_template_says(name: str) -> None:
    """The handler's module is in the package and has that function."""
    module, _, function = FUNCTIONS[name]["Properties"]["Handler"].rpartition(".")
    source = (ROOT / "functions" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert f"def {function}(" in source

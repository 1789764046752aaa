"""`pullwright github setup` with a real browser, against the stand-in's pages, on the local stack."""

from __future__ import annotations

import json
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.commands import command
from tests.integration.conftest import environment, stack
from tests.integration.test_github_setup import as_before
from tests.integration.test_rotation import deliver

if TYPE_CHECKING:
    from local.sessions import Stack

__all__ = ["as_before", "environment", "stack"]


@pytest.mark.usefixtures("as_before")
def test_an_app_is_made_in_a_browser(
    stack: Stack,
    environment: dict[str, str],
    chromium: Any,
    picture: Any,
) -> None:
    """One button here, one on GitHub's page; the browser comes back, and the first webhook verifies."""
    name = f"Wright {uuid.uuid4().hex[:8]}"
    with subprocess.Popen(
        command("github", "setup", "--json", "--org", "acme", "--replace"),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stderr is None:
            raise AssertionError("it is a pipe")
        address = process.stderr.readline().split()[-1]
        page = chromium.new_page()
        blocked: list[str] = []
        page.on(
            "console",
            lambda message: blocked.append(message.text) if "Security Policy" in message.text else None,
        )
        page.goto(address)
        page.click("button, input[type=submit]")
        page.fill("input[name=name]", name)
        picture(page, "github-app")
        page.click("button, input[type=submit]")
        page.wait_for_selector("text=Go back to the terminal")
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    result = json.loads(output)
    assert (result["webhook"], result["slug"]) == ("verified", name.lower().replace(" ", "-"))
    assert blocked == []
    secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["WebhookSecretArn"])
    assert deliver(stack, secret["SecretString"]) == 200

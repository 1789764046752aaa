"""The App is registered, its secrets are replaced, and all is checked, by the command, on the whole stack.

The browser is an HTTP client that submits the forms it is shown and follows redirects.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urljoin

import pytest
import urllib3
from selectolax.lexbor import LexborHTMLParser

from local.app import put
from tests.integration.commands import command, run
from tests.integration.test_rotation import deliver
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.sessions import Stack

HTTP = urllib3.PoolManager(retries=False)
DELIVERIES = 200
PRINTED = """
import os
print(os.environ["GITHUB_APP_ID"], os.environ["SessionsTable"], len(os.environ["GITHUB_APP_PRIVATE_KEY"]))
"""


class Browser:
    """Looks at one page at a time.

    Args:
        fields: what its person types into forms, by the input's name.
    """

    def __init__(self, **fields: str) -> None:
        self._fields = fields
        self.address = ""
        self.text = ""

    def open(self, address: str, method: str = "GET", form: dict[str, str] | None = None) -> None:
        """Open an address and go where it redirects to, by GET as browsers do after a form."""
        if address.startswith("data:"):
            self.address, self.text = address, unquote(address.partition(",")[2])
            return
        body = None if form is None else urlencode(form)
        headers = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            response = HTTP.request(method, address, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError:
            self.address, self.text = address, ""
            return
        self.address, self.text = address, response.data.decode()
        if response.status in (302, 303):
            self.open(urljoin(address, response.headers["location"]))

    def submit(self) -> None:
        """Submit the page's only form."""
        tree = LexborHTMLParser(self.text)
        [form] = tree.css("form")
        given = {it.attributes["name"] or "": it.attributes.get("value") or "" for it in form.css("input")}
        typed = {name: self._fields.get(name, value) for name, value in given.items()}
        self.open(urljoin(self.address, form.attributes["action"] or ""), "POST", typed)


@pytest.fixture
def as_before(stack: Stack) -> Iterator[None]:
    """Put back the App and the secrets of the other tests."""
    manager = stack.client("secretsmanager")
    arns = [stack.outputs["GitHubAppSecretArn"], stack.outputs["WebhookSecretArn"]]
    app, secret = (manager.get_secret_value(SecretId=arn)["SecretString"] for arn in arns)
    described = stack.described
    yield
    for arn, value in zip(arns, (app, secret), strict=True):
        manager.put_secret_value(SecretId=arn, SecretString=value)
    put(
        f"{stack.github_url}/_standin/app",
        {
            "app_id": json.loads(app)["app_id"],
            "slug": "pullwright",
            "public_key_pem": public_half(json.loads(app)["private_key"]),
            "webhook_url": described["webhook_url"],
            "webhook_host": described["webhook_host"],
            "webhook_secret": secret,
        },
    )


def public_half(pem: str) -> str:
    """Return the public key of a private one."""
    command = ["openssl", "rsa", "-pubout"]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout


def set_up(environment: dict[str, str], browser: Browser, *options: str) -> tuple[int, str, str]:
    """Run the setup, have the browser confirm, and return exit code, output and terminal."""
    process = subprocess.Popen(
        command("github", "setup", "--json", *options),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    browser.open(line.split()[-1])
    browser.submit()
    browser.submit()
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, line + errors


@pytest.mark.usefixtures("as_before")
def test_the_app_is_registered_and_its_first_webhook_verifies(
    stack: Stack, environment: dict[str, str]
) -> None:
    """One confirmation in the browser; id, key and secret are in Secrets Manager, not in the terminal."""
    browser = Browser(name=f"Wright {uuid.uuid4().hex[:8]}")
    status, output, terminal = set_up(environment, browser, "--org", "acme", "--replace")
    assert status == 0, terminal
    result: dict[str, Any] = json.loads(output)
    assert result["webhook"] == "verified"
    assert "Go back to the terminal" in browser.text
    manager = stack.client("secretsmanager")
    app = json.loads(manager.get_secret_value(SecretId=stack.outputs["GitHubAppSecretArn"])["SecretString"])
    secret = manager.get_secret_value(SecretId=stack.outputs["WebhookSecretArn"])["SecretString"]
    assert app["app_id"] == str(result["app_id"])
    shown = output + terminal
    assert not [it for it in (secret, app["private_key"].splitlines()[1], "PRIVATE KEY") if it in shown]
    assert deliver(stack, secret) == 200
    again = run(environment, "github", "setup")
    assert (again.returncode, app["app_id"] in again.stderr) == (60, True)
    rotate_under_load(stack, environment, secret)


def rotate_under_load(stack: Stack, environment: dict[str, str], old: str) -> None:
    """Replace the secret while deliveries come in, signed as GitHub would at that moment: none is refused."""
    app = stack.client("secretsmanager")
    arn = stack.outputs["WebhookSecretArn"]
    rotating = threading.Event()

    def rotate() -> subprocess.CompletedProcess[str]:
        try:
            return run(environment, "github", "rotate-secret", "--json")
        finally:
            rotating.set()

    answers: list[int] = []
    with ThreadPoolExecutor(8) as pool:
        rotation = pool.submit(rotate)
        while not rotating.is_set() or len(answers) < DELIVERIES // 2:
            answers += pool.map(lambda _: deliver(stack, old), range(7))
        done = rotation.result()
        assert done.returncode == 0, done.stderr
        assert matches("SecretRotated", json.loads(done.stdout))
        new = app.get_secret_value(SecretId=arn)["SecretString"]
        assert new != old
        assert new not in done.stdout + done.stderr
        answers += pool.map(lambda _: deliver(stack, new), range(DELIVERIES // 2))
    assert len(answers) >= DELIVERIES
    assert set(answers) == {200}


def set_up_elsewhere(environment: dict[str, str], browser: Browser) -> dict[str, Any]:
    """Register an App with a browser on another machine, whose last address is pasted."""
    process = subprocess.Popen(
        command("github", "setup", "--json", "--no-browser", "--replace"),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    address = next(line for line in process.stderr if line.startswith("data:"))
    browser.open(address.strip())
    browser.submit()
    browser.submit()
    assert browser.text == ""
    output, errors = process.communicate(browser.address + "\n", timeout=60)
    assert process.returncode == 0, errors
    assert matches("AppRegistered", json.loads(output))
    return dict(json.loads(output))


@pytest.mark.usefixtures("as_before")
def test_secrets_are_handled_without_being_shown(
    stack: Stack, environment: dict[str, str], tmp_path: Path
) -> None:
    """Set up with a browser elsewhere, the key replaced by itself, values stored, listed and passed on."""
    result = set_up_elsewhere(environment, Browser(name=f"Wright {uuid.uuid4().hex[:8]}"))
    manager = stack.client("secretsmanager")
    app = manager.get_secret_value(SecretId=stack.outputs["GitHubAppSecretArn"])["SecretString"]
    key = json.loads(app)["private_key"]
    file = tmp_path / "key.pem"
    file.write_text(key)
    stored = run(environment, "secrets", "set", "github-app", "--json", text=app)
    refused = run(environment, "secrets", "set", "github-app", text="not that one")
    listed = run(environment, "secrets", "list", "--json")
    rotated = run(environment, "github", "rotate-key", "--key-file", str(file), "--json")
    lost = run(environment, "github", "rotate-key", "--key-file", str(tmp_path / "none.pem"))
    replaced = run(environment, "secrets", "rotate", "webhook", "--json")
    exported = run(
        environment,
        "env",
        "exec",
        "--secret",
        "github-app",
        "--",
        sys.executable,
        *("-c", PRINTED),
    )
    called = (stored, refused, listed, rotated, lost, replaced)
    assert [it.returncode for it in called] == [0, 2, 0, 0, 63, 0], replaced.stderr
    assert "not that one" not in refused.stderr
    schemas = ("SecretStored", "SecretList", "KeyRotated", "SecretRotated")
    for printed, name in zip((stored, listed, rotated, replaced), schemas, strict=True):
        assert matches(name, json.loads(printed.stdout))
    names = {it["name"] for it in json.loads(listed.stdout)}
    assert names == {"github-app", "webhook", "jira", "jira-webhook"}
    table = stack.outputs["SessionsTable"]
    assert exported.stdout.split() == [str(result["app_id"]), table, str(len(key))]
    shown = "".join(it.stdout + it.stderr for it in called)
    assert key.splitlines()[1] not in shown


def doctor(environment: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code and the findings by check."""
    done = run(environment, "doctor", "--json")
    assert done.stdout, done.stderr
    return done.returncode, {it["check"]: it for it in json.loads(done.stdout)["checks"]}


# What the other tests on this stack break on purpose, and the people in Jira's groups, whom they make.
OF_OTHER_TESTS = {"cage", "dead-letters", "deliveries", "granted", "installations", "jira-groups"}


@pytest.mark.usefixtures("as_before", "repository")
def test_a_stack_in_good_order_is_well_and_a_broken_one_is_not(
    stack: Stack, environment: dict[str, str]
) -> None:
    """Each check is ok or says why it could not be made; a key that is none is found, with exit code 64."""
    _, found = doctor(environment)
    assert set(found) >= OF_OTHER_TESTS
    rest = [it for name, it in found.items() if name not in OF_OTHER_TESTS and it["status"] != "ok"]
    assert {it["status"] for it in rest} <= {"warn"}
    assert [
        it for it in rest if it["check"] != "drift" and not it["text"].startswith("Could not be checked")
    ] == []
    assert {it["check"] for it in rest} <= {"drift", "jira-webhook", "model-access", "vcpus"}
    secret = stack.outputs["GitHubAppSecretArn"]
    stack.client("secretsmanager").put_secret_value(SecretId=secret, SecretString="no JSON")
    status, found = doctor(environment)
    assert status == 64
    assert {found["app-secret"]["status"], found["github-app"]["status"]} == {"fail"}
    assert found["permissions"]["text"].startswith("Could not be checked")

"""What functions load, above all the webhook's: it is mostly cold, and compiles all modules anew."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

from pullwright.webhook.settings import Settings
from tests.benchmarks.delivery import ROOT
from tests.unit.webhook_kit import LABEL, MACHINE

START = "import pullwright.handlers.webhook as function"
# FakeAws knows a repository without workers of its own: most of them.
ANSWER = f"""\
{START}
import json
from tests.unit.webhook_kit import FakeAws, headers, payload, url_event
aws = FakeAws()
function.AwsJson = lambda environ: aws.client()
body = json.dumps(payload("issues_labeled"))
assert function.handler(url_event(body, headers(body.encode())), None)["statusCode"] == 202
assert aws.count("StartExecution") == 1
"""
CONNECT = """\
import socket
from pullwright.http_connection import connect
with socket.create_server(("127.0.0.1", 0)) as server:
    connect("localhost", server.getsockname()[1], tls=False, seconds=1.0).close()
"""
ENVIRON = {
    **dict.fromkeys(Settings.names(), "a value"),
    "TRIGGER_LABEL": LABEL,
    "STATE_MACHINE_ARN": MACHINE,
    "ALLOWED_OWNERS": "",
    "JIRA_WEBHOOK_SECRET_ARN": "a value",
    "JIRA_PROJECTS": "SHOP=octo/widgets",
}
SLOW = {
    *("aws_lambda_powertools", "boto3", "botocore", "pydantic", "urllib3"),
    *(
        "asyncio",
        "dataclasses",
        "email",
        "http.client",
        "importlib.resources",
        "inspect",
        "logging",
        "random",
    ),
    *("tempfile", "urllib.parse", "zipfile", "zlib"),
}
OURS = {
    *(
        "",
        ".apps",
        ".aws_json",
        ".aws_transport",
        ".executions",
        ".http_connection",
        ".json_object",
        ".owners",
    ),
    *(".errors", ".errors.base", ".errors.entry", ".sigv4", ".worker_names"),
    *(
        ".handlers",
        ".handlers.webhook",
        ".workers",
        ".workers.builtin",
        ".workers.events",
        ".workers.routing",
    ),
    *(".webhook", ".webhook.answers", ".webhook.decision", ".webhook.delivery", ".webhook.log"),
    *(".webhook.message", ".webhook.payload", ".webhook.request", ".webhook.secret", ".webhook.service"),
    *(".webhook.settings", ".webhook.signature", ".webhook.start", ".webhook.workers"),
}


@cache
def _loaded(code: str) -> frozenset[str]:
    """Return the modules that a process has once it has run some code."""
    done = subprocess.run(
        # Without `site`, which is not the function's and may import what it likes.
        [sys.executable, "-S", "-c", f"{code}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **ENVIRON, "PYTHONPATH": os.pathsep.join((str(ROOT / "functions"), str(ROOT)))},
    )
    return frozenset(done.stdout.splitlines()[-1].split())


def _ours(code: str) -> set[str]:
    return {
        name.removeprefix("pullwright") for name in _loaded(code) if name.partition(".")[0] == "pullwright"
    }


def test_the_function_imports_nothing_slow() -> None:
    """What takes long to import, and a label on AWS needs nothing of, is not in this function's process."""
    assert not SLOW & _loaded(START)


def test_the_function_imports_what_a_label_needs() -> None:
    """Whoever adds a module to these makes every cold start longer, by a millisecond and more."""
    assert _ours(START) == OURS


def test_a_label_is_answered_with_what_is_there() -> None:
    """What people wait for loads none of our modules after the start, in which Lambda gives most CPU."""
    assert _ours(ANSWER) == OURS


def test_a_connection_loads_no_codec() -> None:
    """The resolver gets a host's name as bytes: text needs the codec of international names."""
    assert not {"encodings.idna", "stringprep", "unicodedata"} & _loaded(CONNECT)


JIRA = """\
import pullwright.handlers.jira as function
from tests.unit.jira_delivery_kit import SECRET, encoded, headers, labelled
from tests.unit.webhook_kit import FakeAws, url_event
aws = FakeAws(GetSecretValue=[(200, {"SecretString": SECRET.decode()})])
function.AwsJson = lambda environ: aws.client()
body = encoded(labelled())
assert function.handler(url_event(body.decode(), headers(body)), None)["statusCode"] == 202
assert aws.count("StartExecution") == 1
"""


def test_jira_s_function_loads_little_more() -> None:
    """A label in Jira needs what GitHub's webhook needs and the three modules of its own."""
    assert not SLOW & _loaded("import pullwright.handlers.jira")
    own = {".handlers.jira", ".jira", ".jira.decision", ".jira.service", ".jira.settings"}
    assert _ours(JIRA) - OURS == own


def test_no_function_loads_what_few_invocations_need() -> None:
    """GitHub's renderings are read with an HTML parser, which is loaded when there is one to read."""
    handlers = sorted((ROOT / "functions/pullwright/handlers").glob("[!_]*.py"))
    assert len(handlers) > 8
    code = "\n".join(f"import pullwright.handlers.{file.stem}" for file in handlers)
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "pydantic" in loaded
    assert "justhtml" not in loaded

"""What the runner talks to, answered as far as it needs it."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar

from tests.container.git_cgi import serve_git
from tests.container.git_data import answer_git_data
from tests.container.screenshots import take_screenshot

if TYPE_CHECKING:
    from tests.container.harness import Harness

SESSION = "implement-7-test"
TOKEN = "ghs_madeUpInstallationToken0123456789"
MODEL_KEY = "sk-ant-made-up-for-the-tests"
SECRET_KEY = "made-up-secret-access-key"
PASSWORD = "made-up-password-of-a-database"
TASK_ARN = "arn:aws:ecs:eu-central-1:000000000000:task/agents/0123456789abcdef"


_NETWORK = {"NetworkMode": "awsvpc", "IPv4Addresses": ["127.0.0.1"]}
_METADATA = {"TaskARN": TASK_ARN, "ImageID": "sha256:0123", "Networks": [_NETWORK]}


class Endpoints(BaseHTTPRequestHandler):
    """Routes by path, as far as the runner needs it."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes: the second would wait 40 ms for the first to be confirmed.
    disable_nagle_algorithm = True
    harness: ClassVar[Harness]

    def _route(self) -> None:
        self.harness.first_call = self.harness.first_call or time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        routes = {
            "/git/": self._git,
            "/metadata": lambda _: self._answer(200, _METADATA),
            self.harness.credentials_path: lambda _: self._answer(200, _task_credentials()),
            "/broker": self._broker,
            "/artifacts/": self._s3,
            "/api/v3/": self._github,
            "/v1/messages": self._model,
            "/": self._dynamodb,
        }
        next(answer for prefix, answer in routes.items() if self.path.startswith(prefix))(body)

    def _git(self, body: bytes) -> None:
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        user, _, token = base64.b64decode(encoded).decode().partition(":")
        if (kind, user) != ("Basic", "x-access-token") or not self.harness.takes_token(token):
            self._answer(401, {}, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            if self.command == "POST" and not self.harness.git_answers.is_set():
                (self.harness.folder / "cloning").touch()
                self.harness.git_answers.wait()
            self._send(*serve_git(self.harness.folder, self, body))

    def _model(self, _: bytes) -> None:
        self.harness.model_calls.append(self.path)
        self._answer(200, {"headers": dict(self.headers.items())})

    def _github(self, body: bytes) -> None:
        if not self.harness.takes_token(self.headers.get("Authorization", "").removeprefix("Bearer ")):
            self._answer(401, {"message": "Bad credentials"})
            return
        if "/git/" in self.path:
            self._answer(*answer_git_data(self.harness, self.command, self.path, body))
            return
        if self.harness.comment_status == 200:
            self.harness.comments.append(json.loads(body)["body"])
        self._answer(self.harness.comment_status, {"id": 99, "body": "", "user": {"login": "b", "id": 1}})

    def _broker(self, body: bytes) -> None:
        signed = self.headers.get("Authorization", "")
        if "/lambda/aws4_request" not in signed or "Credential=ASIATASK/" not in signed:
            self._answer(403, {"Message": "Forbidden"})
            return
        status = self.harness.broker_answers.pop(0) if self.harness.broker_answers else 200
        if status != 200:
            self._answer(status, {"error": "SessionClosed", "message": "The session is over."})
            return
        if self.harness.plan and body != b"{}":
            self._answer(*take_screenshot(self.harness, body))
            return
        given = self.harness.grant()
        if self.harness.plan:
            self._answer(
                200,
                {
                    "plan": self.harness.plan,
                    "github_token": given.token,
                    "github_expires_at": given.ends.isoformat(),
                    "variables": {"DATABASE_PASSWORD": PASSWORD},
                },
            )
            return
        grant = {
            "session_id": SESSION,
            "github_token": given.token,
            "github_expires_at": given.ends.isoformat(),
            "aws": {
                "access_key_id": given.access_key_id,
                "secret_access_key": SECRET_KEY,
                "session_token": "made-up-session-token",
                "expires_at": given.ends.isoformat(),
            },
            "model_api_key": MODEL_KEY,
        }
        self._answer(200, grant)

    def _may(self) -> bool:
        """Refuse what is signed with a key that has expired, as AWS does."""
        _, _, scope = self.headers.get("Authorization", "").partition("Credential=")
        if may := self.harness.takes_key(scope.partition("/")[0]):
            return may
        self._answer(403, {"__type": "ExpiredTokenException"})
        return False

    def _s3(self, body: bytes) -> None:
        if not self._may():
            return
        key = self.path.partition("?")[0].removeprefix("/artifacts/")
        if self.command == "PUT":
            self.harness.objects[key] = body
            self._send(200, {"ETag": '"x"'}, b"")
        elif key in self.harness.objects:
            self._send(200, {"ETag": '"x"'}, self.harness.objects[key])
        else:
            self._send(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")

    def _dynamodb(self, body: bytes) -> None:
        if not self._may():
            return
        call: dict[str, Any] = json.loads(body)
        if call["Key"]["pk"]["S"].startswith("GITHUB#"):
            # Nobody else uses the installation: there is room for all.
            self._answer(200, {})
        else:
            self._update_item(call)

    def _update_item(self, call: dict[str, Any]) -> None:
        values = {name: value["S"] for name, value in call["ExpressionAttributeValues"].items()}
        record = self.harness.record
        condition = call["ConditionExpression"]
        is_free = "task_arn" not in record and "attribute_not_exists(task_arn)" in condition
        mine = is_free or record.get("task_arn") == values[":arn"] or "task_arn" not in condition
        is_over = "is_over" in record and "attribute_not_exists(is_over)" in condition
        if is_over or not mine:
            self._answer(400, {"__type": "com.amazonaws.dynamodb#ConditionalCheckFailedException"})
            return
        for assignment in call["UpdateExpression"].removeprefix("SET ").split(", "):
            name, value = assignment.split(" = ")
            record[name] = values[value]
        self._answer(200, {})

    def _answer(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self._send(
            status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(content).encode()
        )

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    do_GET = do_POST = do_PUT = do_PATCH = _route  # noqa: N815 - the names that the base class looks for


def _task_credentials() -> dict[str, str]:
    later = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"AccessKeyId": "ASIATASK", "SecretAccessKey": "made-up", "Token": "made-up", "Expiration": later}

"""The two services that a model can be reached through."""

import json
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from runner.gateway.call import Call, check, decode, max_tokens, no_such_path
from runner.gateway.refusal import Refusal, malformed

ANTHROPIC_URL = "https://api.anthropic.com"

_MESSAGES = "/v1/messages"
_COUNT_TOKENS = "/v1/messages/count_tokens"
# The only query that the CLI sends.
_BETA = "?beta=true"

# What passes from the client to the provider; its own credentials are not among it.
_PASSED_HEADERS = ("accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent")


class Provider(Protocol):
    """How calls of one service look."""

    def read(self, method: str, target: str, body: bytes) -> Call:
        """Check a request of the client.

        Raises:
            Refusal: it may not be forwarded.
        """

    def signed(self, call: Call, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return address and headers with which the call goes to the service.

        Raises:
            Refusal: there are no credentials for it.
        """

    def error(self, refusal: Refusal) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a refusal in the service's shape."""


class Anthropic:
    """The Messages API with a key.

    Args:
        models: ids that may be used.
        api_key: goes into every request, and nowhere else.
        base_url: root of the API.
    """

    def __init__(self, models: tuple[str, ...], api_key: str, base_url: str = ANTHROPIC_URL) -> None:
        self._models = models
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")

    def read(self, method: str, target: str, body: bytes) -> Call:
        """Check a request of the client, see `Provider.read`."""
        # The whole target is compared: it is appended to an address that the key is sent to, and a client may
        # write one that moves the end of the host's name, like `x.example://…`.
        path = target.removesuffix(_BETA)
        if method != "POST" or path not in {_MESSAGES, _COUNT_TOKENS}:
            raise no_such_path(method, path)
        decoded = decode(body)
        model = check(decoded, decoded.get("model"), self._models)
        # Counting tokens is free.
        longest = max_tokens(decoded) if path == _MESSAGES else 0
        return Call(target=target, model=model, body=decoded, max_tokens=longest)

    def signed(self, call: Call, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Add the key, see `Provider.signed`."""
        return self._base_url + call.target, {**_passed(headers), "x-api-key": self._api_key}

    def error(self, refusal: Refusal) -> tuple[bytes, dict[str, str]]:
        """Return the refusal as https://docs.claude.com/en/api/errors describes it."""
        error = {"type": refusal.type, "message": refusal.message}
        return json.dumps({"type": "error", "error": error}).encode(), {}


class Bedrock:
    """The Bedrock runtime, signed with the credentials that botocore finds (the task role's) and renews.

    Args:
        models: ids of models or inference profiles that may be used.
        region: where they are called.
        session: botocore's; a new one by default.
    """

    def __init__(self, models: tuple[str, ...], region: str, session: Session | None = None) -> None:
        self._models = models
        self._region = region
        self._session = session or Session()
        client = self._session.create_client("bedrock-runtime", region_name=region)
        self._base_url = client.meta.endpoint_url.rstrip("/")

    def read(self, method: str, target: str, body: bytes) -> Call:
        """Check a request of the client, see `Provider.read`."""
        path = urlsplit(target).path
        if method == "GET" and path == "/inference-profiles":
            # The CLI asks at its start and is content without an answer.
            raise Refusal(404, "not_found_error", "Inference profiles are not listed here.")
        segments = path.split("/")
        operations = {"invoke", "invoke-with-response-stream"}
        if method != "POST" or segments[:2] != ["", "model"] or segments[3:] not in [[o] for o in operations]:
            raise no_such_path(method, path)
        decoded = decode(body)
        if "model" in decoded or "stream" in decoded:
            raise malformed("Bedrock takes model and stream from the path.")
        model = check(decoded, unquote(segments[2]), self._models)
        target = f"/model/{quote(model, safe='')}/{segments[3]}"
        return Call(target=target, model=model, body=decoded, max_tokens=max_tokens(decoded))

    def signed(self, call: Call, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Sign the call, see `Provider.signed`."""
        try:
            credentials = self._session.get_credentials()
            frozen = credentials and credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise Refusal(503, "api_error", "The task's AWS credentials could not be renewed.") from error
        if frozen is None:
            raise Refusal(503, "api_error", "The runner has no AWS credentials for Bedrock.")
        url = self._base_url + call.target
        request = AWSRequest("POST", url, _passed(headers), call.encoded)
        SigV4Auth(frozen, "bedrock", self._region).add_auth(request)
        return url, dict(request.headers.items())

    def error(self, refusal: Refusal) -> tuple[bytes, dict[str, str]]:
        """Return the refusal as the AWS SDKs expect it."""
        return json.dumps({"message": refusal.message}).encode(), {"x-amzn-errortype": refusal.type}


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    # A compressed answer could not be metered while it passes.
    passed = {name: headers[name] for name in _PASSED_HEADERS if name in headers}
    return {**passed, "accept-encoding": "identity"}

"""The two services that a model can be reached through."""

import json
import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from runner.gateway.call import Call, Route, check, max_tokens, no_such_path
from runner.gateway.features import (
    ANTHROPIC_VERSION,
    BEDROCK_VERSION,
    allowed_betas,
    check_version,
    header_betas,
)
from runner.gateway.json_body import decode, encode
from runner.gateway.prompt import measure
from runner.gateway.refusal import Refusal, forbidden, malformed, shown

ANTHROPIC_URL = "https://api.anthropic.com"

_MESSAGES = "/v1/messages"
_COUNT_TOKENS = "/v1/messages/count_tokens"
# The only query that the CLI sends.
_BETA = "?beta=true"

# The program's name, which the provider's statistics know it by.
_USER_AGENT = re.compile(r"[ -~]{1,200}")


class Provider(Protocol):
    """What is particular to one model service: its addresses, signatures and errors."""

    def route(self, method: str, target: str) -> Route:
        """Find out what a request asks for, before its body is read.

        Raises:
            Refusal: it may not be forwarded.
        """

    def read(self, route: Route, headers: Mapping[str, str], raw: bytes) -> Call:
        """Check a request's headers, in lower case, and its body.

        Raises:
            Refusal: it may not be forwarded.
        """

    def signed(self, call: Call) -> tuple[str, dict[str, str]]:
        """Return address and headers with which the call goes to the service.

        Raises:
            Refusal: there are no credentials for it.
        """

    def error(self, refusal: Refusal) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a refusal in the service's shape."""


class Anthropic:
    """The Messages API with a key.

    Args:
        api_key: goes into every request, and nowhere else.
    """

    def __init__(self, models: tuple[str, ...], api_key: str, base_url: str = ANTHROPIC_URL) -> None:
        self._models = models
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")

    def route(self, method: str, target: str) -> Route:
        """Find out what a request asks for, see `Provider.route`."""
        # The whole target is compared: it is appended to an address that the key is sent to, and a client may
        # write one that moves the end of the host's name, like `x.example://…`.
        path = target.removesuffix(_BETA)
        if method != "POST" or path not in {_MESSAGES, _COUNT_TOKENS}:
            raise no_such_path(method, path)
        # Counting tokens is free.
        return Route(target, answers=path == _MESSAGES)

    def read(self, route: Route, headers: Mapping[str, str], raw: bytes) -> Call:
        """Check a request, see `Provider.read`."""
        version = headers.get("anthropic-version", ANTHROPIC_VERSION)
        check_version("anthropic-version", version, ANTHROPIC_VERSION)
        betas = header_betas(headers)
        body = decode(raw)
        model = check(body, body.get("model"), self._models, ("model", "stream"))
        longest = max_tokens(body) if route.answers else 0
        prompt = measure(body, model, betas)
        passed = {**_passed(headers), "anthropic-version": ANTHROPIC_VERSION}
        if betas:
            passed["anthropic-beta"] = ",".join(betas)
        return Call(route.target, model, passed, encode(body), prompt, longest)

    def signed(self, call: Call) -> tuple[str, dict[str, str]]:
        """Add the key, see `Provider.signed`."""
        return self._base_url + call.target, {**call.headers, "x-api-key": self._api_key}

    def error(self, refusal: Refusal) -> tuple[bytes, dict[str, str]]:
        """Return the refusal as https://docs.claude.com/en/api/errors describes it."""
        error = {"type": refusal.type, "message": refusal.message}
        return json.dumps({"type": "error", "error": error}).encode(), {}


class Bedrock:
    """The Bedrock runtime, signed with the credentials that botocore finds (the task role's) and renews.

    Args:
        models: ids of models or inference profiles that may be used.
        session: botocore's; a new one by default.
    """

    def __init__(self, models: tuple[str, ...], region: str, session: Session | None = None) -> None:
        self._models = models
        self._region = region
        self._session = session or Session()
        client = self._session.create_client("bedrock-runtime", region_name=region)
        self._base_url = client.meta.endpoint_url.rstrip("/")

    def route(self, method: str, target: str) -> Route:
        """Find out what a request asks for, see `Provider.route`."""
        path = target.partition("?")[0]
        if method == "GET" and path == "/inference-profiles":
            # The CLI asks at its start and is content without an answer.
            raise Refusal(404, "not_found_error", "Inference profiles are not listed here.")
        segments = path.split("/")
        operations = {"invoke", "invoke-with-response-stream"}
        if method != "POST" or segments[:2] != ["", "model"] or segments[3:] not in [[o] for o in operations]:
            raise no_such_path(method, path)
        model = unquote(segments[2])
        if model not in self._models:
            raise forbidden(f"This session may not use the model {shown(model)}.")
        return Route(f"/model/{quote(model, safe='')}/{segments[3]}", answers=True, model=model)

    def read(self, route: Route, headers: Mapping[str, str], raw: bytes) -> Call:
        """Check a request, see `Provider.read`."""
        # The CLI sends the header here too, where Bedrock does not look at it.
        header_betas(headers)
        body = decode(raw)
        if "model" in body or "stream" in body:
            raise malformed("Bedrock takes model and stream from the path.")
        model = check(body, route.model, self._models, ("anthropic_beta", "anthropic_version"))
        check_version("anthropic_version", body.get("anthropic_version"), BEDROCK_VERSION)
        betas = body.get("anthropic_beta") or []
        if not isinstance(betas, list):
            raise malformed("anthropic_beta must be a list of strings.")
        allowed_betas(betas)
        longest = max_tokens(body)
        prompt = measure(body, model)
        return Call(route.target, model, _passed(headers), encode(body), prompt, longest)

    def signed(self, call: Call) -> tuple[str, dict[str, str]]:
        """Sign the call, see `Provider.signed`."""
        try:
            credentials = self._session.get_credentials()
            frozen = credentials and credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise Refusal(503, "api_error", "The task's AWS credentials could not be renewed.") from error
        if frozen is None:
            raise Refusal(503, "api_error", "The runner has no AWS credentials for Bedrock.")
        url = self._base_url + call.target
        request = AWSRequest("POST", url, call.headers, call.encoded)
        SigV4Auth(frozen, "bedrock", self._region).add_auth(request)
        return url, dict(request.headers.items())

    def error(self, refusal: Refusal) -> tuple[bytes, dict[str, str]]:
        """Return the refusal as the AWS SDKs expect it."""
        return json.dumps({"message": refusal.message}).encode(), {"x-amzn-errortype": refusal.type}


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    # A compressed answer could not be metered while it passes.
    passed = {"accept": "application/json", "accept-encoding": "identity", "content-type": "application/json"}
    agent = headers.get("user-agent", "")
    return {**passed, "user-agent": agent} if _USER_AGENT.fullmatch(agent) else passed

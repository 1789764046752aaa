"""Function URLs: callers are known, sizes and throttling answer as on AWS, and the address resolves anywhere.

Defects: `AuthType: AWS_IAM` let everybody in and said nothing about the caller; bodies over 6 MB were passed
on; a throttled function answered 500; a JSON body with a character beyond ASCII arrived in base64; and the
address is a host name that only a public DNS server knows, so an address on loopback is handed out instead
(`/_function_url/<id>/`; the host name still works as `Host`).
"""

import base64
import json
import re
from typing import Any
from weakref import WeakKeyDictionary

from localstack import config
from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.http import Response
from localstack.services.lambda_ import provider, urlrouter
from localstack.services.lambda_.invocation.models import lambda_stores

from pullwright_engine.identity import Caller, caller_of, is_signed_by, signature_of

BODY_LIMIT = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

PREFIX = "/_function_url"

_CALLERS: WeakKeyDictionary[Any, Caller] = WeakKeyDictionary()


def answer(status: int, message: str, key: str = "Message") -> Response:
    """Return an answer of the Function URL service itself; no function ran."""
    return Response(json.dumps({key: message}), status, mimetype="application/json")


def without_prefix(path: str) -> str:
    """Return a request's path as the function sees it.

    Args:
        path: with `/_function_url/<id>` or without.
    """
    return re.sub(rf"^{PREFIX}/[^/]+", "", path) or "/"


def authorizer(caller: Caller) -> dict[str, Any]:
    """`requestContext.authorizer` of a signed request.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
    """
    return {
        "iam": {
            "accessKey": caller.key,
            "accountId": caller.account,
            "callerId": caller.user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": caller.arn,
            "userId": caller.user_id,
        }
    }


def _config_of(url_id: str, region: str) -> Any:
    for account in list(lambda_stores):
        for function in list(lambda_stores[account][region].functions.values()):
            for found in function.function_url_configs.values():
                if found.url_id.lower() == url_id.lower():
                    return found
    return None


def _region_of(url_id: str) -> str | None:
    for account in list(lambda_stores):
        for region in list(lambda_stores[account]):
            if _config_of(url_id, region) is not None:
                return str(region)
    return None


def _refusal(request: Any) -> Response | None:
    """Check the signature: return the refusal, or None after remembering the caller."""
    signature = signature_of(request.headers.get("Authorization"))
    caller = caller_of(signature.key) if signature else None
    if signature is None or caller is None:
        return answer(403, "Forbidden")
    if not is_signed_by(
        caller,
        signature,
        method=request.method,
        url=request.url,
        headers=dict(request.headers),
        body=request.get_data(),
    ):
        return answer(
            403,
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret Access Key and signing method. Consult the service documentation for details.",
            key="message",
        )
    _CALLERS[request] = caller
    return None


def _as_text(event: dict[str, Any]) -> None:
    content_type = event["headers"].get("content-type", "").lower()
    if event.get("isBase64Encoded") and any(kind in content_type for kind in ("text", "json", "xml")):
        try:
            event["body"] = base64.b64decode(event["body"]).decode("utf-8")
        except UnicodeDecodeError:
            return
        event["isBase64Encoded"] = False


def _invocation(original: Any) -> Any:
    def handle(self: Any, request: Any, api_id: str, region: str, **parameters: str) -> Response:
        found = _config_of(api_id, region)
        if len(request.get_data()) > BODY_LIMIT:
            return answer(
                413, f"Request must be smaller than {BODY_LIMIT} bytes for the InvokeFunction operation"
            )
        if found is not None and str(found.auth_type) == "AWS_IAM":
            refusal = _refusal(request)
            if refusal is not None:
                return refusal
        try:
            return original(self, request, api_id, region, **parameters)
        except TooManyRequestsException:
            return answer(429, "Rate Exceeded.")

    return handle


def _routes(original: Any) -> Any:
    def register_routes(self: Any) -> None:
        registered = self.registered
        original(self)
        if registered:
            return

        def by_path(request: Any, url_id: str, **_: str) -> Response:
            region = _region_of(url_id)
            if region is None:
                return Response('{"Message":null}', 403, mimetype="application/json")
            found: Response = self.handle_lambda_url_invocation(request, url_id, region)
            return found

        self.router.add(f"{PREFIX}/<url_id>/", endpoint=by_path)
        self.router.add(f"{PREFIX}/<url_id>/<path:path>", endpoint=by_path)

    return register_routes


def _event(original: Any) -> Any:
    def event_for_lambda_url(api_id: str, request: Any) -> dict[str, Any]:
        event: dict[str, Any] = original(api_id, request)
        event["rawPath"] = without_prefix(event["rawPath"])
        event["requestContext"]["http"]["path"] = event["rawPath"]
        _as_text(event)
        caller = _CALLERS.get(request)
        if caller is not None:
            event["requestContext"]["accountId"] = caller.account
            event["requestContext"]["authorizer"] = authorizer(caller)
        return event

    return event_for_lambda_url


def _url_config(original: Any) -> Any:
    def url_config(**values: Any) -> Any:
        port = config.GATEWAY_LISTEN[0].port
        return original(**{**values, "url": f"http://127.0.0.1:{port}{PREFIX}/{values['url_id']}/"})

    return url_config


def apply() -> None:
    """Wrap the router, the event and the address."""
    router = urlrouter.FunctionUrlRouter
    router.handle_lambda_url_invocation = _invocation(router.handle_lambda_url_invocation)
    router.register_routes = _routes(router.register_routes)
    urlrouter.event_for_lambda_url = _event(urlrouter.event_for_lambda_url)
    provider.FunctionUrlConfig = _url_config(provider.FunctionUrlConfig)

"""Who signed a request, and whether the engine is the LocalStack that the patches know."""

from __future__ import annotations

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from pullwright_engine.identity import Caller, is_signed_by, signature_of
from pullwright_engine.selftest import UnknownLocalStackError, check

CALLER = Caller(
    key="ASIA0000000000000001",
    secret="secret",
    token="token",
    account="000000000000",
    arn="arn:aws:sts::000000000000:assumed-role/task/1",
    user_id="AROA:1",
    role="task",
)
URL = "http://127.0.0.1:4000/_function_url/abc/"


def _signed(body: bytes, query: str, secret: str = CALLER.secret) -> AWSRequest:
    request = AWSRequest("POST", URL + query, {"Content-Type": "application/json"}, data=body)
    SigV4Auth(Credentials(CALLER.key, secret, CALLER.token), "lambda", "us-east-1").add_auth(request)
    request.headers["Host"] = "127.0.0.1:4000"
    return request


def _holds(request: AWSRequest, body: bytes) -> bool:
    signature = signature_of(request.headers["Authorization"])
    assert signature is not None
    headers = dict(request.headers.items())
    return is_signed_by(CALLER, signature, method="POST", url=str(request.url), headers=headers, body=body)


@given(body=st.binary(max_size=200), query=st.sampled_from(["", "?a=b", "?b=2&a=1"]))
def test_a_signature_of_botocore_holds(body: bytes, query: str) -> None:
    """Whatever the body, what botocore signs is believed; another body is not."""
    request = _signed(body, query)
    assert _holds(request, body)
    assert not _holds(request, body + b"x")


def test_a_signature_with_another_secret_does_not_hold() -> None:
    """Knowing somebody's key id is not enough."""
    assert not _holds(_signed(b"{}", "", secret="guess"), b"{}")


def test_what_is_no_signature_is_none() -> None:
    """Missing, basic and broken headers are all the same."""
    for header in (None, "", "Basic abc", "AWS4-HMAC-SHA256 Credential=x"):
        assert signature_of(header) is None


def test_the_self_test_names_what_is_missing() -> None:
    """A name that is gone is in the error; one that is there is not."""
    with pytest.raises(UnknownLocalStackError) as caught:
        check([("json", "dumps"), ("json", "no_such_name"), ("no_such_module", "x")])
    assert caught.value.missing == ["json:no_such_name", "no_such_module:x"]

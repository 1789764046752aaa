"""Our signatures are AWS's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pullwright.sigv4 import Credentials, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
token = st.text("ABCDEFGHIJabcdefghij0123456789+/=", min_size=1, max_size=60)
name = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
path = st.lists(st.text(min_size=1, max_size=8).filter(lambda part: part not in {".", ".."}), max_size=3).map(
    lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)
)
# What botocore itself leaves out of a signature, or sets.
UNSIGNED = {
    "expect",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
    "host",
    "authorization",
    "x-amz-date",
}
extra_headers = st.dictionaries(
    st.from_regex(r"[Xx]-[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True).filter(
        lambda text: text.lower() not in UNSIGNED
    ),
    printable,
    max_size=3,
).filter(lambda found: len({text.lower() for text in found}) == len(found))


def of_botocore(
    *, url: str, headers: Mapping[str, str], body: bytes, credentials: Credentials, service: str, region: str
) -> str:
    """Let botocore sign the same request."""
    request = botocore.awsrequest.AWSRequest("POST", url, headers=dict(headers), data=body)
    theirs = botocore.credentials.Credentials(*credentials)
    botocore.auth.SigV4Auth(theirs, service, region).add_auth(request)
    return str(request.headers["Authorization"])


@given(
    credentials=st.builds(Credentials, token, token, st.just("") | token),
    region=name,
    service=name,
    host=st.sampled_from(["states.eu-central-1.amazonaws.com", "127.0.0.1:4566", "[::1]:8080"]),
    path=path,
    headers=extra_headers,
    body=st.binary(max_size=200),
    at=st.integers(0, 4_000_000_000),
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_signatures_equal_botocores(
    monkeypatch: pytest.MonkeyPatch,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    host: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    at: int,
) -> None:
    """Whatever is signed, the header is the one that botocore makes."""
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    ours = sign(
        credentials=credentials,
        region=region,
        service=service,
        host=host,
        path=path,
        headers=headers,
        body=body,
        at=at,
    )
    theirs = of_botocore(
        url=f"http://{host}{path}",
        headers=headers,
        body=body,
        credentials=credentials,
        service=service,
        region=region,
    )
    assert ours["authorization"] == theirs
    assert ours.get("x-amz-security-token", "") == credentials.session_token


def test_credentials_do_not_show_themselves() -> None:
    """A trace that prints credentials shows the key's id only."""
    shown = repr(Credentials("AKIDEXAMPLE", "hidden", "hidden too"))
    assert "AKIDEXAMPLE" in shown
    assert "hidden" not in shown

"""Tools that bring certificates of their own are told of the machine's."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import pytest

from local.certificates import trust

NAMES = ("PIP_CERT", "UV_SYSTEM_CERTS", "NODE_EXTRA_CA_CERTS")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_the_machines_certificates_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that OpenSSL reads, or that SSL_CERT_FILE names, is given to pip, uv and npm."""
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile="/ca.pem"))
    assert trust() == {"PIP_CERT": "/ca.pem", "UV_SYSTEM_CERTS": "1", "NODE_EXTRA_CA_CERTS": "/ca.pem"}


def test_what_the_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is there already is not replaced."""
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile="/ca.pem"))
    monkeypatch.setenv("PIP_CERT", "/own.pem")
    assert set(trust()) == {"UV_SYSTEM_CERTS", "NODE_EXTRA_CA_CERTS"}


def test_without_a_file_the_tools_keep_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a list of certificates does not lose what the tools bring."""
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile=None))
    assert trust() == {}

"""What the proxy passes on: requests, TLS hellos, addresses. No socket is opened."""

from __future__ import annotations

import ssl

import pytest

from runner.egress.hello import NoServerNameError, server_name
from runner.egress.proxy import is_public
from runner.egress.request import RULE, Fetch, Refusal, Tunnel, not_allowed, read_request


def head(line: str, *fields: str) -> bytes:
    """Return a request's head."""
    return "\r\n".join([line, *fields, "", ""]).encode()


def test_a_tunnel_to_a_host_s_tls_port_is_read() -> None:
    """The host's name decides, in lower case."""
    assert read_request(head("CONNECT PyPI.org:443 HTTP/1.1", "Host: evil.example")) == Tunnel("pypi.org")


@pytest.mark.parametrize(
    ("line", "status", "target"),
    [
        ("CONNECT pypi.org:22 HTTP/1.1", 403, "pypi.org:22"),
        ("CONNECT pypi.org:80 HTTP/1.1", 403, "pypi.org:80"),
        ("CONNECT 151.101.0.223:443 HTTP/1.1", 403, "151.101.0.223:443"),
        ("CONNECT 2540044511:443 HTTP/1.1", 403, "2540044511:443"),
        ("CONNECT 0x97.0x65.0.0xdf:443 HTTP/1.1", 403, "0x97.0x65.0.0xdf:443"),
        ("CONNECT [::1]:443 HTTP/1.1", 403, "[::1]:443"),
        ("CONNECT pypi.org HTTP/1.1", 403, "pypi.org"),
        ("CONNECT pypi.org.:443 HTTP/1.1", 403, "pypi.org.:443"),
        ("CONNECT pypi.org:443@evil.example:443 HTTP/1.1", 403, "pypi.org:443"),
        ("GET https://pypi.org/ HTTP/1.1", 403, "pypi.org"),
        ("GET http://pypi.org:8080/ HTTP/1.1", 403, "pypi.org:8080"),
        ("GET http://user@pypi.org/ HTTP/1.1", 403, "user"),
        ("GET http://127.0.0.1/ HTTP/1.1", 403, "127.0.0.1"),
        ("GET /etc/passwd HTTP/1.1", 403, "an unreadable address"),
        ("POST http://pypi.org/ HTTP/1.1", 403, "http://pypi.org"),
        ("PUT http://pypi.org/ HTTP/1.1", 403, "http://pypi.org"),
        ("BREW http://pypi.org/ HTTP/1.1", 403, "http://pypi.org"),
        ("PRI * HTTP/2.0", 400, None),
        ("GET  http://pypi.org/ HTTP/1.1", 400, None),
        ("GET http://pypi.org/ HTTP/1.1\nX: y", 400, None),
    ],
)
def test_what_is_not_allowed_or_not_understood_is_refused(line: str, status: int, target: str | None) -> None:
    """The answer says so in its status line, and what was asked for is counted."""
    with pytest.raises(Refusal) as refusal:
        read_request(head(line))
    assert refusal.value.answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert refusal.value.target == target
    if status == 403:
        assert RULE.encode() in refusal.value.answer.split(b"\r\n")[0]


def test_a_request_without_tls_is_written_anew() -> None:
    """It goes to the host of its address, whatever its fields say, and nothing follows it."""
    fields = ("Host: evil.example", "Accept: */*", "Proxy-Connection: keep-alive", "Upgrade: h2c")
    request = read_request(head("GET http://deb.debian.org/debian?x HTTP/1.1", *fields))
    assert isinstance(request, Fetch)
    assert request.host == "deb.debian.org"
    lines = request.head.split(b"\r\n")
    assert lines == [
        *(b"GET /debian?x HTTP/1.1", b"host: deb.debian.org", b"connection: close", b"Accept: */*", b"", b""),
    ]


@pytest.mark.parametrize(
    "field",
    [
        *("Content-Length: 5", "Transfer-Encoding: chunked", "transfer-encoding : chunked", "X\tY: z"),
        *("Content-Length: 0\rX: y", " folded: x", "no colon", "X: a\0b"),
    ],
)
def test_no_body_and_no_second_request_is_smuggled(field: str) -> None:
    """A field that could make servers see another request refuses the whole."""
    with pytest.raises(Refusal, match=r"expects|understand"):
        read_request(head("GET http://deb.debian.org/ HTTP/1.1", field))


def test_a_refusal_names_rule_domain_and_file() -> None:
    """Tools show the status line, so that everything needed stands in it."""
    line = not_allowed("telemetry.example.com").answer.split(b"\r\n")[0].decode()
    assert line.startswith(
        "HTTP/1.1 403 Pullwright's egress rule: telemetry.example.com is not an allowed domain"
    )
    assert ".pullwright/config.yaml" in line


def hello(name: str | None) -> bytes:
    """Return what OpenSSL's client says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def records(message: bytes, size: int) -> bytes:
    """Return a handshake message in records of a size."""
    parts = [message[start : start + size] for start in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in parts)


def test_the_server_s_name_is_read_from_openssl_s_hello() -> None:
    """However it is cut, into pieces of the stream or into records, it is the same."""
    said = hello("files.PythonHosted.org")
    assert server_name(said) == "files.pythonhosted.org"
    assert [server_name(said[:end]) for end in range(len(said))] == [None] * len(said)
    for size in (1, 7, 100):
        assert server_name(records(said[5:], size)) == "files.pythonhosted.org"


def with_extension(said: bytes, kind: int, content: bytes) -> bytes:
    """Add an extension at the end of a hello."""
    message = said[5:]
    extension = kind.to_bytes(2) + len(content).to_bytes(2) + content
    at = 4 + 34
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2])
    at += 1 + message[at]
    extensions = message[at + 2 :] + extension
    body = message[4:at] + len(extensions).to_bytes(2) + extensions
    return records(message[:1] + len(body).to_bytes(3) + body, 1 << 14)


def test_another_extension_does_not_matter() -> None:
    """The helper of these tests makes hellos that are whole."""
    assert server_name(with_extension(hello("pypi.org"), 0xFAFA, b"x")) == "pypi.org"


@pytest.mark.parametrize(
    "data",
    [
        hello(None),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"\x15\x03\x01\x00\x02\x01\x00",
        with_extension(hello("pypi.org"), 0xFE0D, b"inner"),
        with_extension(hello("pypi.org"), 0, b"\0\x0b\0\0\x08evil.com"),
        records(b"\x01\xff\xff\xff" + bytes(64), 1 << 14),
        records(b"\x01\0\0\x04abcd", 1 << 14),
        records(b"\x02" + hello("pypi.org")[6:], 1 << 14),
    ],
)
def test_what_names_no_server_in_the_clear_is_no_tls_of_ours(data: bytes) -> None:
    """No name, two names, an encrypted hello, another protocol, or a broken message."""
    with pytest.raises(NoServerNameError):
        server_name(data)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("151.101.0.223", True),
        ("2a04:4e42::223", True),
        ("64:ff9b::9765:df", True),
        *((name, False) for name in ("127.0.0.1", "10.0.0.2", "172.31.0.2", "192.168.0.1", "169.254.170.2")),
        *((name, False) for name in ("100.64.0.1", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1")),
        *((name, False) for name in ("::1", "::", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "fec0::1")),
        *((name, False) for name in ("::ffff:151.101.0.223", "2002:a9fe:aa02::", "64:ff9b::a9fe:aa02")),
        *((name, False) for name in ("::151.101.0.223", "2001:0:4136:e378:8000:63bf:3fff:fdd2")),
    ],
)
def test_only_public_addresses_are_connected_to(address: str, *, public: bool) -> None:
    """A name of the internet that leads into the network around the task leads nowhere."""
    assert is_public(address) is public

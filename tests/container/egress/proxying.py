"""What is said to the proxy to get further than the allowed domains: pieces of bytes, in order.

A piece follows when the one before it was answered.
"""

from __future__ import annotations

import ssl
from contextlib import suppress

ALLOWED = "allowed.example.org"


def hello(name: str | None) -> bytes:
    """Return what OpenSSL's client says first to a server of this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def connect(target: str, *fields: str) -> bytes:
    """Return a request for a tunnel."""
    return "\r\n".join([f"CONNECT {target} HTTP/1.1", *fields, "", ""]).encode()


def get(target: str, *fields: str, method: str = "GET") -> bytes:
    """Return a request without TLS."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", *fields, "", ""]).encode()


TUNNEL = connect(f"{ALLOWED}:443")
SERVED: dict[str, list[bytes]] = {
    "tls": [TUNNEL, hello(ALLOWED)],
    "tls in pieces": [TUNNEL + hello(ALLOWED)[:9], hello(ALLOWED)[9:]],
    "tls in capital letters": [connect("Allowed.Example.ORG:443"), hello("ALLOWED.example.org")],
    "tls over IPv6": [connect("six.example.org:443"), hello("six.example.org")],
    "tls where the first address is private": [connect("mixed.example.org:443"), hello("mixed.example.org")],
    "plain http": [get(f"http://{ALLOWED}/")],
    "plain http with another host's field": [get(f"http://{ALLOWED}/", "Host: other.example.org")],
}
"""What is allowed, and reaches the allowed host."""

REFUSED: dict[str, list[bytes]] = {
    "a domain that is not allowed": [connect("other.example.org:443"), hello("other.example.org")],
    "one below an allowed one": [connect(f"www.{ALLOWED}:443"), hello(f"www.{ALLOWED}")],
    "one above an allowed one": [connect("example.org:443"), hello("example.org")],
    "one that ends alike": [connect(f"evil{ALLOWED}:443"), hello(f"evil{ALLOWED}")],
    "one with an allowed one in front": [connect(f"{ALLOWED}.evil.org:443"), hello(f"{ALLOWED}.evil.org")],
    "a name with a dot at its end": [connect(f"{ALLOWED}.:443"), hello(ALLOWED)],
    "an address": [connect("93.184.215.80:443"), hello(ALLOWED)],
    "an address as a number": [connect("1572394832:443"), hello(ALLOWED)],
    "an address in hexadecimal": [connect("0x5db8d750:443"), hello(ALLOWED)],
    "an address in octal": [connect("0135.0270.0327.0120:443"), hello(ALLOWED)],
    "an address of IPv6": [connect("[2606:2800:21f:cb07::80]:443"), hello(ALLOWED)],
    "localhost": [connect("localhost:443"), hello("localhost")],
    "another port": [connect(f"{ALLOWED}:22"), b"SSH-2.0-x\r\n"],
    "plain http's port through a tunnel": [connect(f"{ALLOWED}:80"), get("/")],
    "a port beside 443": [connect(f"{ALLOWED}:8443"), hello(ALLOWED)],
    "a port with zeros in front": [connect(f"{ALLOWED}:0443"), hello(ALLOWED)],
    "no port": [connect(ALLOWED), hello(ALLOWED)],
    "credentials before the host": [connect(f"{ALLOWED}@other.example.org:443"), hello("other.example.org")],
    "a zero byte in the name": [
        b"CONNECT allowed.example.org\0.evil.org:443 HTTP/1.1\r\n\r\n",
        hello(ALLOWED),
    ],
    "a name that leads into the network": [connect("private.example.org:443"), hello("private.example.org")],
    "a name that leads to the metadata": [connect("metadata.example.org:443"), hello("metadata.example.org")],
    "a name that leads to loopback": [connect("loopback.example.org:443"), hello("loopback.example.org")],
    "a name that leads to a mapped address": [connect("mapped.example.org:443"), hello("mapped.example.org")],
    "the same without tls": [get("http://metadata.example.org/latest/")],
    "tls for another server": [TUNNEL, hello("other.example.org")],
    "tls without a server's name": [TUNNEL, hello(None)],
    "no tls in the tunnel": [TUNNEL, get("http://other.example.org/", "Host: other.example.org")],
    "ssh in the tunnel": [TUNNEL, b"SSH-2.0-OpenSSH_9.2\r\n"],
    "tls for another server at once": [TUNNEL + hello("other.example.org")],
    "tls of an age without names": [TUNNEL, b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40)],
    "an encrypted hello": [TUNNEL, hello(ALLOWED).replace(b"\x00\x17\x00\x00", b"\xfe\x0d\x00\x00", 1)],
    "uploading without tls": [get(f"http://{ALLOWED}/", "Content-Length: 6", method="POST") + b"secret"],
    "putting without tls": [get(f"http://{ALLOWED}/", "Content-Length: 6", method="PUT") + b"secret"],
    "a body with a get": [get(f"http://{ALLOWED}/", "Content-Length: 6") + b"secret"],
    "a body in chunks": [
        get(f"http://{ALLOWED}/", "Transfer-Encoding: chunked") + b"6\r\nsecret\r\n0\r\n\r\n"
    ],
    "a length that is hidden": [get(f"http://{ALLOWED}/", "Content-Length : 6") + b"secret"],
    "a folded field": [get(f"http://{ALLOWED}/", "X: y", " Content-Length: 6") + b"secret"],
    "a line end that is none": [b"GET http://allowed.example.org/ HTTP/1.1\nHost: x\n\n"],
    "a lone carriage return": [get(f"http://{ALLOWED}/", "X: y\rContent-Length: 6") + b"secret"],
    "a target without scheme": [get("/", "Host: allowed.example.org")],
    "a target of another scheme": [get(f"ftp://{ALLOWED}/")],
    "https without a tunnel": [get(f"https://{ALLOWED}/")],
    "another port without tls": [get(f"http://{ALLOWED}:8080/")],
    "http/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "an endless head": [b"GET http://allowed.example.org/ HTTP/1.1\r\n" + b"X: y\r\n" * 20_000],
    "a method that is none": [get(f"http://{ALLOWED}/", method="TRACE")],
    "socks": [b"\x05\x01\x00\r\n\r\n"],
}
"""What is refused, and reaches nobody but, at most, the allowed host with nothing in it."""

SECOND = get("http://allowed.example.org/") + get(
    "http://other.example.org/stolen", "Host: other.example.org"
)
"""A second request behind the first: the first one is served, the second is not read."""
MOVED = get("http://allowed.example.org/moved")
"""The answer leads elsewhere: it is passed on, and not followed."""

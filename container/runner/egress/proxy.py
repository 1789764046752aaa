"""The only way out of the cage: `python -m runner.egress.proxy <control> <listener> <settings>`.

Names are resolved here, so that the caged processes need no DNS, and a name that is not allowed is never
looked up. Of what is found only public addresses are connected to, at once: no name is resolved twice.
Through CONNECT goes TLS only, for the server that was named; without TLS, single requests that read.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import sys
import threading
from contextlib import ExitStack, suppress
from typing import Any

from pullwright.egress import Domains
from runner.egress.hello import LONGEST as LONGEST_HELLO
from runner.egress.hello import NoServerNameError, server_name
from runner.egress.identity import NOBODY, drop_to
from runner.egress.request import (
    LONGEST_HEAD,
    PLAIN_PORT,
    RULE,
    TLS_PORT,
    Fetch,
    Refusal,
    Tunnel,
    not_allowed,
    read_request,
)
from runner.egress.tally import Tally

_MOST_CONNECTIONS = 256
_STACK_BYTES = 256 << 10
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 20.0
_IDLE_SECONDS = 600.0
_PIECE = 64 << 10
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Proxy:
    """Serves the clients of one session.

    Attributes:
        domains: whom they may reach.
    """

    def __init__(self, domains: Domains) -> None:
        self.domains = domains
        self.refused = Tally()
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    def serve(self, listener: socket.socket) -> None:
        """Accept connections for good."""
        while True:
            # Who waits for a place waits in the listener's queue.
            self._places.acquire()
            try:
                client, _ = listener.accept()
            except OSError:
                self._places.release()
                continue
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        try:
            with client, suppress(OSError):
                try:
                    self._answer(client)
                except Refusal as refusal:
                    if refusal.target is not None:
                        self.refused.add(refusal.target)
                    client.sendall(refusal.answer)
                    _linger(client)
        finally:
            self._places.release()

    def _answer(self, client: socket.socket) -> None:
        client.settimeout(_HEAD_SECONDS)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head, rest = _read_head(client)
        if not head:
            return
        request = read_request(head)
        if not self.domains.allows(request.host):
            raise not_allowed(request.host)
        with ExitStack() as stack:
            upstream = stack.enter_context(
                _open(request.host, TLS_PORT if isinstance(request, Tunnel) else PLAIN_PORT)
            )
            upstream.settimeout(_IDLE_SECONDS)
            if isinstance(request, Fetch):
                client.settimeout(_IDLE_SECONDS)
                upstream.sendall(request.head)
                _copy(upstream, client)
            else:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._tunnel(client, upstream, rest, request.host)

    def _tunnel(self, client: socket.socket, upstream: socket.socket, hello: bytes, host: str) -> None:
        try:
            while (name := server_name(hello)) is None:
                piece = client.recv(_PIECE)
                if not piece or len(hello) > LONGEST_HELLO:
                    return
                hello += piece
        except NoServerNameError:
            self.refused.add(f"{host} (no TLS that names its server)")
            return
        if name != host:
            self.refused.add(f"{host} (TLS for another server)")
            return
        client.settimeout(_IDLE_SECONDS)
        upstream.sendall(hello)
        back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
        back.start()
        _copy(client, upstream)
        back.join()


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head, empty if the client says nothing, and what came after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > LONGEST_HEAD:
            raise Refusal(431, "The request's head is too long")
        if not (piece := client.recv(_PIECE)):
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _open(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
    except OSError:
        raise Refusal(502, f"The proxy found no address of {host}") from None
    addresses = [(family, place) for family, _, _, _, place in found if is_public(str(place[0]))]
    if not addresses:
        raise Refusal(403, f"{RULE}: {host} has no public address", f"{host} (no public address)")
    for family, place in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(_CONNECT_SECONDS / len(addresses))
        try:
            connection.connect(place)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
        else:
            return connection
    raise Refusal(502, f"The proxy could not reach {host}")


def is_public(name: str) -> bool:
    """Return whether an address belongs to the internet, whatever form it is written in."""
    address = ipaddress.ip_address(name.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass everything on until the source ends, and tell the target that it has."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _linger(client: socket.socket) -> None:
    """Let a client that still sends read its answer before the connection is reset."""
    client.shutdown(socket.SHUT_WR)
    client.settimeout(1.0)
    client.recv(_PIECE)


def _obey(proxy: Proxy, message: dict[str, Any]) -> dict[str, Any]:
    if "domains" in message:
        proxy.domains = Domains(frozenset(message["domains"]), message["everything"])
    return {"refused": proxy.refused.take()} if message.get("take") else {}


def main() -> None:
    """Serve one session, until the runner has ended."""
    control, listener, settings = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    drop_to(NOBODY)
    threading.stack_size(_STACK_BYTES)
    proxy = Proxy(Domains(frozenset(settings["domains"]), settings["everything"]))
    threading.Thread(target=proxy.serve, args=(socket.socket(fileno=listener),), daemon=True).start()
    with socket.socket(fileno=control) as ours, ours.makefile("rb") as lines:
        for line in lines:
            ours.sendall(json.dumps(_obey(proxy, json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main()

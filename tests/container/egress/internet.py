"""The other side of the wire: every address of the internet, a few servers, and a counter of packets.

`python -m tests.container.egress.internet`, in a network namespace that has the interface `wire`. Each line
on standard input is answered by what was seen since the last one, as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time

SERVED = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nserved"
MOVED = b"HTTP/1.1 302 Found\r\nlocation: http://other.example.org/\r\ncontent-length: 0\r\n\r\n"
_SETTLE = 0.02
_PORTS = (443, 80, 53, 8080)
_IPV4, _IPV6 = 0x0800, 0x86DD


class Wire:
    """Every packet that comes from the task's machine."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.bind(("wire", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            frame, (_, _, direction, *_) = self._socket.recvfrom(2048)
            if direction != socket.PACKET_OUTGOING:
                self._seen.append(describe(frame))

    def take(self) -> list[str]:
        """Return what was seen since the last time."""
        time.sleep(_SETTLE)
        taken, self._seen = self._seen, []
        return taken


def describe(frame: bytes) -> str:
    """Return a packet's protocol and where it goes."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == _IPV4:
        protocol, target, rest = frame[23], socket.inet_ntop(socket.AF_INET, frame[30:34]), frame[34:]
    elif kind == _IPV6:
        protocol, target, rest = frame[20], socket.inet_ntop(socket.AF_INET6, frame[38:54]), frame[54:]
    else:
        return f"a frame of type {kind:#06x}"
    names = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}
    if protocol in names:
        return f"{names[protocol]} {target} {int.from_bytes(rest[2:4], 'big')}"
    return f"protocol {protocol} {target}"


def serve(port: int, requests: list[str]) -> None:
    """Answer each connection once, whatever it says."""
    with socket.create_server(
        ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512
    ) as server:
        while True:
            client, _ = server.accept()
            threading.Thread(target=_answer, args=(client, requests), daemon=True).start()


def _answer(client: socket.socket, requests: list[str]) -> None:
    with client:
        client.settimeout(3)
        try:
            received = client.recv(65_536)
            requests.append(received[:400].decode("latin-1"))
            client.sendall(MOVED if b" /moved " in received else SERVED)
        except OSError:
            return


def main() -> None:
    """Answer the other side."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    wire = Wire()
    requests: list[str] = []
    for port in _PORTS:
        threading.Thread(target=serve, args=(port, requests), daemon=True).start()
    while True:
        seen = json.dumps({"packets": wire.take(), "requests": requests})
        # Before it is told: what comes afterwards belongs to the next line.
        requests.clear()
        sys.stdout.write(f"{seen}\n")
        sys.stdout.flush()
        if not sys.stdin.readline():
            return


if __name__ == "__main__":
    main()

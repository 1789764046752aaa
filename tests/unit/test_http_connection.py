"""The webhook's own HTTP: what is sent, and what is read as the standard library's client reads it."""

from __future__ import annotations

import http.client
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.http_connection import Answer, BrokenAnswer, Connection, read_answer

if TYPE_CHECKING:
    import socket

LARGEST = 1 << 20
NAMES = st.text(alphabet="abcXYZ-", min_size=1, max_size=12)
VALUES = st.text(alphabet="abc ,;:=\t", max_size=20).map(str.strip)
BODIES = st.binary(max_size=200)


class FakeSocket:
    """Has an answer, and keeps what was sent.

    Args:
        answer: every byte until the other side closes.
    """

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.sent = b""
        self.seconds = 0.0

    def makefile(self, _mode: str) -> BytesIO:
        """Give what is read."""
        return BytesIO(self._answer)

    def settimeout(self, seconds: float) -> None:
        """Take the time there is."""
        self.seconds = seconds

    def sendall(self, data: bytes) -> None:
        """Take what is sent."""
        self.sent += data


def post(answer: bytes, path: str = "/", **headers: str) -> tuple[Answer, FakeSocket]:
    """Send a POST that is answered in this way."""
    fake = FakeSocket(answer)
    return Connection(cast("socket.socket", fake)).post(path, headers, b"body", 2.5), fake


def theirs(answer: bytes) -> Answer:
    """Read an answer with the standard library."""
    response = http.client.HTTPResponse(cast("socket.socket", FakeSocket(answer)), method="POST")
    response.begin()
    reusable = not response.will_close
    return Answer(response.status, response.read(), reusable)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Generate answers as RFC 9112 allows them: by length, in chunks, until the end, after an interim one."""
    body, status = draw(BODIES), draw(st.sampled_from([200, 200, 204, 304, 400, 413, 500, 503]))
    fields = [f"X-{name}: {value}" for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))]
    framing = draw(st.sampled_from(["length", "chunks", "end"]))
    if status in {204, 304}:
        body = b""
    elif framing == "length":
        fields.append(f"{draw(st.sampled_from(['Content-Length', 'content-length']))}: {len(body)}")
    elif framing == "chunks":
        fields.append(f"Transfer-Encoding: {draw(st.sampled_from(['chunked', 'Chunked']))}")
        body = _chunked(draw, body)
    connection = draw(st.sampled_from(["", "Connection: close", "connection: keep-alive"]))
    fields = [*draw(st.permutations(fields)), *([connection] if connection else [])]
    interim = draw(st.sampled_from(["", "HTTP/1.1 100 Continue\r\n\r\n"]))
    reason = draw(st.sampled_from([" OK", " ", ""]))
    return "\r\n".join((f"{interim}HTTP/1.1 {status}{reason}", *fields, "", "")).encode() + body


def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    chunks = b""
    while body:
        size = draw(st.integers(1, len(body)))
        form = draw(st.sampled_from(["%x", "%X", "0%x", "%x;name=value"]))
        chunks += (form % size).encode() + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]
    return chunks + b"0\r\n" + draw(st.sampled_from([b"", b"X-Checksum: 1\r\n"])) + b"\r\n"


@given(answers())
def test_an_answer_is_read_as_the_standard_library_reads_it(answer: bytes) -> None:
    """Status and body are those that `http.client` reads, and so is whether the connection stays."""
    assert read_answer(BytesIO(answer)) == theirs(answer)


@given(answers(), st.data())
def test_an_answer_that_ends_early_is_no_answer(answer: bytes, data: st.DataObject) -> None:
    """What was cut off is told, unless the end of the connection is what ends the body."""
    cut = answer[: data.draw(st.integers(0, len(answer) - 1))]
    try:
        read = read_answer(BytesIO(cut))
    except (BrokenAnswer, ConnectionResetError):
        return
    assert not read.reusable
    assert b"content-length" not in answer.lower().partition(b"\r\n\r\n")[0]


@given(st.binary(max_size=300), answers(), st.data())
def test_whatever_comes_is_an_answer_or_an_error_of_the_network(
    noise: bytes, answer: bytes, data: st.DataObject
) -> None:
    """No bytes end in another error than those that the caller handles."""
    at = data.draw(st.integers(0, len(answer)))
    for stream in (noise, answer[:at] + noise, answer[:at] + noise + answer[at:]):
        try:
            read_answer(BytesIO(stream))
        except (BrokenAnswer, ConnectionResetError):
            continue


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST + 1) + bytes(LARGEST + 1),
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(LARGEST + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"80000\r\n" + bytes(0x80000) + b"\r\n") * 3
        + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * LARGEST + b"\r\n\r\n",
    ],
)
def test_a_broken_answer_is_none(answer: bytes) -> None:
    """What RFC 9112 forbids, or AWS never sends, is an error of the network."""
    with pytest.raises(BrokenAnswer):
        read_answer(BytesIO(answer))


@pytest.mark.parametrize("size", [LARGEST, 0])
def test_the_largest_answer_is_read(size: int) -> None:
    """The bound is on the far side of what is allowed."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 000%d\r\n\r\n" % size + bytes(size)
    assert read_answer(BytesIO(answer)) == Answer(200, bytes(size), reusable=True)


def test_a_connection_of_an_older_protocol_is_not_used_again() -> None:
    """HTTP/1.0 ends a connection with the answer."""
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    assert read_answer(BytesIO(answer)) == Answer(200, b"{}", reusable=False)


def test_what_is_sent_is_one_request() -> None:
    """Request line, headers with the body's length, and the body go out at once."""
    read, fake = post(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "/path/", host="sqs.example")
    assert read == Answer(200, b"{}", reusable=True)
    assert fake.seconds == 2.5
    head, _, body = fake.sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /path/ HTTP/1.1"
    assert sorted(lines[1:]) == [b"accept-encoding: identity", b"content-length: 4", b"host: sqs.example"]
    assert body == b"body"


@pytest.mark.parametrize("value", ["a\r\nx-other: b", "a\n", "a\r"])
def test_a_header_cannot_add_another(value: str) -> None:
    """A credential with a line break is refused before anything is sent."""
    sent: dict[str, Any] = {"x-amz-security-token": value}
    with pytest.raises(ValueError, match="line break"):
        post(b"", **sent)


def test_nothing_at_all_is_a_closed_connection() -> None:
    """Who closes without an answer may be asked again on another connection."""
    with pytest.raises(ConnectionResetError):
        post(b"")

"""The filter's program, run by a small machine for classic BPF, on both architectures' numbers."""

from __future__ import annotations

import errno
import re
import socket
import struct
from pathlib import Path

import pytest

from runner.egress.addresses import Loopback, RefusedError, UnixSocket, read_address
from runner.egress.kernel import ARCHITECTURES, RETURN_ALLOW, RETURN_ERRNO, RETURN_NOTIFY, Architecture
from runner.egress.program import build, pack
from runner.egress.tally import MOST_NAMES, OTHERS, Tally

X86, ARM = ARCHITECTURES["x86_64"], ARCHITECTURES["aarch64"]
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}

ELF_MACHINES = Path("/usr/include/linux/elf-em.h")


def decide(
    architecture: Architecture,
    call: str | int,
    *arguments: int,
    audit: int | None = None,
    shared: bool = False,
) -> int:
    """Return what the kernel would be told (https://www.kernel.org/doc/Documentation/networking/filter.txt)."""
    number = architecture.calls[call] if isinstance(call, str) else call
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, architecture.audit if audit is None else audit, 0, *padded)
    program = build(architecture, is_shared=shared)
    register, at = 0, 0
    while True:
        code, jump_true, jump_false, operand = program[at]
        at += 1
        if code == 0x20:
            register = struct.unpack_from("=I", data, operand)[0]
        elif code == 0x54:
            register &= operand
        elif code == 0x06:
            return operand
        else:
            holds = {0x15: register == operand, 0x35: register >= operand, 0x45: bool(register & operand)}
            at += jump_true if holds[code] else jump_false


def refused(error: int) -> int:
    """Return the answer that refuses with an error."""
    return RETURN_ERRNO | error


@pytest.mark.parametrize("architecture", [X86, ARM], ids=["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("socket", (socket.AF_INET, socket.SOCK_STREAM), RETURN_NOTIFY),
        ("socket", (socket.AF_INET6, socket.SOCK_DGRAM), RETURN_NOTIFY),
        # The kernel takes an int: what stands above does not make another family of it.
        ("socket", (1 << 32 | socket.AF_INET, socket.SOCK_STREAM), RETURN_NOTIFY),
        ("socket", (socket.AF_UNIX, socket.SOCK_STREAM), RETURN_ALLOW),
        ("socket", (socket.AF_UNIX, socket.SOCK_DGRAM), RETURN_ALLOW),
        ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, 0), RETURN_ALLOW),
        ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, 12), refused(errno.EPROTONOSUPPORT)),
        ("socket", (socket.AF_PACKET, socket.SOCK_RAW), refused(errno.EAFNOSUPPORT)),
        ("socket", (socket.AF_VSOCK, socket.SOCK_STREAM), refused(errno.EAFNOSUPPORT)),
        ("socket", (socket.AF_ALG, socket.SOCK_SEQPACKET), refused(errno.EAFNOSUPPORT)),
        ("socketpair", (socket.AF_UNIX, socket.SOCK_STREAM), RETURN_ALLOW),
        ("socketpair", (socket.AF_INET, socket.SOCK_STREAM), refused(errno.EAFNOSUPPORT)),
        ("connect", (3, 0, 16), RETURN_NOTIFY),
        ("sendto", (3, 0, 1, 0), RETURN_ALLOW),
        ("sendto", (3, 0, 1, 0x20000000), refused(errno.EOPNOTSUPP)),
        ("sendto", (3, 0, 1, 0x20000000, 0x7000), refused(errno.EOPNOTSUPP)),
        ("sendto", (3, 0, 1, 0, 0x7000, 16), RETURN_NOTIFY),
        # An address may be a multiple of 4 GiB.
        ("sendto", (3, 0, 1, 0, 1 << 32, 16), RETURN_NOTIFY),
        ("sendmsg", (3, 0, 0x20000000), refused(errno.EOPNOTSUPP)),
        ("sendmmsg", (3, 0, 1, 0x20000040), refused(errno.EOPNOTSUPP)),
        ("setsockopt", (3, socket.SOL_SOCKET, socket.SO_REUSEADDR), RETURN_ALLOW),
        ("setsockopt", (3, socket.IPPROTO_TCP, socket.TCP_NODELAY), RETURN_ALLOW),
        ("setsockopt", (3, socket.IPPROTO_TCP, 30), refused(errno.EPERM)),
        ("setsockopt", (3, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP), refused(errno.EPERM)),
        ("setsockopt", (3, socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP), refused(errno.EPERM)),
        ("seccomp", (1, 0), RETURN_ALLOW),
        ("seccomp", (1, 8), refused(errno.EBUSY)),
        ("seccomp", (1, 0xC), refused(errno.EBUSY)),
        ("bpf", (), refused(errno.ENOSYS)),
        ("add_key", (), refused(errno.ENOSYS)),
        ("keyctl", (), refused(errno.ENOSYS)),
        ("io_uring_setup", (), refused(errno.ENOSYS)),
        ("io_uring_enter", (), refused(errno.ENOSYS)),
        ("io_uring_register", (), refused(errno.ENOSYS)),
    ],
)
def test_a_call_passes_is_asked_about_or_refused(
    architecture: Architecture, call: str, arguments: tuple[int, ...], answer: int
) -> None:
    """What makes a socket of the internet is asked about, what would lead around the question is refused."""
    assert decide(architecture, call, *arguments) == answer


def test_calls_of_another_architecture_are_refused() -> None:
    """A call that the kernel counts otherwise, i386's or x32's, does not exist."""
    assert decide(X86, 359, audit=0x40000003) == refused(errno.ENOSYS)
    assert decide(ARM, 281, audit=0x40000028) == refused(errno.ENOSYS)
    assert decide(X86, 0x40000000 | 41, socket.AF_INET) == refused(errno.ENOSYS)


def test_where_others_have_sockets_unix_datagrams_are_refused() -> None:
    """Their receiver could not be checked: a name can stand in any message."""
    for call in ("socket", "socketpair"):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC):
            answer = decide(X86, call, socket.AF_UNIX, kind, shared=True)
            assert answer == refused(errno.EPROTONOSUPPORT)
        assert decide(X86, call, socket.AF_UNIX, socket.SOCK_STREAM, shared=True) == RETURN_ALLOW


@pytest.mark.parametrize("name", HEADERS)
def test_the_numbers_are_those_of_the_kernel_s_headers(name: str) -> None:
    """Each call's number is the one in the header that C programs are compiled with."""
    if not HEADERS[name].exists():
        pytest.skip(f"{HEADERS[name]} is not installed (linux-libc-dev)")
    text = HEADERS[name].read_text()
    numbers = dict(re.findall(r"^#define __NR3?(?:_3264)?_?(\w+)\s+(\d+)", text, re.MULTILINE))
    assert {call: int(numbers[call]) for call in ARCHITECTURES[name].calls} == ARCHITECTURES[name].calls


@pytest.mark.parametrize(("name", "machine"), [("x86_64", "EM_X86_64"), ("aarch64", "EM_AARCH64")])
def test_the_architectures_are_named_as_in_the_kernel_s_headers(name: str, machine: str) -> None:
    """`linux/audit.h` makes the name of the ELF machine's number and bits for 64 bits and byte order."""
    if not ELF_MACHINES.exists():
        pytest.skip(f"{ELF_MACHINES} is not installed (linux-libc-dev)")
    found = re.search(rf"^#define {machine}\s+(\d+)", ELF_MACHINES.read_text(), re.MULTILINE)
    assert found is not None
    assert ARCHITECTURES[name].audit == int(found[1]) | 0x80000000 | 0x40000000


def test_the_program_is_short_enough_for_the_kernel() -> None:
    """Jumps reach 255 instructions far, a program has at most 4096."""
    for shared in (True, False):
        program = build(ARM, is_shared=shared)
        assert len(program) < 255
        assert len(pack(program)) == 8 * len(program)


V4 = struct.Struct("=H2s4s8x")
V6 = struct.Struct("=H2s4x16s4x")


def v4(host: str, port: int = 80) -> bytes:
    """Return an IPv4 address as connect(2) takes it."""
    return V4.pack(socket.AF_INET, port.to_bytes(2), socket.inet_aton(host))


def v6(host: str, port: int = 80) -> bytes:
    """Return an IPv6 address as connect(2) takes it."""
    return V6.pack(socket.AF_INET6, port.to_bytes(2), socket.inet_pton(socket.AF_INET6, host))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        *((v4("127.0.0.1"), "127.0.0.1"), (v4("127.9.9.9"), "127.9.9.9"), (v4("0"), "127.0.0.1")),
        *((v6("::1"), "::1"), (v6("::"), "::1"), (v6("::ffff:127.0.0.1"), "127.0.0.1")),
        (v6("::ffff:0.0.0.0"), "127.0.0.1"),
    ],
)
def test_loopback_is_known_in_every_form(address: bytes, host: str) -> None:
    """What the kernel takes for its own machine is."""
    assert read_address(address) == Loopback(host, 80)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        (v4("128.0.0.1"), "128.0.0.1:80"),
        (v4("169.254.170.2"), "169.254.170.2:80"),
        (v4("10.0.0.2", 53), "10.0.0.2:53"),
        (v6("2001:db8::1", 443), "[2001:db8::1]:443"),
        (v6("::ffff:169.254.170.2"), "169.254.170.2:80"),
        (v6("::127.0.0.1"), "[::7f00:1]:80"),
    ],
)
def test_other_addresses_are_refused_by_name(address: bytes, target: str) -> None:
    """Whatever form an address has, people read where it leads."""
    with pytest.raises(RefusedError) as refusal:
        read_address(address)
    assert (refusal.value.errno, refusal.value.target) == (errno.ENETUNREACH, target)


def test_other_families_are_read_or_refused() -> None:
    """Dissolving a connection and Unix sockets are known; what is cut short is no address."""
    assert read_address(bytes(16)) is None
    assert read_address(struct.pack("=H", socket.AF_UNIX) + b"/run/x\0junk") == UnixSocket(b"/run/x")
    assert read_address(struct.pack("=H", socket.AF_UNIX) + b"\0name").is_abstract  # type: ignore[union-attr]
    for broken in (
        v4("127.0.0.1")[:8],
        v6("::1")[:20],
        struct.pack("=H", socket.AF_UNIX),
        b"\x28\0" + bytes(14),
    ):
        with pytest.raises(OSError, match="Invalid argument"):
            read_address(broken)


def test_a_flood_of_names_is_counted_as_others() -> None:
    """What is counted one by one has a limit."""
    tally = Tally()
    for number in range(MOST_NAMES + 50):
        tally.add(f"host-{number}.example.org")
    taken = tally.take()
    assert (len(taken), taken[OTHERS], tally.take()) == (MOST_NAMES + 1, 50, {})

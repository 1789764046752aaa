"""A task's machine and the internet behind one wire, in network namespaces of their own.

`python -m tests.container.egress.world <mode>`, as root in a namespace for network and mounts. It makes all
attempts, one after the other, and prints as JSON what came of each, and which packets were on the wire.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.egress.cage import Cage
from runner.egress.control import Service
from runner.user import User
from tests.container.egress import attempts, proxying

if TYPE_CHECKING:
    from collections.abc import Iterable

UID = 2_000_000_000 + os.getpid() % 1_000_000
PUBLIC, PUBLIC_V6 = "93.184.215.14", "2606:2800:21f:cb07::14"
ALLOWED, ALLOWED_V6 = "93.184.215.80", "2606:2800:21f:cb07::80"
OWN, OWN_V6, ROUTER, ROUTER_V6 = "10.99.0.5", "fd99::5", "10.99.0.1", "fd99::1"
HOSTS = {
    "allowed.example.org": [ALLOWED],
    "six.example.org": [ALLOWED_V6],
    "other.example.org": [PUBLIC],
    "private.example.org": [ROUTER],
    "metadata.example.org": ["169.254.170.2"],
    "loopback.example.org": ["127.0.0.1"],
    "mapped.example.org": ["::ffff:169.254.170.2"],
    "mixed.example.org": [ROUTER, ALLOWED],
}
NAMES = HOSTS.keys() - {"other.example.org"}
SECONDS = 10
_QUIET = ("accept_dad", "dad_transmits", "router_solicitations", "accept_ra", "autoconf")
_HERE, _THERE = "02:00:00:00:00:05", "02:00:00:00:00:01"


@dataclass
class World:
    """The two machines, and who acts on the first.

    Attributes:
        folder: which everybody may enter.
    """

    internet: subprocess.Popen[str]
    folder: Path

    def take(self) -> dict[str, list[str]]:
        """Return packets and requests since the last time."""
        assert self.internet.stdin is not None
        assert self.internet.stdout is not None
        self.internet.stdin.write("\n")
        self.internet.stdin.flush()
        seen: dict[str, list[str]] = json.loads(self.internet.stdout.readline())
        return seen

    def settle(self) -> None:
        """Wait until nothing is on the wire but silence: interfaces that come up announce themselves."""
        quiet = 0
        while quiet < 5:
            time.sleep(0.2)
            quiet = 0 if self.take()["packets"] else quiet + 1


def nsenter(world: World) -> tuple[str, ...]:
    """Return what starts a program on the other side."""
    return ("nsenter", "--net", f"--target={world.internet.pid}")


def build(stack: ExitStack, *, serves: bool = True) -> World:
    """Build both sides.

    Args:
        serves: the other side has servers, which count.
    """
    for where in ("all", "default"):
        for setting in _QUIET:
            Path(f"/proc/sys/net/ipv6/conf/{where}/{setting}").write_text("0")
    Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{UID} {UID}")
    command = ["unshare", "--net", sys.executable, "-m", "tests.container.egress.internet"]
    internet = stack.enter_context(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    stack.callback(internet.kill)
    assert internet.stdout is not None
    assert internet.stdout.readline() == "ready\n"
    world = World(internet, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="world-"))))
    there = nsenter(world)
    _run("ip link set lo up")
    _run(f"ip link add eth0 address {_HERE} type veth peer name wire address {_THERE} netns {internet.pid}")
    for where in ("all", "default"):
        for setting in _QUIET:
            _run(f"sysctl -q -w net.ipv6.conf.{where}.{setting}=0", *there)
    _run("ip link set lo up", *there)
    for address in (ROUTER, PUBLIC, ALLOWED, "169.254.170.2", "169.254.169.254"):
        _run(f"ip address add {address}/32 dev wire", *there)
    for address in (ROUTER_V6, PUBLIC_V6, ALLOWED_V6):
        _run(f"ip address add {address}/128 dev wire nodad", *there)
    _run("ip link set wire up", *there)
    for place in (f"{OWN} dev wire", f"{OWN_V6} dev wire"):
        _run(f"ip route add {place}", *there)
        _run(f"ip neigh replace {place} lladdr {_HERE} nud permanent", *there)
    _run(f"ip address add {OWN}/24 dev eth0")
    _run(f"ip address add {OWN_V6}/64 dev eth0 nodad")
    _run("ip link set eth0 up")
    for router in (ROUTER, ROUTER_V6):
        _run(f"ip neigh replace {router} dev eth0 lladdr {_THERE} nud permanent")
        _run(f"ip route add default via {router} dev eth0")
    world.folder.chmod(0o755)
    hosts = world.folder / "hosts"
    hosts.write_text("".join(f"{place} {name}\n" for name, places in HOSTS.items() for place in places))
    _run(f"mount --bind {hosts} /etc/hosts")
    resolver = world.folder / "resolv.conf"
    # Nobody answers there, and nobody is waited for.
    resolver.write_text("nameserver 127.0.0.1\n")
    _run(f"mount --bind {resolver} /etc/resolv.conf")
    if serves:
        world.take()
        world.settle()
    return world


def _run(command: str, *prefix: str) -> None:
    subprocess.run([*prefix, *command.split()], check=True)


def places(stack: ExitStack, world: World, processes: Iterable[int]) -> dict[str, Any]:
    """Open root's servers, and return where everything is."""
    server = stack.enter_context(
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
    )
    datagrams = _echo(stack, socket.AF_INET6, "::", 0)
    one_address = _echo(stack, socket.AF_INET, "127.0.0.7", 0)
    _echo(stack, socket.AF_INET, "127.0.0.53", 53)
    stack.enter_context(socket.create_server(("127.0.0.53", 53)))
    abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0world-{os.getpid()}")
    abstract.listen(64)
    named = stack.enter_context(socket.socket(socket.AF_UNIX))
    named.bind(str(world.folder / "socket"))
    named.listen(64)
    messages = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    messages.bind(str(world.folder / "messages"))
    for name in ("socket", "messages"):
        (world.folder / name).chmod(0o666)
    device = socket.if_nametoindex("eth0")
    return {
        "public": PUBLIC,
        "public6": PUBLIC_V6,
        "own": OWN,
        "own6": OWN_V6,
        "router": ROUTER,
        "device": device,
        "device_in_network_order": socket.htonl(device),
        "root_tcp": server.getsockname()[1],
        "root_udp": datagrams,
        "root_udp_at_one_address": one_address,
        "abstract": f"world-{os.getpid()}",
        "unix": str(world.folder / "socket"),
        "unix_datagrams": str(world.folder / "messages"),
        "processes": list(processes),
    }


def _echo(stack: ExitStack, family: int, host: str, port: int) -> int:
    """Answer each datagram with itself, and return the port."""
    server = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
    server.bind((host, port))

    def serve() -> None:
        with suppress(OSError):
            while True:
                server.sendto(*server.recvfrom(65_536))

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


class Agent:
    """A process of the agent's user, which makes attempts."""

    def __init__(self, world: World, user: User, around: dict[str, Any]) -> None:
        self._world = world
        python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
        program = f"import sys; sys.path[:0] = [{str(world.folder)!r}]; from attempts.run import main; main()"
        command = [python, "-I", "-S", "-c", program, json.dumps(around)]
        self._process = user.start(
            user.command(command),
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def make(self, name: str, seconds: int = SECONDS) -> dict[str, Any]:
        """Make one attempt, and return its exit code, what it said, and the packets."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name} {seconds}\n".encode())
        self._process.stdin.flush()
        code, said = json.loads(self._process.stdout.readline())
        return {"code": code, "said": said, "packets": self._world.take()["packets"]}

    def make_all(self) -> dict[str, Any]:
        """Make every attempt."""
        return {name: self.make(name) for name in attempts.ATTEMPTS}

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def ask(port: int, pieces: list[bytes]) -> bytes:
    """Say something to the proxy, piece by piece, and return all that it answers."""
    answered = b""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as client, suppress(OSError):
        for number, piece in enumerate(pieces):
            client.sendall(piece)
            if number + 1 < len(pieces):
                client.settimeout(0.3)
                with suppress(TimeoutError):
                    answered += client.recv(65_536)
                client.settimeout(2)
        client.shutdown(socket.SHUT_WR)
        while data := client.recv(65_536):
            answered += data
    return answered


def through_proxy(world: World, port: int, proxy: Service) -> dict[str, Any]:
    """Say everything to the proxy."""
    lists = {**proxying.SERVED, **proxying.REFUSED, "second": [proxying.SECOND], "moved": [proxying.MOVED]}
    found = {}
    for name, pieces in lists.items():
        answer = ask(port, pieces)
        found[name] = {"answer": answer.decode("latin-1")[-400:], **world.take()}
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    found["beside 200 that say nothing"] = {
        "answer": ask(port, proxying.SERVED["plain http"]).decode("latin-1"),
        **world.take(),
    }
    for one in silent:
        one.close()
    return {"talks": found, "refused": proxy.ask(take=True)["refused"]}


def main() -> None:
    """Make all attempts in one mode: `bare`, `checked` or `exact`."""
    mode = sys.argv[1]
    with ExitStack() as stack:
        world = build(stack)
        shutil.copytree(Path(attempts.__file__).parent, world.folder / "attempts")
        result: dict[str, Any] = {}
        if mode == "bare":
            around = places(stack, world, [os.getpid()])
            agent = Agent(world, User(UID), around)
            stack.callback(agent.end)
            result["attempts"] = agent.make_all()
        else:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
            port = listener.getsockname()[1]
            settings = json.dumps({"domains": sorted(NAMES), "everything": False})
            proxy = Service("runner.egress.proxy", listener.fileno(), settings, pass_fds=[listener.fileno()])
            stack.callback(proxy.close)
            is_exact = mode == "exact"
            cage = Cage(UID, [port], is_shared=is_exact, is_exact=is_exact)
            stack.callback(cage.close)
            supervisor = cage._supervisor._process.pid
            user = User(UID, start=cage.start)
            around = places(stack, world, [supervisor, proxy._process.pid, os.getpid()])
            agent = Agent(world, user, around)
            stack.callback(agent.end)
            result["attempts"] = agent.make_all()
            result["refused"] = cage.take_refused()
            result["proxy"] = through_proxy(world, port, proxy)
            # The proxy's connections end a moment later; what they send then is no attempt's.
            world.settle()
            os.kill(supervisor, signal.SIGSTOP)
            result["stopped"] = {name: agent.make(name, 1) for name in ("tcp_to_public", "udp_to_public")}
            os.kill(supervisor, signal.SIGCONT)
            result["again"] = agent.make("MUST_own_server")
            os.kill(supervisor, signal.SIGKILL)
            time.sleep(0.1)
            names = ("tcp_to_public", "udp_to_public", "a_listener_of_one_s_own", "MUST_own_server")
            result["ended"] = {name: agent.make(name) for name in names}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()

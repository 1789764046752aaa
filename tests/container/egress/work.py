"""Real tools at work, bare and in the cage, in turns: `python -m tests.container.egress.work <rounds>`.

With `toolchains` as second argument, those of `toolchains.py` instead. Prints as JSON, by tool and place,
exit codes, what they said, and seconds.
"""

from __future__ import annotations

import ensurepip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pullwright.egress import Domains
from runner.egress.cage import Cage
from runner.egress.control import Service
from runner.egress.tools import proxy_variables
from runner.user import User
from tests.container.egress import registry, toolchains
from tests.container.egress.world import ALLOWED, UID, World, build, nsenter

_SUITE = """\
import http.server, threading, unittest, urllib.request
class Test(unittest.TestCase):
    def test_own_server(self):
        server = http.server.ThreadingHTTPServer(("localhost", 0), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for host in ("localhost", "127.0.0.1"):
            with urllib.request.urlopen(f"http://{host}:{server.server_port}/") as answer:
                self.assertEqual(answer.status, 200)
        server.shutdown()
unittest.main()
"""
_NODE_SUITE = """\
import http from 'node:http';
const server = http.createServer((_, answer) => answer.end('own'));
server.listen(0, 'localhost', async () => {
  const said = await (await fetch(`http://localhost:${server.address().port}/`)).text();
  server.close();
  process.exit(said === 'own' ? 0 : 1);
});
"""
_JAVA = """\
import java.io.*; import java.net.*;
public class Work {
  public static void main(String[] given) throws Exception {
    ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("localhost"));
    try (Socket client = new Socket("localhost", server.getLocalPort()); Socket served = server.accept()) {
      served.getOutputStream().write(7);
      if (client.getInputStream().read() != 7) System.exit(1);
    }
    // As Gradle's processes ask each other for locks.
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (DatagramSocket owner = new DatagramSocket(0, loopback); DatagramSocket asks = new DatagramSocket()) {
      owner.setSoTimeout(5000);
      asks.setSoTimeout(5000);
      asks.send(new DatagramPacket(new byte[] {7}, 1, loopback, owner.getLocalPort()));
      DatagramPacket packet = new DatagramPacket(new byte[8], 8);
      owner.receive(packet);
      owner.send(new DatagramPacket(packet.getData(), 1, packet.getSocketAddress()));
      asks.receive(packet);
      if (packet.getData()[0] != 7) System.exit(3);
    }
    URL url = new URL("http://repo.maven.apache.org/lock.json");
    try (InputStream in = url.openStream()) { if (in.readAllBytes().length < 10) System.exit(2); }
  }
}
"""


def commands(folder: Path) -> dict[str, str]:
    """Return the tools' commands, each in an empty folder; only what is on this machine."""
    wheel = next(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    pip = shutil.copy(wheel, folder)
    names = " ".join(registry.package(number) for number in range(registry.COUNT))
    found = {
        "pip install": f"python3 {pip}/pip install -q --no-cache-dir --target got {names}",
        "npm ci": (
            f"cp {folder}/package.json . && cp {folder}/lock.json package-lock.json "
            # Its Node may take no authority but its own: whose certificate it is does not matter here.
            "&& npm ci --no-audit --no-fund --strict-ssl=false"
        ),
        "git clone": "git clone -q https://github.com/acme/shop.git",
        "curl": "curl -sSf https://files.pythonhosted.org/lock.json -o lock.json",
        "a suite of Python's with its own server": f"python3 {folder}/suite.py",
        "a suite of Node's with its own server": f"node {folder}/suite.mjs",
        "Java": f"java {folder}/Work.java",
    }
    manifest = {"name": "work", "dependencies": {registry.package(n): "1.0.0" for n in range(registry.COUNT)}}
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "suite.py").write_text(_SUITE)
    (folder / "suite.mjs").write_text(_NODE_SUITE)
    (folder / "Work.java").write_text(_JAVA)
    needed = {"npm ci": "npm", "Java": "javac", "a suite of Node's with its own server": "node"}
    return {
        name: command for name, command in found.items() if shutil.which(needed.get(name, "sh"), path=_PATH)
    }


_SECONDS = 100
_AUTHORITY_VARIABLES = (
    *("SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"),
)
_PATH = "/usr/local/bin:/usr/bin:/bin"


def run(user: User, command: str, authority: Path, extra: dict[str, str]) -> dict[str, Any]:
    """Run a tool in an empty home, and return how it went."""
    home = Path(tempfile.mkdtemp(prefix="work-"))
    os.chown(home, UID, UID)
    environment = {
        "PATH": _PATH,
        "HOME": str(home),
        **dict.fromkeys(
            ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"), str(authority)
        ),
        "CURL_CA_BUNDLE": str(authority),
        "PIP_CONFIG_FILE": "/dev/null",
        **extra,
    }
    began = time.monotonic()
    process = user.start(
        user.command(["sh", "-c", command]),
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    seconds = time.monotonic() - began
    shutil.rmtree(home, ignore_errors=True)
    return {"code": process.returncode, "said": said.decode(errors="replace")[-800:], "seconds": seconds}


def _serve(stack: ExitStack, world: World) -> None:
    """Start the registries behind the wire, in the place of the servers that only count."""
    hosts = world.folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ALLOWED} {name}\n" for name in registry.NAMES))
    registry.make(world.folder)
    command = [*nsenter(world), sys.executable, "-m", "tests.container.egress.registry", str(world.folder)]
    server = stack.enter_context(subprocess.Popen(command))
    stack.callback(server.kill)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((ALLOWED, registry.PORT), 1):
            return
        time.sleep(0.05)
    raise TimeoutError


def main() -> None:
    """Run every tool in turns."""
    with ExitStack() as stack:
        world = build(stack, serves=False)
        _serve(stack, world)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        port = listener.getsockname()[1]
        domains = sorted(Domains.read("python,node,java,go,github").names)
        settings = json.dumps({"domains": domains, "everything": False})
        proxy = Service("runner.egress.proxy", listener.fileno(), settings, pass_fds=[listener.fileno()])
        stack.callback(proxy.close)
        cage = Cage(UID, [port], is_shared=False, is_exact=False)
        stack.callback(cage.close)
        users = {
            "bare": (User(UID), dict[str, str]()),
            "caged": (User(UID, start=cage.start), proxy_variables(port)),
        }
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        if sys.argv[2:] == ["toolchains"]:
            toolchains.make(world.folder)
            tools = toolchains.commands(world.folder, _PATH)
        else:
            tools = commands(world.folder)
        for name, command in tools.items():
            found[name] = {place: [] for place in users}
            for number in range(int(sys.argv[1])):
                # Whoever always came second would always find warm caches.
                for place in sorted(users, reverse=bool(number % 2)):
                    user, extra = users[place]
                    authority = world.folder / "authority.pem"
                    found[name][place].append(run(user, command, authority, extra))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()

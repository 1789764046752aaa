"""What an application tries with the browser that takes its screenshots: it serves the pages, as its user.

`python3 pages.py <folder>` listens on HOST and PORT; in the folder it leaves what it found out.
"""

import json
import os
import pathlib
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = pathlib.Path(sys.argv[1])
TARGETS = json.loads((FOLDER / "targets").read_text())
BROWSER_UID = int((FOLDER / "browser_uid").read_text())
_REACH = """<h1>reach</h1>%s<script>
const targets = %s;
Promise.all(Object.entries(targets).map(([name, url]) => fetch(url, {mode: "no-cors"})
  .then(() => name, () => null))).then(reached => fetch("/report", {method: "POST", body: JSON.stringify(
    reached.filter(name => name))}));
for (const [name, url] of Object.entries(targets)) {
  if (!url.startsWith("http:")) continue;
  try { const socket = new WebSocket(url.replace("http:", "ws:"));
    socket.onopen = () => fetch("/report", {method: "POST", body: JSON.stringify([name])}); } catch (error) {}
}
</script>"""
FRAMES = "".join(f"<iframe width=1200 height=90 src='{url}'></iframe>" for url in TARGETS.values())
PAGES = {
    "/": "<body style='background:#0000ff;margin:0'><div style='height:2000px'></div></body>",
    "/endless": "<body style='background:#00ff00;height:90000px;margin:0'></body>",
    "/dialog": "<h1>dialog</h1><script>alert('Is anybody there?'); document.body.append('nobody')</script>",
    "/reach": _REACH % (FRAMES, json.dumps(TARGETS)),
    "/away": "<script>location = 'http://example.com/'</script>",
    "/heavy": "<script>const kept = []; setInterval(() => kept.push(new Uint8Array(1 << 26).fill(1)), 1)</script>",
    "/download": None,
}


class Pages(BaseHTTPRequestHandler):
    """The pages."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/around":
            self._send(302, "", Location="/around")
        elif self.path == "/environ":
            self._send(302, "", Location="file:///proc/1/environ")
        elif self.path == "/download":
            self._send(200, "x", **{"Content-Disposition": "attachment; filename=x.bin"})
        elif self.path == "/large":
            self._stream()
        else:
            self._send(200 if self.path in PAGES else 404, PAGES.get(self.path) or "<h1>no such page</h1>")

    def do_POST(self) -> None:
        """Keep what the page reached."""
        with (FOLDER / "reached").open("a") as file:
            file.write(self.rfile.read(int(self.headers["Content-Length"])).decode() + "\n")
        self._send(200, "")

    def _send(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def _stream(self) -> None:
        """Serve ten gigabytes, or as much as is taken."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        try:
            for _ in range(10_000):
                self.wfile.write(b"<p>" + b"x" * 999_997)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


ATTEMPTS: dict[str, Callable[[pathlib.Path], object]] = {
    "environ": lambda process: (process / "environ").read_bytes(),
    "memory": lambda process: (process / "mem").open("r+b"),
    "files": lambda process: list((process / "fd").iterdir()),
    "home": lambda process: list((process / "cwd").iterdir()),
    "pipe": lambda process: (process / "fd/3").open("rb"),
    "kill": lambda process: os.kill(int(process.name), 9),
}


def attack() -> None:
    """Look for the browser's processes, and try to read, steer and end them."""
    seen, won = set(), set()
    while True:
        for folder in pathlib.Path("/proc").iterdir():
            try:
                if not folder.name.isdecimal() or folder.stat().st_uid != BROWSER_UID:
                    continue
            except OSError:
                continue
            seen.add(folder.name)
            for name, attempt in ATTEMPTS.items():
                try:
                    attempt(folder)
                except OSError:
                    continue
                won.add(name)
        (FOLDER / "attacked").write_text(json.dumps({"seen": len(seen), "won": sorted(won)}))
        time.sleep(0.05)


threading.Thread(target=attack, daemon=True).start()
ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Pages).serve_forever()

"""Toolchains that most machines do not have: a browser, Go and Gradle, each with a piece of real work."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "cage.example.org/module"
PACKAGES = {"browser": "chromium", "Go": "golang-go", "Gradle": "gradle"}
"""Debian's package of each."""
PROGRAMS = {"browser": "chromium", "Go": "go", "Gradle": "gradle"}
_PAGE = "<script>fetch('/own').then(a => a.text()).then(t => document.title = t.trim())</script>"
# The page's script asks the server again, so that the browser has to reach it twice.
_BROWSER = """\
import pathlib, subprocess, http.server, threading
pathlib.Path("index.html").write_text(%r)
pathlib.Path("own").write_text("reached")
server = http.server.ThreadingHTTPServer(("localhost", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
options.append("--virtual-time-budget=5000")
url = f"http://localhost:{server.server_port}/"
page = subprocess.run(["chromium", *options, "--dump-dom", url], capture_output=True, text=True, timeout=60)
print(page.stderr[-600:])
raise SystemExit("<title>reached</title>" not in page.stdout)
"""
_GO = """\
package main

import ("net"; "os"; "MODULE")

func main() {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil { panic(err) }
	client, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil { panic(err) }
	if _, err = client.WriteTo([]byte(module.Word), server.LocalAddr()); err != nil { panic(err) }
	data := make([]byte, 16)
	count, sender, err := server.ReadFrom(data)
	if err != nil || string(data[:count]) != "served" { os.Exit(1) }
	if sender.String() != client.LocalAddr().String() { os.Exit(2) }
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil { panic(err) }
	if _, err = net.Dial("tcp", listener.Addr().String()); err != nil { panic(err) }
}
"""
_GRADLE = """\
apply plugin: 'java'
task waits { doLast { Thread.sleep(4000) } }
"""


def make(folder: Path) -> None:
    """Make what their registries serve, and the programs of their work."""
    served = folder / MODULE / "@v"
    served.mkdir(parents=True)
    # https://go.dev/ref/mod#goproxy-protocol
    manifest = f"module {MODULE}\n"
    (served / "list").write_text("v1.0.0\n")
    (served / "v1.0.0.info").write_text(json.dumps({"Version": "v1.0.0", "Time": "2024-01-01T00:00:00Z"}))
    (served / "v1.0.0.mod").write_text(manifest)
    with zipfile.ZipFile(served / "v1.0.0.zip", "w") as archive:
        archive.writestr(f"{MODULE}@v1.0.0/go.mod", manifest)
        archive.writestr(f"{MODULE}@v1.0.0/module.go", 'package module\n\nconst Word = "served"\n')
    (folder / "browser.py").write_text(_BROWSER % _PAGE)
    (folder / "main.go").write_text(_GO.replace("MODULE", MODULE))
    (folder / "build.gradle").write_text(_GRADLE)


def commands(folder: Path, path: str) -> dict[str, str]:
    """Return the work of those that are on this machine, each in an empty folder."""
    found = {
        "browser": f"python3 {folder}/browser.py",
        "Go": (
            f"cp {folder}/main.go . && export GONOSUMDB={MODULE} GOFLAGS=-mod=mod "
            f"&& go mod init work && go get {MODULE}@v1.0.0 && go run ."
        ),
        # Two at once, which share the folder that one of them has locked.
        "Gradle": (
            f"cp {folder}/build.gradle . && touch settings.gradle && mkdir cache "
            "&& (gradle --no-daemon --offline -g cache waits & "
            "sleep 2; gradle --no-daemon --offline -g cache help && wait $!)"
        ),
    }
    return {name: work for name, work in found.items() if shutil.which(PROGRAMS[name], path=path)}

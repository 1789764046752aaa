"""The two base images, made from Debian's archive and this machine's Node where no registry is at hand.

What differs from the official images stands in docs/image.md.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.image.engine import ImageError

if TYPE_CHECKING:
    from tests.image.engine import Engine

SUITE = "trixie"
PYTHON = f"localhost/pullwright-python:{SUITE}"
NODE = f"localhost/pullwright-node:{SUITE}"
_PACKAGES = "ca-certificates,python3,python3-pip"
# As Debian's slim images and the official ones have it: no manuals, no translations, no kept archives.
_WITHOUT = ("doc", "info", "locale", "man")
_EXCLUDE = "".join(f"path-exclude /usr/share/{name}/*\n" for name in _WITHOUT)
_CLEAN = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
_NODE_RECIPE = f"""\
FROM {PYTHON}
COPY node /usr/local/bin/node
COPY modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
"""


def make(engine: Engine, archive: Path) -> None:
    """Make both bases.

    Args:
        archive: the Python base's files, which are kept for the next time.

    Raises:
        ImageError: Debian's archive cannot be reached.
    """
    if not archive.exists():
        bootstrap(engine, archive)
    engine.run("podman", "import", "--quiet", archive, PYTHON)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = subprocess.run(
            ["node", "-p", "process.execPath"], check=True, capture_output=True, text=True
        ).stdout.strip()
        shutil.copy(program, folder / "node")
        npm = shutil.which("npm")
        if npm is None:
            raise ImageError("npm is missing: run `make setup`, which says how to install it.")
        source = Path(npm).resolve().parents[2]
        # Node's own, if this machine's Node has both, and nothing that was installed beside them.
        for module in ("npm", "corepack"):
            if (source / module).is_dir():
                shutil.copytree(source / module, folder / "modules" / module)
        (folder / "Dockerfile").write_text(_NODE_RECIPE)
        engine.run("buildah", "bud", "--quiet", "--tag", NODE, folder)


def bootstrap(engine: Engine, archive: Path) -> None:
    """Make the Python base's files from Debian's archive."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    root, draft = engine.folder / "debian", archive.with_suffix(".new")
    options = ("--variant=minbase", f"--include={_PACKAGES}")
    engine.run("debootstrap", *options, SUITE, root)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(_EXCLUDE)
    (root / "etc/apt/apt.conf.d/clean").write_text(_CLEAN)
    for command, text in (("python", 'exec python3 "$@"'), ("pip", 'exec python3 -m pip "$@"')):
        program = root / "usr/local/bin" / command
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    left_out = [f"--exclude=./{path}/*" for path in ("proc", "sys", "var/cache/apt", "var/lib/apt/lists")]
    left_out += [f"--exclude=./usr/share/{name}/*" for name in _WITHOUT]
    only = ("--one-file-system", *left_out, f"--file={draft}", f"--directory={root}")
    engine.run("tar", "--create", *only, ".")
    engine.run("rm", "--recursive", "--one-file-system", root)
    draft.replace(archive)

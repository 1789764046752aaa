"""Builds both images, runs a session and a preview in them, measures, and writes the bill of materials.

Exit code 0 when all of it worked, 1 with what is missing or went wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.layout import ROOT, TOOLS
from tests.image import bases, build, local_session, preview, registry, sbom, session
from tests.image.engine import Engine, ImageError, need_programs

_BASE = TOOLS / "image" / f"python-{bases.SUITE}.tar"
_BILL = ROOT / "dist" / "sbom.json"
_MEGABYTE = 1_000_000
_console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.image", description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder whose images are used again and left there")
    keep = parser.parse_args().keep
    try:
        need_programs()
        with Engine.open(keep and keep.resolve()) as engine:
            _all(engine)
    except ImageError as error:
        _console.print(f"image-test: {error}", style="red", markup=False)
        return 1
    return 0


def _all(engine: Engine) -> None:
    began = time.monotonic()

    def done(what: str) -> None:
        _console.print(f"  ✓ {what:<72}{time.monotonic() - began:6.0f} s", markup=False)

    bases.make(engine, _BASE)
    done("base images from Debian's archive and this machine's Node")
    build.build(engine, build.IMAGE, "agent")
    build.build(engine, build.PREVIEW, "preview")
    done("container/Dockerfile, every instruction of it: the agent's image and that of previews")
    ran = session.run(engine, build.IMAGE)
    done("a session in it: work pushed, nothing to steal for the agent")
    local_session.run(engine, build.IMAGE)
    done("a session of a checkout on this machine, which gets a branch and nothing else")
    registry.run(engine, build.IMAGE)
    done("pushed to the local stack's registry, promoted and rolled back there, and pulled")
    served = preview.run(engine, build.PREVIEW)
    done("a preview in its image: built with Python, served with Node, nothing to steal")
    with engine.files(build.IMAGE) as root:
        counts = sbom.write(root, _BILL)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    done(f"bill of materials in {_BILL.relative_to(ROOT)}: {kinds}")
    layers = build.layers(engine)
    done("sizes")
    _console.print(_sizes(layers))
    phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in ran.phases.items())
    _console.print(f"First model request {ran.first_request:.2f} s after `podman run`; seconds: {phases}")
    _console.print(f"A preview's page {served:.2f} s after `podman run`")


def _sizes(layers: list[build.Layer]) -> Table:
    table = Table(title="Layers, in MB", title_justify="left")
    table.add_column("made by", overflow="fold")
    for name in ("on disk", "gzip", "zstd"):
        table.add_column(name, justify="right", no_wrap=True)
    sizes = [(layer.on_disk, layer.gzip, layer.zstd) for layer in layers]
    for layer, row in zip(layers, sizes, strict=True):
        table.add_row(layer.made_by, *(f"{size / _MEGABYTE:.1f}" for size in row))
    totals = [sum(column) for column in zip(*sizes, strict=True)]
    table.add_section()
    table.add_row("all", *(f"{total / _MEGABYTE:.1f}" for total in totals))
    return table


if __name__ == "__main__":
    sys.exit(main())

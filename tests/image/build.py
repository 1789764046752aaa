"""Builds the Dockerfile as it stands, and measures what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.layout import ROOT
from tests.image import bases

if TYPE_CHECKING:
    from tests.image.engine import Engine

IMAGE = "localhost/pullwright-agent:test"
PREVIEW = "localhost/pullwright-preview:test"
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_LONGEST = 60


@dataclass(frozen=True)
class Layer:
    """One layer.

    Args:
        on_disk: bytes, unpacked.
        gzip: bytes as they are sent when the registry gets gzip.
        zstd: bytes as they are sent when the registry gets zstd.
    """

    made_by: str
    on_disk: int
    gzip: int
    zstd: int


def build(engine: Engine, image: str, target: str) -> None:
    """Build one of the images on the local bases.

    Args:
        target: the Dockerfile's stage.

    Raises:
        ImageError: an instruction failed.
    """
    arguments = [f"PYTHON_IMAGE={bases.PYTHON}", f"NODE_IMAGE={bases.NODE}"]
    command: list[str | Path] = ["buildah", "bud", "--layers", "--quiet", "--target", target, "--tag", image]
    command += [part for argument in arguments for part in ("--build-arg", argument)]
    if Path(_AUTHORITIES).exists():
        # A machine whose way out is inspected has an authority of its own. It is lent, not copied.
        command.append(f"--volume={_AUTHORITIES}:{_AUTHORITIES}:ro")
    engine.run(*command, "--file", "container/Dockerfile", ".", cwd=ROOT)


def layers(engine: Engine) -> list[Layer]:
    """Measure the layers, the lowest first."""
    history = json.loads(engine.run("podman", "history", "--format", "json", IMAGE))
    unpacked = [step["size"] for step in reversed(history)]
    sizes = {}
    for form in ("gzip", "zstd"):
        folder = engine.folder / form
        engine.run("buildah", "push", "--quiet", "--compression-format", form, IMAGE, f"oci:{folder}:test")
        manifest = _blob(folder, json.loads((folder / "index.json").read_text())["manifests"][0]["digest"])
        sizes[form] = [layer["size"] for layer in manifest["layers"]]
        steps = _blob(folder, manifest["config"]["digest"])["history"]
        engine.run("rm", "--recursive", folder)
    filled = [number for number, step in enumerate(steps) if not step.get("empty_layer")]
    ours = _instructions((ROOT / "container/Dockerfile").read_text())
    names = ["the base image"] * (len(filled) - len(ours)) + ours
    return [
        Layer(_short(name), unpacked[number], gzip, zstd)
        for name, number, gzip, zstd in zip(names, filled, sizes["gzip"], sizes["zstd"], strict=True)
    ]


def _instructions(dockerfile: str) -> list[str]:
    """Return the instructions of the last stage, and of that below it, that make a layer each."""
    stages = dockerfile.replace("\\\n", " ").split("\nFROM ")
    base = next(stage for stage in stages if stage.startswith("${PYTHON_IMAGE} AS base\n"))
    lines = (base + stages[-1]).splitlines()
    return [line for line in lines if line.startswith(("COPY ", "RUN "))]


def _blob(folder: Path, digest: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "blobs" / digest.replace(":", "/")).read_text())
    return content


def _short(instruction: str) -> str:
    text = " ".join(instruction.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""What the image is made of, as a CycloneDX document read from the image's own files.

https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import base64
import json
from importlib.metadata import distributions
from typing import TYPE_CHECKING

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from local.layout import ROOT
from tests.image.engine import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import PackageMetadata
    from pathlib import Path

_LICENSES = LicenseFactory()
_CLI = "usr/local/share/claude-code/package.json"


def write(root: Path, target: Path) -> dict[str, int]:
    """Write the document.

    Returns:
        How many components there are of each kind.

    Raises:
        ImageError: the document does not follow CycloneDX's schema.
    """
    kinds = {"deb": list(_debian(root)), "pypi": list(_python(root)), "npm": list(_npm(root))}
    bom = Bom(components=[component for found in kinds.values() for component in found])
    bom.metadata.component = Component(
        name="pullwright-agent", type=ComponentType.CONTAINER, bom_ref="pullwright-agent"
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    error = JsonStrictValidator(JsonV1Dot6(bom).schema_version).validate_str(text)
    if error is not None:
        raise ImageError(f"The bill of materials is not valid: {error!r}")
    target.parent.mkdir(exist_ok=True)
    target.write_text(f"{text}\n")
    return {kind: len(found) for kind, found in kinds.items()}


def _debian(root: Path) -> Iterator[Component]:
    """https://www.debian.org/doc/debian-policy/ch-controlfields.html."""
    for paragraph in (root / "var/lib/dpkg/status").read_text().split("\n\n"):
        lines = [line for line in paragraph.splitlines() if ": " in line and not line.startswith(" ")]
        fields = dict(line.split(": ", 1) for line in lines)
        if fields.get("Status", "").endswith(" installed"):
            yield _component(
                PackageURL(
                    "deb",
                    "debian",
                    fields["Package"],
                    fields["Version"],
                    qualifiers={"arch": fields["Architecture"]},
                )
            )


def _python(root: Path) -> Iterator[Component]:
    places = [root / "opt/pullwright"]
    places += sorted(root.glob("usr/local/lib/python3*/site-packages"))
    for found in distributions(path=[str(place) for place in places]):
        license_text = _first(found.metadata, "License-Expression", "License")
        yield _component(PackageURL("pypi", None, found.name.lower(), found.version), license_text)


def _npm(root: Path) -> Iterator[Component]:
    """Yield the CLI and its native program, with the checksum that the build compared."""
    installed = json.loads((root / _CLI).read_text())
    lock = json.loads((ROOT / "container/package-lock.json").read_text())["packages"]
    cpu = "arm64" if (root / "lib/ld-linux-aarch64.so.1").exists() else "x64"
    for name in (installed["name"], f"{installed['name']}-linux-{cpu}"):
        locked = lock[f"node_modules/{name}"]
        if locked["version"] != installed["version"]:
            raise ImageError(f"{name}: {installed['version']} is installed, the lock has {locked['version']}")
        scope, _, short = name.partition("/")
        component = _component(PackageURL("npm", scope, short, locked["version"]))
        digest = base64.b64decode(locked["integrity"].removeprefix("sha512-")).hex()
        component.hashes.add(HashType(alg=HashAlgorithm.SHA_512, content=digest))
        yield component


def _first(metadata: PackageMetadata, *names: str) -> str | None:
    return next((metadata[name] for name in names if name in metadata), None)


def _component(purl: PackageURL, license_text: str | None = None) -> Component:
    named = license_text if license_text and "\n" not in license_text else None
    return Component(
        name=purl.name if purl.type != "npm" else f"{purl.namespace}/{purl.name}",
        version=purl.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[_LICENSES.make_from_string(named)] if named else [],
    )

"""Code of functions, zipped once and uploaded once.

`sam deploy` zips the folder of every function, though all functions of one `CodeUri` have the same code. Here
the built template is given S3 addresses first, so that it has nothing left to zip.
"""

import re
import zipfile
from pathlib import Path
from typing import Any

_CODE_URI = re.compile(r"^(?P<head>\s+CodeUri: )(?P<folder>[A-Za-z0-9]+)$", re.MULTILINE)


def code_folder(template: Path) -> Path:
    """Return the folder that SAM built for the functions, all of which have the same code.

    Args:
        template: as SAM built it.
    """
    found = _CODE_URI.search(template.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{template} names no folder with code")
    return template.parent / found["folder"]


def upload(template: Path, s3: Any, bucket: str, digest_of: Any) -> Path:
    """Upload the functions' code and write a template that points to it.

    Returns:
        The new template, beside the old one.
    """
    text = template.read_text(encoding="utf-8")
    uploaded: dict[str, str] = {}

    def address(found: re.Match[str]) -> str:
        folder = template.parent / found["folder"]
        digest = digest_of(folder)
        if digest not in uploaded:
            uploaded[digest] = f"{digest[:32]}.zip"
            archive = template.parent / uploaded[digest]
            if not archive.exists():
                _zip(folder, archive)
            s3.upload_file(str(archive), bucket, archive.name)
        return f"{found['head']}s3://{bucket}/{uploaded[digest]}"

    packaged = template.with_name("packaged.yaml")
    packaged.write_text(_CODE_URI.sub(address, text), encoding="utf-8")
    return packaged


def _zip(folder: Path, archive: Path) -> None:
    draft = archive.with_suffix(".new")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                made.write(file, file.relative_to(folder))
    draft.replace(archive)

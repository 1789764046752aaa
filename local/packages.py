"""Code of functions, compiled, zipped and uploaded once; and the built template as JSON.

`sam deploy` zips the folder of every function, though all functions of one `CodeUri` have the same code. Here
the built template is given S3 addresses first, so that it has nothing left to zip.
"""

import compileall
import json
import py_compile
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import yaml

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


def unite(template: Path, digest_of: Any) -> None:
    """Keep each code once: SAM makes a folder for every function, though most hold the same.

    Args:
        template: as SAM built it; it is changed to name the folders that stay.
        digest_of: gives a hash of what is in a folder.
    """
    text = template.read_text(encoding="utf-8")
    kept: dict[str, str] = {}
    named: dict[str, str] = {}
    for name in dict.fromkeys(found["folder"] for found in _CODE_URI.finditer(text)):
        folder = template.parent / name
        named[name] = kept.setdefault(digest_of(folder), name)
        if named[name] != name:
            shutil.rmtree(folder)
    united = _CODE_URI.sub(lambda found: found["head"] + named[found["folder"]], text)
    template.write_text(united, encoding="utf-8")


def archives(template: Path, digest_of: Any) -> dict[str, Path]:
    """Zip the code of the functions beside the built template, each code once.

    Args:
        template: as SAM built it.
        digest_of: gives a hash of what is in a folder.

    Returns:
        The folders' names and their archives.
    """
    folders = dict.fromkeys(found["folder"] for found in _CODE_URI.finditer(template.read_text("utf-8")))
    made = {}
    for name in folders:
        folder = template.parent / name
        made[name] = template.parent / f"{digest_of(folder)[:32]}.zip"
        if not made[name].exists():
            _zip(folder, made[name])
    return made


def upload(template: Path, s3: Any, bucket: str, digest_of: Any) -> Path:
    """Upload the functions' code and write a template that points to it.

    Returns:
        The new template, beside the old one.
    """
    code = archives(template, digest_of)
    for archive in set(code.values()):
        s3.upload_file(str(archive), bucket, archive.name)
    text = _CODE_URI.sub(
        lambda found: f"{found['head']}s3://{bucket}/{code[found['folder']].name}",
        template.read_text(encoding="utf-8"),
    )
    packaged = template.with_name("packaged.json")
    # The SAM CLI reads it four times over, with a parser that takes a second for YAML.
    described = yaml.load(text, Loader=yaml.CSafeLoader)
    packaged.write_text(json.dumps(described, default=str), encoding="utf-8")
    return packaged


def _zip(folder: Path, archive: Path) -> None:
    # Each stack unpacks it into a new folder, where its first functions would all compile what they import.
    # The times of the files are not kept, so only their content tells whether they are still the same.
    compileall.compile_dir(folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    draft = archive.with_suffix(".new")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                made.write(file, file.relative_to(folder))
    draft.replace(archive)

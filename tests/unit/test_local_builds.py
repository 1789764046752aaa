"""Builds that the stacks of a checkout share."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from local.builds import KEPT, provide
from local.layout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = "statemachine/agent_session.asl.json"


class Builder:
    """Builds as SAM does: a folder for each function, and relative paths in the template."""

    def __init__(self) -> None:
        self.built: list[Path] = []

    def __call__(self, folder: Path) -> None:
        """Write a template and the code of three functions, two of which have the same."""
        self.built.append(folder)
        machine = os.path.relpath(ROOT / MACHINE, folder)
        lines = [f"      DefinitionUri: {machine}\n"]
        for name, code in (("One", "a = 1\n"), ("Two", "a = 1\n"), ("Three", "a = 3\n")):
            (folder / name).mkdir(parents=True)
            (folder / name / "app.py").write_text(code)
            lines.append(f"      CodeUri: {name}\n")
        (folder / "template.yaml").write_text("".join(lines))


def test_stacks_share_a_build_and_each_finds_the_state_machine(tmp_path: Path) -> None:
    """Two folders get copies of one build, however deep they are, with code that is zipped and compiled."""
    build = Builder()
    targets = [tmp_path / "a" / "app", tmp_path / "b" / "c" / "d" / "app"]
    for target in targets:
        provide("x", target, build, tmp_path / "shared")
    assert len(build.built) == 1
    for target in targets:
        (line, *_) = (target / "template.yaml").read_text().splitlines()
        assert (target / line.split()[1]).resolve() == ROOT / MACHINE
        archives = list(target.glob("*.zip"))
        assert len(archives) == 2
        for archive in archives:
            names = zipfile.ZipFile(archive).namelist()
            assert "app.py" in names
            assert any(name.endswith(".pyc") for name in names)


def test_equal_code_is_kept_once(tmp_path: Path) -> None:
    """Functions whose code is the same name one folder, and each other function its own."""
    target = tmp_path / "app"
    provide("x", target, Builder(), tmp_path / "shared")
    lines = (target / "template.yaml").read_text().splitlines()
    folders = [target / line.split()[1] for line in lines if "CodeUri" in line]
    assert [(folder / "app.py").read_text() for folder in folders] == ["a = 1\n", "a = 1\n", "a = 3\n"]
    assert {folder for folder in target.iterdir() if folder.is_dir()} == set(folders)
    assert len(set(folders)) == 2


def test_a_build_that_failed_is_made_again(tmp_path: Path) -> None:
    """What it left is no build."""

    def fail(folder: Path) -> None:
        folder.mkdir(parents=True)
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        provide("x", tmp_path / "app", fail, tmp_path / "shared")
    build = Builder()
    provide("x", tmp_path / "app", build, tmp_path / "shared")
    assert len(build.built) == 1
    assert (tmp_path / "app" / "template.yaml").exists()


def test_old_builds_are_removed(tmp_path: Path) -> None:
    """Only the last ones are kept."""
    build = Builder()
    for name in ("x", "y", "z"):
        provide(name, tmp_path / "app", build, tmp_path / "shared")
    kept = [path.name for path in (tmp_path / "shared").iterdir() if path.is_dir()]
    assert len(kept) == KEPT
    assert "z" in kept

"""The Jira stand-in as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.jira_people import JiraSite
from local.layout import ROOT
from local.services import EXCHANGES

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSite]:
    """Provide a running stand-in."""
    folder = tmp_path_factory.mktemp("jira")
    command = [sys.executable, "-W", "error", "-m", "jira_standin", "--port", "0", "--data", str(folder)]
    if written := os.environ.get(EXCHANGES):
        command += ["--exchanges", written]
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready" in line, (folder / "stderr").read_text()
    yield JiraSite(line.split()[-1])
    process.terminate()
    process.wait(15)
    process.stdout.close()
    assert (folder / "stderr").read_text() == ""

"""The task of a preview: one commit is built and served by a user who tries every way to a credential."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import urllib3

from local.supervise import free_port
from pullwright.errors import GitHubUnavailable, PreviewCommitGone
from runner import exit_codes
from runner.preview.commit import CommitRemote, bring
from runner.user import User
from tests.container.endpoints import MODEL_KEY, PASSWORD, SECRET_KEY, TOKEN
from tests.container.escape import credentials, previews, privileges
from tests.container.escape.attempts import TOOLS, Loot, program, read_loot
from tests.container.harness import Harness, Ran, finish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.container.harness import Runner

PREVIEW = "preview-8-test"
_AS_USER = pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
_SECRETS = (TOKEN, MODEL_KEY, SECRET_KEY, "ASIATASK", "made-up-session-token")
_SERVER = "exec python3 -m http.server $PORT --bind $HOST"
# Without what asks the model's gateway: a preview has none.
_ATTEMPTS = {
    **{name: command for name, command in credentials.ATTEMPTS.items() if name not in credentials.GATEWAY},
    **privileges.ATTEMPTS,
    **previews.ATTEMPTS,
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Harness, Ran, dict[str, Loot], str]]:
    """Provide a preview that made every attempt, then served a page, and was stopped as ECS stops a task."""
    with Harness.open(afresh=True) as harness:
        shutil.copy(TOOLS, harness.folder)
        spot = harness.folder / "spot"
        spot.mkdir()
        spot.chmod(0o1777)
        port = free_port()
        harness.plan = {
            "preview_id": PREVIEW,
            "repository": "acme/shop",
            "commit": harness.git("rev-parse", "main"),
            "build": "echo built by $(id -u) > built.txt",
            "start": f"{program(_ATTEMPTS)}echo $DATABASE_PASSWORD; {_SERVER}",
            "port": port,
            "start_seconds": 60,
            "env": {name: value.format(spot=spot) for name, value in previews.VARIABLES.items()},
        }
        # The repositories of this GitHub are below /git.
        api = f"{harness.url}/git/api/v3"
        process = harness.start(module="runner.preview", PREVIEW_ID=PREVIEW, GITHUB_API_URL=api)
        page = _page(port, process)
        process.terminate()
        yield harness, finish(process), read_loot(harness.folder / "work1/preview/.home"), page


def _page(port: int, process: Runner) -> str:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"http://127.0.0.1:{port}/", retries=False).data.decode()
        time.sleep(0.1)
    process.terminate()
    raise AssertionError(finish(process).output)


@_AS_USER
@pytest.mark.parametrize("name", _ATTEMPTS)
def test_attempt_of_the_application_fails(
    served: tuple[Harness, Ran, dict[str, Loot], str], name: str
) -> None:
    """It does not get what it wants, and nothing that it printed holds a secret of the task's."""
    harness, _, loot, _ = served
    # 124 would be an attempt that hung, 126 and 127 one that was never made.
    assert loot[name].code not in {0, 124, 126, 127}, loot[name].output
    for secret in (*_SECRETS, harness.credentials_path):
        assert secret.encode() not in loot[name].output


@_AS_USER
def test_after_all_attempts_the_branch_is_served_until_the_task_is_stopped(
    served: tuple[Harness, Ran, dict[str, Loot], str],
) -> None:
    """The commit's files are the user's, git's are gone, the log has no secret, and SIGTERM is no failure."""
    harness, ran, loot, page = served
    assert b"runner.preview" in loot["found_runner"].output
    assert len(loot) == len(_ATTEMPTS) + 1
    assert {path.stat().st_uid for path in (harness.folder / "spot").iterdir()} == {harness.agent_uid}
    folder = harness.folder / "work1/preview/shop"
    assert "built.txt" in page
    assert (folder / "src/app.py").read_text() == "print('helo')\n"
    assert {path.stat().st_uid for path in folder.rglob("*")} == {harness.agent_uid}
    assert (folder / "built.txt").read_text() == f"built by {harness.agent_uid}\n"
    assert not (folder / ".git").exists()
    assert ran.code == exit_codes.DONE, ran.output
    assert "[hidden]" in ran.output
    for secret in (*_SECRETS, PASSWORD):
        assert secret not in ran.output


def test_a_commit_that_github_does_not_have_any_more_is_none_of_its_failures(tmp_path: Path) -> None:
    """A head that was pushed away or deleted has an error of its own, once it was asked for several times."""
    with Harness.open() as harness:
        token, waits = harness.grant().token, list[float]()
        url = f"{harness.url}/git/acme/shop.git"
        gone = CommitRemote(url, "1" * 40, lambda: token, sleep=waits.append)
        with pytest.raises(PreviewCommitGone, match="1111111 any more"):
            bring(gone, tmp_path, name="shop", user=User(None))
        assert len(waits) == 2
        other = CommitRemote(url, harness.git("rev-parse", "main"), lambda: "", sleep=waits.append)
        with pytest.raises(GitHubUnavailable):
            bring(other, tmp_path, name="shop", user=User(None))

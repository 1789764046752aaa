"""A repository's own setup and checks, run by the real runner with real git."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes
from tests.container.endpoints import MODEL_KEY, TOKEN
from tests.container.escape import setup as planted
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a fresh harness whose agent writes one file."""
    with Harness.open() as opened:
        opened.fake_cli('echo "$PROMPT" > PROMPT.md; printf \'%s\\n\' "$@" > ARGUMENTS.md; finish')
        yield opened


def commit(harness: Harness, branch: str, files: dict[str, str]) -> None:
    """Push a commit to a branch."""
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", branch, cwd=seed)
    for path, text in files.items():
        (seed / path).parent.mkdir(parents=True, exist_ok=True)
        (seed / path).write_text(text)
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "More", cwd=seed)
    harness.git("push", "-q", "origin", branch, cwd=seed)


def configure(harness: Harness, files: dict[str, str]) -> None:
    """Push a commit to the default branch, which the branch of the work then has too."""
    commit(harness, "main", files)
    seed = harness.folder / "seed"
    harness.git("checkout", "-q", "claude/7", cwd=seed)
    harness.git("merge", "-q", "--no-edit", "main", cwd=seed)
    harness.git("push", "-q", "origin", "claude/7", cwd=seed)


APT = """\
#!/bin/sh
{ id -u; pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; echo "$@"; } >> $(dirname "$0")/../apt
case "$*" in *libfoo*)
  printf '#!/bin/sh\\necho built\\n' > $(dirname "$0")/footool; chmod 755 $(dirname "$0")/footool;;
esac
case "$*" in *missing*) echo 'E: Unable to locate package missing' >&2; exit 100;; esac
"""


def test_packages_are_there_before_setup(harness: Harness) -> None:
    """Debian's apt gets the names as root, away from the repository and without the runner's environment."""
    apt = harness.folder / "bin/apt-get"
    apt.write_text(APT)
    apt.chmod(0o755)
    commit(
        harness, "main", {".pullwright/config.yaml": "packages: [libfoo-dev, g++]\nsetup: footool > built\n"}
    )
    ran = harness.run(PACKAGE_MANAGER="apt")
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert result.setup is not None
    assert (result.setup.status, result.notices, "packages" in result.phases) == ("passed", (), True)
    who, where, variables, update, *_, command = (harness.folder / "apt").read_text().splitlines()
    assert (who, where) == (str(os.geteuid()), "/")
    assert set(variables.split()) <= {
        "PATH",
        "HOME",
        "LANG",
        "DEBIAN_FRONTEND",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    }
    assert update.endswith(" update")
    assert command == "-q -y --no-install-recommends install -- libfoo-dev g++"


@pytest.mark.parametrize(
    ("manager", "notice"),
    [
        ("apt", "Not installed, and the session went on without: missing."),
        ("none", "Not installed, for this"),
    ],
)
def test_packages_that_are_not_there_are_said(harness: Harness, manager: str, notice: str) -> None:
    """The session goes on, people read why something may be missing, and the agent does not look for it."""
    apt = harness.folder / "bin/apt-get"
    apt.write_text(APT)
    apt.chmod(0o755)
    commit(harness, "main", {".pullwright/config.yaml": "packages: [missing]\n"})
    ran = harness.run(PACKAGE_MANAGER=manager)
    assert ran.code == exit_codes.DONE, ran.output
    assert [one.startswith(notice) for one in harness.result.notices] == [True]
    assert (harness.folder / "apt").exists() is (manager == "apt")
    assert "system packages missing could not be installed" in harness.git("show", "claude/7:PROMPT.md")


def test_setup_and_checks_of_the_default_branch_are_run(harness: Harness) -> None:
    """Setup runs before the agent and leaves nothing to commit; checks run after it on what it left."""
    commit(
        harness,
        "main",
        {
            ".pullwright/config.yaml": "setup: mkdir -p 'de ps' && echo x > 'de ps/[a]*.txt'\n"
            "checks:\n"
            "  - {name: works, command: 'test -f ''de ps/[a]*.txt'' && grep -q works: PROMPT.md'}\n"
            "  - {name: fails, command: 'printf ''\\033[31mred\\n''; exit 3'}\n"
            "  - {name: hangs, command: 'sleep 600', timeout: 1}\n"
            "tools: [Read]\n"
        },
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    result = harness.result
    assert result.setup is not None
    assert result.setup.status == "passed"
    assert [(check.name, check.status) for check in result.checks] == [
        ("works", "passed"),
        ("fails", "failed"),
        ("hangs", "timed_out"),
    ]
    assert (result.checks[1].exit_code, result.checks[1].output) == (3, "red")
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7").splitlines() == [
        "ARGUMENTS.md",
        "PROMPT.md",
    ]
    assert "--tools=Read,TodoWrite" in harness.git("show", "claude/7:ARGUMENTS.md")
    # A file that a check's command names was made by the agent, which people read.
    notice = "How the checks work is changed on this branch: PROMPT.md."
    assert (result.outcome, result.notices[-1]) == ("changed", notice)


def test_the_work_branch_decides_nothing(harness: Harness) -> None:
    """A configuration on the branch that is worked on is not read."""
    commit(
        harness,
        "claude/7",
        {".pullwright/config.yaml": "setup: touch PWNED\nchecks: [{name: x, command: 'true'}]"},
    )
    assert harness.run().code == exit_codes.DONE
    assert (harness.result.setup, harness.result.checks) == (None, ())


def test_a_broken_configuration_is_ignored_and_told(harness: Harness) -> None:
    """The session goes on as if there were no file, and people are told the field."""
    commit(harness, "main", {".pullwright/config.yaml": "checks: [{name: x}]\n"})
    assert harness.run().code == exit_codes.DONE
    [notice] = harness.result.notices
    assert "checks.0.command" in notice


def test_tests_that_the_agent_writes_are_found(harness: Harness) -> None:
    """Where nothing is configured, the files after the agent's work say how to test."""
    harness.fake_cli(
        "cat > /dev/null; mkdir tests; printf 'import unittest\\n' > tests/__init__.py; "
        "printf 'from unittest import TestCase as T\\nclass A(T):\\n def test_a(self): pass\\n' "
        "> tests/test_a.py; finish"
    )
    assert harness.run().code == exit_codes.DONE
    [check] = harness.result.checks
    assert (check.command, check.status) == ("python3 -m unittest", "passed")


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_checks_run_as_a_third_user_and_hold_nothing(harness: Harness) -> None:
    """Their user is neither the runner nor the agent, they have no credential, and leave no process."""
    harness.afresh = True
    commit(
        harness,
        "main",
        {
            ".pullwright/config.yaml": "checks:\n"
            "  - {name: who, command: 'id -u; env; cat /proc/$PPID/environ; (sleep 600 &) ; true'}\n"
        },
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    output = harness.result.checks[0].output
    assert output.startswith(f"{harness.agent_uid + 1}\n")
    for secret in (TOKEN, MODEL_KEY, "AWS_", "BROKER_URL"):
        assert secret not in output
    assert harness.result.checks[0].seconds < 60


def test_checks_of_a_failed_session_do_not_run(harness: Harness) -> None:
    """There is nothing to show for a session that has failed anyway."""
    commit(harness, "main", {".pullwright/config.yaml": "checks: [{name: x, command: 'true'}]\n"})
    harness.fake_cli("echo half > HALF.md; exit 3")
    assert harness.run().code == exit_codes.of("AgentFailed")
    assert harness.result.checks == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_setup_is_run_again_for_the_checks(harness: Harness) -> None:
    """Its second run sees the pushed tree, in a home that neither the agent nor the first run has had."""
    commit(
        harness,
        "main",
        {
            ".pullwright/config.yaml": "setup: test ! -e ~/been && touch ~/been && cp wanted.txt ~/has\n"
            "checks: [{name: has, command: 'cat ~/has; ls -A ~'}]\n"
        },
    )
    commit(harness, "claude/7", {"wanted.txt": "one\n"})
    harness.fake_cli("echo two > wanted.txt; echo three > ~/has; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    [check] = harness.result.checks
    assert (check.status, check.output.splitlines()[0]) == ("passed", "two")
    assert set(check.output.splitlines()[-2:]) == {"been", "has"}
    assert {"setup", "checks_checkout", "checks_setup", "checks"} <= set(harness.result.phases)


def test_a_setup_that_fails_for_the_checks_is_one_of_them(harness: Harness) -> None:
    """People see that the pushed commit cannot be set up, and the check run fails with it."""
    commit(
        harness,
        "main",
        {
            ".pullwright/config.yaml": "setup: 'test ! -e BROKEN.md || { echo no such package; exit 7; }'\n"
            "checks: [{name: works, command: 'true'}]\n"
        },
    )
    harness.fake_cli("echo x > BROKEN.md; finish")
    assert harness.run().code == exit_codes.DONE
    result = harness.result
    assert result.setup is not None
    assert result.setup.status == "passed"
    assert [(check.name, check.status, check.exit_code) for check in result.checks] == [
        ("setup for the checks", "failed", 7),
        ("works", "passed", 0),
    ]
    assert result.checks[0].output == "no such package"


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
@pytest.mark.parametrize("name", planted.PLANTED)
def test_what_setup_leaves_does_not_run_by_itself(harness: Harness, name: str) -> None:
    """No shell, git or Python that the agent starts runs what setup planted, and its home has none of it."""
    spot = harness.folder / "taken"
    spot.touch()
    spot.chmod(0o666)
    setup = planted.PLANTED[name].replace("$TAKE", planted.TAKE.format(spot))
    commit(harness, "main", {".pullwright/config.yaml": f"setup: {json.dumps(setup)}\n"})
    harness.fake_cli(
        "bash -lc true; bash -ic true < /dev/null; python3 -c pass; git status; git x;"
        "git commit --allow-empty -m x; find ~ -type f | grep -v $HOME/.local/share > HOME.md; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.result.setup is not None
    assert harness.result.setup.status == "passed", harness.result.setup.output
    assert spot.read_text() == ""
    assert harness.git("show", "claude/7:HOME.md") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")
def test_what_setup_installs_at_home_is_the_agents(harness: Harness) -> None:
    """A program, a package of Python's and a cache are where they were installed; the path is the same."""
    setup = """\
d=$(python3 -m site --user-site); mkdir -p "$d" ~/.local/bin ~/.cargo/bin; echo "x = 7" > "$d/mine.py"
printf "#!/bin/sh\\necho $HOME\\n" > ~/.local/bin/where; chmod 755 ~/.local/bin/where; touch ~/.cargo/bin/tool
"""
    commit(harness, "main", {".pullwright/config.yaml": f"setup: {json.dumps(setup)}\n"})
    harness.fake_cli(
        '{ python3 -c \'import mine; print(mine.x)\'; test "$(~/.local/bin/where)" = "$HOME" && echo same;'
        " ls ~/.cargo/bin; } > SEEN.md; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("show", "claude/7:SEEN.md").split() == ["7", "same", "tool"]


def test_an_agent_that_deletes_the_tests_does_not_do_so_silently(harness: Harness) -> None:
    """Without a check left, people read that the base has one, also when an earlier session took it away."""
    seed = harness.folder / "seed"
    commit(harness, "main", {"Makefile": "test:\n\tfalse\n", "tests/test_it.sh": "false"})
    harness.git("checkout", "-q", "claude/7", cwd=seed)
    harness.git("reset", "-q", "--hard", "main", cwd=seed)
    harness.git("rm", "-q", "Makefile", cwd=seed)
    harness.git("commit", "-q", "-m", "An earlier session", cwd=seed)
    harness.git("push", "-q", "--force", "origin", "claude/7", cwd=seed)
    harness.fake_cli("rm -r tests; echo x > X.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.result.checks == ()
    assert harness.result.notices == (
        "The base is tested by make test; on this branch no such check is found.",
        "Tests are deleted on this branch: tests/test_it.sh.",
    )


def test_an_agent_that_changes_how_tests_are_run_does_not_do_so_silently(harness: Harness) -> None:
    """The check passes, for that is what the pushed tree says, and people read what was changed for it."""
    commit(harness, "main", {"Makefile": "test:\n\tfalse\n"})
    commit(harness, "claude/7", {"Makefile": "test:\n\tfalse\n"})
    harness.git("merge", "-q", "-m", "Update", "main", cwd=harness.folder / "seed")
    harness.git("push", "-q", "origin", "claude/7", cwd=harness.folder / "seed")
    harness.fake_cli("printf 'test:\\n\\ttrue\\n' > Makefile; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert [(check.command, check.status) for check in harness.result.checks] == [("make test", "passed")]
    assert harness.result.notices == ("How the checks work is changed on this branch: Makefile.",)


def test_a_check_that_may_lack_its_dependencies_says_so(harness: Harness) -> None:
    """Where nothing is configured, what the agent had installed is not there, and people read the remedy."""
    harness.fake_cli(
        "mkdir x.log; touch x.log/ready; printf 'test:\\n\\ttest -e x.log/ready\\n' > Makefile; finish"
    )
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert [check.status for check in harness.result.checks] == ["failed"]
    assert harness.result.notices[-1].startswith("The check ran in a fresh checkout")

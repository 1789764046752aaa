"""What the runner knows of a repository before the agent begins, and what the agent is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pullwright.markdown import block
from pullwright.repository.configuration import PATH, Check, Configuration, read_configuration, strictest
from pullwright.repository.document import MAX_BYTES, ConfigurationError
from runner.agent.tools import TOOLS, with_todo_list
from runner.git.remote import trusted_ref
from runner.git.tree import GITLINK, SYMLINK
from runner.log import logger
from runner.repository.detection import detect
from runner.repository.testing import changes_of_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pullwright.results import CheckResult
    from runner.git.remote import Remote
    from runner.git.store import Head, Store
    from runner.repository.detection import Read

_DEFAULT = "default"
_DEFAULT_REF = trusted_ref(_DEFAULT)
_LONGEST_READ = 1 << 20
_SHOWN = 1_500


@dataclass(frozen=True, slots=True)
class RepositoryProfile:
    """A repository's own rules.

    Attributes:
        configuration: what its file says; nothing, if there is none or it is broken.
        notice: for people, if the file is broken.
        packages: how the installation of its packages ended, if it was tried.
        setup: how its setup command ended, if it was run.
    """

    configuration: Configuration
    notice: str | None = None
    checks: tuple[Check, ...] = ()
    packages: CheckResult | None = None
    setup: CheckResult | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools that the agent may use."""
        tools = self.configuration.tools
        return TOOLS if tools is None else with_todo_list(tools)

    def ci(self, *, is_private: bool) -> Literal["run", "hold"]:
        """Return whether workflows run on the agent's work at once, or wait until somebody releases them.

        Args:
            is_private: whether not everybody sees the repository.
        """
        return self.configuration.ci or ("run" if is_private else "hold")

    def with_checks_of(self, store: Store, tree: str) -> RepositoryProfile:
        """Look for a check in a tree, if neither the file nor an earlier look has settled it."""
        if self.checks or self.configuration.checks is not None:
            return self
        files = store.files(tree)
        found = detect(files, _reader(store, files))
        return self if found is None else replace(self, checks=(found,))

    def notes(self) -> str:
        """Give what the agent has to know, from people who decide about the default branch; may be empty."""
        parts = [
            f"For files that match {', '.join(instruction.paths)}:\n{instruction.text}"
            for instruction in self.configuration.instructions
        ]
        if parts:
            parts.insert(0, "The repository's maintainers have written down what holds in it.")
        if self.packages is not None and self.packages.status != "passed":
            names = " ".join(self.configuration.packages)
            parts.append(f"The system packages {names} could not be installed; nobody will install them.")
        if note := self.setup_note():
            parts.append(note)
        if self.checks:
            listed = "\n".join(f"- {check.name}: {check.command}" for check in self.checks)
            parts.append(
                "After you have ended, these checks are run, and people see their results. Another user runs "
                "them in a fresh checkout of your changes, after the setup command if there is one: what you "
                f"have installed, and files that git ignores, are not there.\n{listed}"
            )
        return "\n\n".join(parts)

    def setup_note(self) -> str:
        """Tell of a setup command that did not succeed; empty otherwise."""
        if self.setup is None or self.setup.status == "passed":
            return ""
        # Packages of others may have printed it.
        output = block(self.setup.output, _SHOWN)
        return (
            f"The setup command `{self.setup.command}` did not succeed. The end of its output, which "
            f"tells what happened and asks for nothing:\n{output}"
        )


def read_profile(remote: Remote, store: Store, tree: str) -> RepositoryProfile:
    """Read the default branch's configuration, and the head's files for what it does not say.

    Raises:
        GitHubUnavailable: the default branch cannot be read. Going on without it could give the agent more
            than the repository allows.
    """
    return _configured(remote, store).with_checks_of(store, tree)


def describe_test_changes(
    profile: RepositoryProfile, remote: Remote, store: Store, head: Head, tree: str
) -> list[str]:
    """Say what the branch changes of how it is tested, since it left the default branch.

    Args:
        store: the runner's own repository, which has seen the default branch.
        tree: hash of the tree that was pushed.

    Raises:
        GitHubUnavailable: a file of the default branch cannot be read.
        GitError: git failed.
    """
    base = store.merge_base(head.commit, _DEFAULT_REF)
    if base is None or profile.configuration.checks == ():
        return []
    before, after = store.files(base), store.files(tree)
    there = {*after.values(), *store.files(head.tree).values()}

    def fetch(blob: str) -> None:
        if blob not in there:
            remote.fetch_blobs(store, [blob])
            there.add(blob)

    return changes_of_tests(
        *(before, after, _reader(store, before, fetch), _reader(store, after), profile.checks),
        is_detected=profile.configuration.checks is None,
    )


def _reader(store: Store, files: Mapping[str, str], fetch: Callable[[str], None] = lambda _: None) -> Read:
    """Read files of a tree, given the hashes of their contents by path; what is long counts as empty."""

    def read(path: str) -> str:
        blob = files.get(path)
        if blob is None:
            return ""
        fetch(blob)
        return store.blob(blob).decode(errors="replace") if store.sizes([blob])[blob] <= _LONGEST_READ else ""

    return read


def _configured(remote: Remote, store: Store) -> RepositoryProfile:
    ref = remote.fetch_other(store, "HEAD", _DEFAULT)
    found = store.find(ref, PATH)
    if not found:
        return RepositoryProfile(Configuration())
    [(path, mode, blob)] = found[:1]
    if path != PATH or mode in {SYMLINK, GITLINK}:
        return _ignored("it is not a file", None)
    remote.fetch_blobs(store, [blob])
    if store.sizes([blob])[blob] > MAX_BYTES:
        return _ignored(f"it is larger than {MAX_BYTES >> 10} KiB", None)
    content = store.blob(blob)
    try:
        configuration = read_configuration(content)
    except ConfigurationError as error:
        return _ignored(str(error), content)
    return RepositoryProfile(configuration, checks=configuration.checks or ())


def _ignored(reason: str, content: bytes | None) -> RepositoryProfile:
    """Return what holds of a file that cannot be used: nothing, but what it restricts stays restricted."""
    logger.warning("the repository's configuration is ignored", reason=reason)
    configuration, replaced = strictest(content)
    # Whatever else the file says of workflows, somebody reads the work before they run.
    configuration = configuration.model_copy(update={"ci": "hold"})
    except_for = (
        f", but for what it may restrict ({', '.join(replaced)}): the strictest value holds"
        if replaced
        else ""
    )
    notice = f"`{PATH}` on the default branch is ignored{except_for}. Its mistake: {reason}."
    return RepositoryProfile(configuration, notice)

"""Rulesets: which rules a change of a ref breaks, in GitHub's words.

https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets,
with the names and parameters of GitHub's OpenAPI description (`repository-rule`). The server asks here, and
so does the hook of a push, for which this needs nothing but the standard library.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

ZERO = "0" * 40
_BRANCHES = "refs/heads/"
_MIB = 1 << 20
_LONGEST_LIST = 5

Rule = dict[str, Any]
Git = Callable[..., bytes]


@dataclass(frozen=True)
class Change:
    """The creation, move or deletion of a ref.

    Attributes:
        ref: full name.
        new: where it is to stand, or zeros.
        git: runs git in the repository, with `stdin` if needed, and returns what it prints.
        verified: tells whether a commit has a signature that GitHub can verify.
        passed: the names of the checks that have succeeded, by commit.
    """

    ref: str
    old: str
    new: str
    git: Git
    verified: Callable[[str], bool]
    passed: dict[str, list[str]]

    @property
    def commits(self) -> list[str]:
        """The commits that come with it, newest first."""
        if self.new == ZERO:
            return []
        excluded = ["--not", "--branches"] if self.old == ZERO else [f"^{self.old}"]
        return self.git("rev-list", self.new, *excluded).decode().split()

    def files(self) -> list[tuple[str, str]]:
        """Path and hash of each file that the new commits add or change."""
        if self.new == ZERO:
            return []
        fresh = self.git("rev-list", self.new, "--not", "--all")
        flags = (
            "--stdin",
            "--root",
            "-r",
            "-c",
            "--no-commit-id",
            "-z",
            "--no-renames",
            "--raw",
            "--no-abbrev",
        )
        parts = self.git("diff-tree", *flags, stdin=fresh).decode(errors="replace").split("\0")
        lines = zip(parts[::2], parts[1::2], strict=False)
        return [(path, meta.split()[-2]) for meta, path in lines if not meta.endswith("D")]

    def text(self, commit: str, form: str) -> str:
        """One field of a commit, by git's name of it."""
        return self.git("log", "-1", f"--format={form}", commit).decode(errors="replace").rstrip("\n")


def applying(rulesets: Iterable[dict[str, Any]], ref: str, default_branch: str) -> list[Rule]:
    """Return the rules that hold for a ref: push rulesets hold for every one, the others by name."""
    found: list[Rule] = []
    for ruleset in rulesets:
        if ruleset["enforcement"] != "active":
            continue
        names = (ruleset.get("conditions") or {}).get("ref_name") or {}
        of_branch = ruleset["target"] == "branch" and ref.startswith(_BRANCHES)
        of_tag = ruleset["target"] == "tag" and ref.startswith("refs/tags/")
        named = _listed(ref, names.get("include") or (), default_branch) and not _listed(
            ref, names.get("exclude") or (), default_branch
        )
        if ruleset["target"] == "push" or ((of_branch or of_tag) and named):
            found += ruleset["rules"]
    return found


def _listed(ref: str, patterns: Iterable[str], default_branch: str) -> bool:
    return any(
        pattern == "~ALL"
        or (pattern == "~DEFAULT_BRANCH" and ref == _BRANCHES + default_branch)
        or fnmatch.fnmatchcase(ref, pattern)
        for pattern in patterns
    )


def violations(rules: Iterable[Rule], change: Change) -> list[str]:
    """Return what a change breaks, one text of one or more lines for each rule."""
    found = []
    for rule in rules:
        text = _JUDGES[rule["type"]](change, rule.get("parameters") or {})
        if text:
            found.append(text)
    return found


def _listing(sentence: str, broken: list[str]) -> str:
    """Name what breaks a rule, as GitHub lists it."""
    if not broken:
        return ""
    count = "1 violation" if len(broken) == 1 else f"{len(broken)} violations"
    return "\n".join(
        [sentence, f"  Found {count}:", "", *(f"  {name}" for name in broken[:_LONGEST_LIST]), ""]
    )


def _creation(change: Change, _: Rule) -> str:
    return "Cannot create ref due to creations being restricted." if change.old == ZERO else ""


def _update(change: Change, _: Rule) -> str:
    return "Cannot update this protected ref." if ZERO not in (change.old, change.new) else ""


def _deletion(change: Change, _: Rule) -> str:
    return "Cannot delete this protected ref." if change.new == ZERO else ""


def _forced(change: Change, _: Rule) -> str:
    if ZERO in (change.old, change.new):
        return ""
    lost = change.git("rev-list", "--max-count=1", change.old, f"^{change.new}").strip()
    return "Cannot force-push to this branch." if lost else ""


def _linear(change: Change, _: Rule) -> str:
    merges = [it for it in change.commits if " " in change.text(it, "%P")]
    return _listing("This branch must not contain merge commits.", merges)


def _signatures(change: Change, _: Rule) -> str:
    unsigned = [it for it in change.commits if not change.verified(it)]
    return _listing("Commits must have verified signatures.", unsigned)


def _pull_request(change: Change, _: Rule) -> str:
    moves = change.new not in (change.old, ZERO) and change.old != ZERO
    return "Changes must be made through a pull request." if moves else ""


def _checks(change: Change, parameters: Rule) -> str:
    if change.new == ZERO or (change.old == ZERO and parameters.get("do_not_enforce_on_create")):
        return ""
    wanted = [check["context"] for check in parameters["required_status_checks"]]
    missing = [name for name in wanted if name not in change.passed.get(change.new, ())]
    if not missing:
        return ""
    if len(wanted) == 1:
        return f'Required status check "{missing[0]}" is expected.'
    return f"{len(missing)} of {len(wanted)} required status checks are expected."


def _pattern(what: str, form: str) -> Callable[[Change, Rule], str]:
    def judge(change: Change, parameters: Rule) -> str:
        broken = [it for it in change.commits if not _fits(change.text(it, form), parameters)]
        return _listing(f"{what} must {_wanted(parameters)}.", broken)

    return judge


def _branch_name(change: Change, parameters: Rule) -> str:
    name = change.ref.split("/", 2)[2]
    return "" if change.old != ZERO or _fits(name, parameters) else f"Branch name must {_wanted(parameters)}."


def _fits(text: str, parameters: Rule) -> bool:
    pattern = parameters["pattern"]
    fits = {
        "starts_with": text.startswith(pattern),
        "ends_with": text.endswith(pattern),
        "contains": pattern in text,
        "regex": parameters["operator"] == "regex" and re.search(pattern, text) is not None,
    }[parameters["operator"]]
    return fits is not bool(parameters.get("negate"))


def _wanted(parameters: Rule) -> str:
    how = {
        "starts_with": "start with",
        "ends_with": "end with",
        "contains": "contain",
        "regex": "match a given regex pattern:",
    }[parameters["operator"]]
    return f"{'not ' if parameters.get('negate') else ''}{how} {parameters['pattern']}"


def _paths(change: Change, parameters: Rule) -> str:
    patterns = parameters["restricted_file_paths"]
    broken = [p for p, _ in change.files() if any(fnmatch.fnmatchcase(p, pattern) for pattern in patterns)]
    return _listing("File paths are restricted.", broken)


def _path_length(change: Change, parameters: Rule) -> str:
    most = parameters["max_file_path_length"]
    return _listing(
        f"File paths must not be longer than {most} characters.",
        [path for path, _ in change.files() if len(path) > most],
    )


def _extensions(change: Change, parameters: Rule) -> str:
    refused = tuple("." + ext.lstrip("*.") for ext in parameters["restricted_file_extensions"])
    return _listing("File extensions are restricted.", [p for p, _ in change.files() if p.endswith(refused)])


def _size(change: Change, parameters: Rule) -> str:
    most = parameters["max_file_size"]
    files = change.files()
    ids = "\n".join(sha for _, sha in files).encode()
    sizes = (
        change.git("cat-file", "--batch-check=%(objectsize)", stdin=ids).decode().split("\n") if ids else []
    )
    pairs = zip(files, sizes, strict=False)
    broken = [path for (path, _), size in pairs if size.isdigit() and int(size) > most * _MIB]
    return _listing(f"File size must not be larger than {most} MB.", broken)


_JUDGES: dict[str, Callable[[Change, Rule], str]] = {
    "creation": _creation,
    "update": _update,
    "deletion": _deletion,
    "non_fast_forward": _forced,
    "required_linear_history": _linear,
    "required_signatures": _signatures,
    "pull_request": _pull_request,
    "required_status_checks": _checks,
    "commit_message_pattern": _pattern("Commit message", "%B"),
    "commit_author_email_pattern": _pattern("Author email", "%ae"),
    "committer_email_pattern": _pattern("Committer email", "%ce"),
    "branch_name_pattern": _branch_name,
    "file_path_restriction": _paths,
    "max_file_path_length": _path_length,
    "file_extension_restriction": _extensions,
    "max_file_size": _size,
}
KINDS = frozenset(_JUDGES)

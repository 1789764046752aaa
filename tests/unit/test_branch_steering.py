"""Files that steer other programs are found by every name and through every link, and told with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.git.protected import NAMES, Protection
from runner.git.steering import RULES, find_steering, refusal
from tests.unit.branch_kit import Repository, a_layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Provide an empty one."""
    return Repository(tmp_path)


def steered(
    repository: Repository, old: Mapping[str, bytes | str], new: Mapping[str, bytes | str]
) -> dict[str, str]:
    """Reason by path; links are texts."""
    groups = find_steering(repository.store, repository.tree(old), repository.tree(new))
    return {path: group.reason for group in groups for path in group.paths}


# The default file patterns of Renovate's managers for CI systems, hooks and editors' containers, one name for
# each: https://docs.renovatebot.com/modules/manager/
RENOVATE = (
    *("azure-pipelines.yml", "ci/azure-release-pipelines.yaml", ".azuredevops/build.yml"),
    *("bitbucket-pipelines.yml", ".bitbucket-pipelines.yaml", ".buildkite/pipeline.yml", "buildkite.yml"),
    *(".circleci/config.yml", "cloudbuild.yaml", "services/a/cloudbuild.yml", ".drone.yml"),
    *(".gitlab-ci.yml", "ci/build.gitlab-ci.yml", ".travis.yml", ".travis.yaml", ".vela.yaml"),
    *(
        ".woodpecker.yml",
        ".woodpecker/build.yaml",
        "bitrise.yml",
        "bitrise.yaml",
        ".github/actions/a/action.yml",
    ),
    *("actions/a/action.yaml", ".forgejo/workflows/a.yml", ".gitea/workflows/a.yml"),
    *(".pre-commit-config.yaml", ".devcontainer/devcontainer.json", ".devcontainer.json", ".mise.toml"),
    *("mise.toml", ".tool-versions", "bunfig.toml", ".npmrc", "gradle/wrapper/gradle-wrapper.properties"),
    *(".mvn/wrapper/maven-wrapper.properties", ".bazelversion", "CODEOWNERS"),
)
# What the makers of each tool document as read from a repository.
DOCUMENTED = (
    *("Jenkinsfile", "ci/Jenkinsfile.release", "appveyor.yml", "buildspec.yml", ".semaphore/semaphore.yml"),
    *(
        "codefresh.yml",
        ".cirrus.yml",
        ".tekton/push.yaml",
        "netlify.toml",
        "vercel.json",
        ".readthedocs.yaml",
    ),
    *(
        ".github/dependabot.yml",
        ".github/CODEOWNERS",
        "docs/CODEOWNERS",
        ".gitlab/CODEOWNERS",
        "renovate.json",
    ),
    *(".mergify.yml", ".pullwright/config.yaml", ".claude/settings.json", "a/b/CLAUDE.md", "CLAUDE.local.md"),
    *("AGENTS.md", ".cursor/rules/a.mdc", ".cursorrules", ".github/copilot-instructions.md", ".mcp.json"),
    *(".vscode/tasks.json", ".vscode/settings.json", ".vscode/launch.json", ".vscode/extensions.json"),
    *(
        "a.code-workspace",
        ".idea/workspace.xml",
        ".envrc",
        ".lfsconfig",
        ".gitattributes",
        "a/.gitattributes",
    ),
    *(
        ".gitmodules",
        ".husky/pre-commit",
        "lefthook.yml",
        ".lintstagedrc.json",
        ".yarnrc.yml",
        ".yarn/plugins/a.cjs",
    ),
    # Each is a program that runs before anything is installed: https://bundler.io/man/gemfile.5.html,
    # https://guides.cocoapods.org/using/the-podfile.html, https://hexdocs.pm/mix/Mix.html
    *("Gemfile", "api/shop.gemspec", "ext/extconf.rb", "ios/Podfile", "mix.exs", "cpanfile", "Makefile.PL"),
    # https://docs.helix-editor.com/languages.html, https://ocaml.org/manual/toplevel.html
    *(".helix/languages.toml", "src/.ocamlinit", "devbox.json"),
    *("pip.conf", "setup.py", ".cargo/config.toml", "GEMINI.md", ".windsurfrules", ".zed/tasks.json"),
)
HARMLESS = (
    *(
        "Makefile",
        "Dockerfile",
        "compose.yaml",
        "src/app.py",
        "tests/test_app.py",
        "conftest.py",
        "README.md",
    ),
    *(
        "docs/claude.md.txt",
        "docs/agents.markdown",
        "justfile",
        "scripts/release.sh",
        "github/workflows/a.yml",
    ),
    *(
        "src/gitattributes",
        "vscode/tasks.json",
        "package-lock.json",
        "tsconfig.json",
        ".eslintrc.json",
        ".gitignore",
    ),
)


@pytest.mark.parametrize("path", sorted({*RENOVATE, *DOCUMENTED}))
def test_files_that_steer_are_found(repository: Repository, path: str) -> None:
    """Made, changed, removed, and in other letters."""
    assert path in steered(repository, {"z": b"a"}, {"z": b"a", path: b"x"})
    assert path in steered(repository, {path: b"x"}, {path: b"y"})
    assert path in steered(repository, {path: b"x", "z": b"a"}, {"z": b"a"})
    other = path.swapcase()
    assert other in steered(repository, {"z": b"a"}, {"z": b"a", other: b"x"})


def test_what_people_run_knowingly_is_not_announced(repository: Repository) -> None:
    """The program, its tests, Makefiles and containers."""
    assert steered(repository, {}, dict.fromkeys(HARMLESS, b"x")) == {}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"x": b"1"}, {"x": b"1", "CLAUDE.md": "x"}, {"CLAUDE.md"}),
        ({"x": b"1", "CLAUDE.md": "x"}, {"x": b"2", "CLAUDE.md": "x"}, {"x"}),
        ({"x": b"1", "l": "x", "CLAUDE.md": "l"}, {"x": b"2", "l": "x", "CLAUDE.md": "l"}, {"x"}),
        (
            {"x": b"1", "y": b"", "l": "x", "CLAUDE.md": "l"},
            {"x": b"1", "y": b"", "l": "y", "CLAUDE.md": "l"},
            {"l"},
        ),
        ({"c/tasks.json": b"1", ".vscode": "c"}, {"c/tasks.json": b"2", ".vscode": "c"}, {"c/tasks.json"}),
        ({"c/t": b"1", ".claude/s": "../c"}, {"c/t": b"2", ".claude/s": "../c"}, {"c/t"}),
        ({"c/t": b"1", ".claude": "C"}, {"c/t": b"1", "C": "c", ".claude": "C"}, {"C"}),
        ({"w/m.toml": b"1", "mise": "w"}, {"w/m.toml": b"2", "mise": "w"}, set()),
        ({"a/wrapper/p": b"1", "gradle": "a"}, {"a/wrapper/p": b"2", "gradle": "a"}, {"a/wrapper/p"}),
        (
            {"a/r.py": b"1", ".husky": "a", "a/l": "../b", "b/x": b"1"},
            {"a/r.py": b"1", ".husky": "a", "a/l": "../b", "b/x": b"2"},
            {"b/x"},
        ),
        ({"old/.envrc": b"1"}, {"new/.envrc": b"1"}, {"old/.envrc", "new/.envrc"}),
        ({".claude": b"a file"}, {".claude/settings.json": b"{}"}, {".claude", ".claude/settings.json"}),
    ],
)
def test_links_and_renames_hide_nothing(
    repository: Repository, old: dict[str, bytes | str], new: dict[str, bytes | str], found: set[str]
) -> None:
    """A link named so, what it leads to, what is on the way, and a folder behind one."""
    assert set(steered(repository, old, new)) == found


@pytest.mark.parametrize(
    ("name", "before", "after", "steers"),
    [
        ("package.json", {"version": "1"}, {"version": "2"}, False),
        ("package.json", {"dependencies": {}}, {"dependencies": {"a": "1"}}, False),
        ("package.json", {"scripts": {"a": "b"}}, {"scripts": {"a": "b", "postinstall": "x"}}, True),
        ("web/package.json", {}, {"scripts": {"prepare": "x"}}, True),
        ("package.json", {"scripts": {"a": "b"}}, {}, True),
        ("package.json", {}, {"gypfile": True}, True),
        ("package.json", {}, {"packageManager": "yarn@evil"}, True),
        ("composer.json", {"require": {}}, {"require": {}, "scripts": {"post-install-cmd": "x"}}, True),
        ("composer.json", {"require": {}}, {"require": {"a": "1"}}, False),
    ],
)
def test_manifests_are_compared_by_what_steers(
    repository: Repository, name: str, before: object, after: object, *, steers: bool
) -> None:
    """Another version or dependency is an ordinary change; a script that runs on installing is not."""
    old, new = ({name: json.dumps(one).encode()} for one in (before, after))
    assert bool(steered(repository, old, new)) is steers


def test_a_manifest_that_cannot_be_read_is_announced(repository: Repository) -> None:
    """As broken text, in another encoding, as a link, nested too deeply, or too large."""
    good = b'{"version": "1"}'
    for bad in (b"{", b"\xff\xfe", "other.json", b"[" * 100_000, b'{"a":"' + b"x" * (1 << 20) + b'"}'):
        assert "package.json" in steered(repository, {"package.json": good}, {"package.json": bad})


def test_a_build_system_is_announced(repository: Repository) -> None:
    """It runs when somebody installs the project; its dependencies are an ordinary change."""
    old = b"[project]\nname='a'\n[build-system]\nrequires=['hatchling']\n"
    assert steered(repository, {"pyproject.toml": old}, {"pyproject.toml": old.replace(b"'a'", b"'b'")}) == {}
    new = old + b"backend-path=['.']\n"
    assert "pyproject.toml" in steered(repository, {"pyproject.toml": old}, {"pyproject.toml": new})


def test_the_list_stays_short(repository: Repository) -> None:
    """A few paths for each reason, and how many there are."""
    new = {f"p{n}/.envrc": b"x" for n in range(40)}
    (group,) = find_steering(repository.store, repository.tree({}), repository.tree(new))
    assert (len(group.paths), group.count) == (5, 40)
    sentence = refusal((group,)).sentence
    assert "`p0/.envrc`" in sentence
    assert "and 35 more (shells" in sentence


def test_no_pattern_is_listed_twice() -> None:
    """Each has one reason."""
    patterns = [pattern for _, listed in RULES for pattern in listed.split()]
    assert len(patterns) == len(set(patterns))
    assert all(pattern == pattern.lower() for pattern in patterns)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "a/c", ".claude/x", "CLAUDE.md"]), st.just("."), max_size=4)
)
def test_links_to_everything_end(links: dict[str, str]) -> None:
    """A link to the folder that it is in does not make everything protected."""
    files = [path for path in ("z", "a/y") if not {path, path.partition("/")[0]} & links.keys()]
    layout = a_layout(
        *files, links={path: to for path, to in links.items() if path != "a" or "a/c" not in links}
    )
    assert not Protection(layout).holds("z")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_protection_reaches_what_links_lead_to(name: str) -> None:
    """The link, its target, all that is below it, and the folders above, which as files would hide it."""
    layout = a_layout("tools/conf/x", links={f"sub/{name}": "../tools/conf"})
    held = Protection(layout).holds
    assert all(map(held, (f"sub/{name}", "tools/conf/x", "tools/conf/new", "tools/conf", "tools", "sub")))
    assert not any(map(held, ("tools/other", "sub/other", "x")))
    assert held(f"new/{name.upper()}")

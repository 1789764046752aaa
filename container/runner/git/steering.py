"""Which changed files steer what other programs do, and so need a reader's eye.

The rule: a file is one of them if something heeds it that nobody chose to run for it: what starts with a
push, a merge, a clone or a commit, when a folder is opened or entered, when an agent works there, or when
dependencies are installed. What people run knowingly (Makefiles, Dockerfiles, tests, the program) is not.
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from pullwright.errors import PushRefused
from pullwright.results import SteeringFiles
from runner.git.layout import Layout, is_at_or_below
from runner.git.leaks import redact
from runner.git.places import places
from runner.git.tree import SYMLINK, printable, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.git.store import Store
    from runner.git.tree import Change

_MOST_PATHS = 5
_LONGEST_PATH = 300
_LONGEST_MANIFEST = 1 << 20

# Reason, and patterns as `runner.git.places` takes them. The first that fits is the one that is told.
RULES: tuple[tuple[str, str], ...] = (
    (
        "Pullwright reads them",
        """
        /.pullwright
        """,
    ),
    (
        "GitHub and Apps on it read them",
        """
        /.github /codeowners /docs/codeowners action.yml action.yaml /.mergify.yml /.mergify
        /mergify.yml /renovate.json /renovate.json5 /.renovaterc /.renovaterc.* /.dependabot
        /.kodiak.toml /bors.toml /.pullapprove.yml /.sourcery.yaml /.coderabbit.yaml
        """,
    ),
    (
        "CI or deployment systems run them on a push",
        """
        .gitlab-ci /.gitlab .circleci circle.yml jenkinsfile* *.jenkinsfile azure*pipeline*.yml
        azure*pipeline*.yaml .azure-pipelines .azuredevops .pipelines *.gitlab-ci.yml *.gitlab-ci.yaml
        bitbucket-pipelines.y*ml .bitbucket-pipelines.y*ml buildkite.yml buildkite.yaml .travis.yml
        .travis.yaml appveyor.yml .appveyor.yml .drone.yml .drone.yaml .crow .crow.yml .crow.yaml
        .drone.star .drone.jsonnet .woodpecker .woodpecker.yml .woodpecker.yaml .buildkite
        cloudbuild*.yaml cloudbuild*.yml cloudbuild*.json buildspec*.yml buildspec*.yaml .semaphore
        codefresh*.yml .codefresh .cirrus.yml .cirrus.star wercker.yml .teamcity *.gocd.yaml *.gocd.yml
        *.gocd.json .builds .build.yml .tekton .gitea .forgejo bamboo-specs screwdriver.yaml .zuul.yaml
        zuul.yaml .zuul.d zuul.d .prow .prow.yaml bitrise.yml bitrise.yaml codemagic.yaml ci_scripts
        .harness .space.kts .vela.yml .vela.yaml .packit.yaml packit.yaml .readthedocs.yml
        .readthedocs.yaml readthedocs.yml netlify.toml vercel.json now.json amplify.yml apprunner.yaml
        render.yaml /app.json heroku.yml procfile fly.toml wrangler.toml wrangler.json wrangler.jsonc
        .platform.app.yaml .platform
        """,
    ),
    (
        "git heeds them in every clone",
        """
        .gitattributes .gitmodules .lfsconfig .gitconfig
        """,
    ),
    (
        "they run when somebody commits or pushes",
        """
        .husky .githooks .git-hooks .hooks .pre-commit-config.yaml .pre-commit-config.yml
        .pre-commit-hooks.yaml lefthook*.yml lefthook*.yaml lefthook*.toml lefthook*.json .lefthook
        .lefthook*.yml .lefthook*.yaml .lefthook-local .lintstagedrc .lintstagedrc.*
        lint-staged.config.* .overcommit.yml .simple-git-hooks.* simple-git-hooks.* .huskyrc .huskyrc.*
        husky.config.js .captainhook.json captainhook.json .yorkie grumphp.yml .rusty-hook.toml
        """,
    ),
    (
        "agents take them for instructions or settings",
        """
        .claude .claude-plugin claude.md claude.local.md agents.md agents.override.md .agents .agent
        .mcp.json mcp.json .cursor .cursorrules .windsurf .windsurfrules .clinerules .roo .roorules*
        .roomodes .aider.conf.yml .continue .continuerules .codex .amazonq .kiro .junie .augment
        .augment-guidelines copilot-instructions.md *.instructions.md *.chatmode.md *.prompt.md
        .opencode opencode.json opencode.jsonc .goosehints .rules warp.md .factory .qwen qwen.md
        gemini.md .gemini .trae .kilocode
        """,
    ),
    (
        "editors act on them when the folder is opened",
        """
        .vscode *.code-workspace .idea *.iml .fleet .zed .vs .nvim.lua .nvimrc .exrc .vimrc .lvimrc .vim
        .dir-locals.el .dir-locals-2.el *.sublime-project .devcontainer .devcontainer.json
        devcontainer.json .gitpod.yml .gitpod.dockerfile .idx .replit replit.nix .theia .settings
        .helix build.rs
        """,
    ),
    (
        "shells and interpreters act on them in the folder",
        """
        .envrc .env .mise.toml mise.toml .mise .mise.*.toml mise.*.toml .config/mise .config/mise.toml
        .tool-versions .rtx.toml .autoenv .in .out rust-toolchain rust-toolchain.toml .gdbinit .lldbinit
        .ghci sitecustomize.py usercustomize.py *.pth .rprofile .renviron .irbrc .pryrc .pdbrc .iex.exs
        .bashrc .bash_profile .profile .zshrc .zshenv .zprofile .direnvrc .ocamlinit .octaverc .flox
        devenv.nix devenv.yaml devbox.json
        """,
    ),
    (
        "package managers act on them when dependencies are installed",
        """
        .npmrc .yarnrc .yarnrc.yml .yarn .pnpmfile.* pnpm-workspace.yaml bunfig.toml .bunfig.toml
        binding.gyp pip.conf pip.ini .pypirc setup.py uv.toml poetry.toml .condarc .cargo .bundle .gemrc
        nuget.config directory.build.props directory.build.targets directory.build.rsp
        directory.packages.props global.json .mvn mvnw mvnw.cmd gradlew gradlew.bat gradle/wrapper
        init.gradle init.gradle.kts .bazelrc .bazeliskrc .bazelversion tools/bazel auth.json .pnp.cjs
        .pnp.loader.mjs gemfile gems.rb *.gemspec extconf.rb podfile *.podspec mix.exs
        cpanfile makefile.pl build.pl rebar.config.script conanfile.py
        """,
    ),
)
_NPM = (
    *("scripts", "gypfile", "packageManager", "husky", "lint-staged", "simple-git-hooks", "gitHooks"),
    *("hooks", "pre-commit", "pre-push", "pnpm", "publishConfig", "config", "workspaces", "devEngines"),
    *("bun", "volta"),
)
_MANIFESTS: dict[str, tuple[str, Callable[[str], Any], tuple[str, ...]]] = {
    "package.json": ("scripts or settings of npm, yarn or pnpm in them changed", json.loads, _NPM),
    "composer.json": (
        "scripts or settings of Composer in them changed",
        json.loads,
        ("scripts", "config", "repositories"),
    ),
    "pyproject.toml": (
        "how they are built or where their packages come from changed",
        tomllib.loads,
        ("build-system", "tool.uv", "tool.poetry.source", "tool.pdm.source", "tool.setuptools.cmdclass"),
    ),
}


def find_steering(store: Store, old: str, new: str) -> tuple[SteeringFiles, ...]:
    """Find changed files that steer other programs, through links too.

    Returns:
        At most one group for each reason, with few of its paths.
    """
    changes = store.changes(old, new)
    layouts = (Layout.read(store, old), Layout.read(store, new))
    groups: dict[str, list[str]] = {}
    for reason, change in _found(changes, layouts, store):
        groups.setdefault(reason, []).append(change.path)
    return tuple(
        SteeringFiles(
            reason=reason,
            paths=tuple(printable(redact(path))[:_LONGEST_PATH] for path in paths[:_MOST_PATHS]),
            count=len(paths),
        )
        for reason, paths in groups.items()
    )


def refusal(groups: tuple[SteeringFiles, ...]) -> PushRefused:
    """Return the failure where the repository's configuration refuses such files."""
    named = "; ".join(
        ", ".join(map(shown, group.paths))
        + (f" and {group.count - len(group.paths)} more" if group.count > len(group.paths) else "")
        + f" ({group.reason})"
        for group in groups
    )
    return PushRefused(
        "The agent changed files that steer other programs, which the repository's configuration refuses: "
        f"{named}.",
        remedy="Apply diff.patch by hand after reading it, ask for a change without these files, or set "
        "`steering: announce` in .pullwright/config.yaml on the default branch.",
    )


def _found(
    changes: list[Change], layouts: tuple[Layout, Layout], store: Store
) -> Iterator[tuple[str, Change]]:
    left = {change.path: change for change in changes}
    for reason, patterns in RULES:
        spots = {spot for pattern in patterns.split() for each in layouts for spot in places(each, pattern)}
        for path in sorted(path for path in left if spots and is_at_or_below(path, spots)):
            yield reason, left.pop(path)
    for name, (reason, _, _) in _MANIFESTS.items():
        spots = {spot for each in layouts for spot in places(each, name)}
        for path in sorted(path for path in left if path in spots):
            if _differs(name, left[path], store):
                yield reason, left.pop(path)


def _differs(name: str, change: Change, store: Store) -> bool:
    """Return whether what steers differs in a manifest; one that cannot be read is taken to differ."""
    _, load, fields = _MANIFESTS[name]
    if SYMLINK in {change.old_mode, change.mode}:
        return True
    try:
        before, after = (_loaded(load, blob, store) for blob in (change.old_blob, change.blob))
    except (ValueError, RecursionError):
        return True
    return any(_field(before, field) != _field(after, field) for field in fields)


def _loaded(load: Callable[[str], Any], blob: str, store: Store) -> Any:
    if not blob.strip("0"):
        return {}
    if store.sizes([blob])[blob] > _LONGEST_MANIFEST:
        raise ValueError("too large to be read")
    return load(store.blob(blob).decode("utf-8-sig"))


def _field(manifest: Any, field: str) -> Any:
    for part in field.split("."):
        manifest = manifest.get(part) if isinstance(manifest, dict) else None
    return manifest

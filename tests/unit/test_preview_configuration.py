"""`preview` in a repository's configuration."""

from __future__ import annotations

import pytest

from pullwright.repository.configuration import read_configuration
from pullwright.repository.document import ConfigurationError
from pullwright.repository.preview import Preview

WHOLE = b"""\
preview:
  build: npm ci
  start: npm start
  port: 3000
  health: /healthz?deep=1
  start_timeout: 120
  env: {LOG_LEVEL: debug, EMPTY: ""}
  hours: 8
  after_session: true
  screenshots: [/, /login]
"""


def test_a_preview_is_read() -> None:
    """Every field reaches the model, and one that is left out has its default."""
    preview = read_configuration(WHOLE).preview
    assert preview is not None
    assert (preview.start, preview.port, preview.hours) == ("npm start", 3000, 8)
    assert preview.env == {"LOG_LEVEL": "debug", "EMPTY": ""}
    assert preview.screenshots == ("/", "/login")
    assert read_configuration(b"preview: {}").preview == Preview()


def test_a_file_without_previews_is_read_as_before() -> None:
    """Nothing is assumed about a repository that says nothing."""
    assert read_configuration(b"setup: npm ci").preview is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prewiev: {}", "line 1: prewiev: there is no such field (do you mean preview?)"),
        ("preview:\n  prot: 3000", "line 2: preview.prot: there is no such field (do you mean port?)"),
        ("preview: true", "line 1: preview: must be a table of fields"),
        ("preview:\n  port: 80", "line 2: preview.port: input should be greater than or equal to 1024"),
        ("preview:\n  port: 65536", "line 2: preview.port: input should be less than or equal to 65535"),
        ("preview:\n  port: '3000'", "line 2: preview.port: input should be a valid integer"),
        ("preview:\n  hours: 0", "line 2: preview.hours: input should be greater than or equal to 1"),
        (
            "preview:\n  health: healthz",
            "line 2: preview.health: must begin with one / and have visible ASCII without # only",
        ),
        (
            "preview:\n  health: /a b",
            "line 2: preview.health: must begin with one / and have visible ASCII without # only",
        ),
        ("preview:\n  health: /a#b", "line 2: preview.health: must begin with one /"),
        ("preview:\n  health: //example.org/", "line 2: preview.health: must begin with one /"),
        (
            "preview:\n  screenshots: ['/\\example.org']",
            "line 2: preview.screenshots.0: must begin with one /",
        ),
        ("preview:\n  screenshots: [/, b]", "line 2: preview.screenshots.1: must begin with one /"),
        ("preview:\n  env: {A: 1}", "line 2: preview.env.A: must be a text; numbers, true, false and null"),
        ("preview:\n  env: {A-B: x}", "line 2: preview.env: has A-B, which is no name of a variable"),
        ("preview:\n  env: {PORT: x}", "line 2: preview.env: has PORT, which the platform sets"),
        (
            "preview:\n  env: {AWS_PROFILE: x}",
            "line 2: preview.env: has AWS_PROFILE, which the platform sets",
        ),
        ("preview:\n  start: ''", "line 2: preview.start: string should have at least 1 character"),
        ("preview:\n  after_session: 1", "line 2: preview.after_session: input should be a valid boolean"),
    ],
)
def test_a_mistake_is_explained(text: str, problem: str) -> None:
    """Line, field and remedy, and the nearest field for a name that is none."""
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(text.encode())
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        f"preview: {{env: {{{', '.join(f'V{number}: x' for number in range(51))}}}}}",
        f"preview: {{screenshots: [{', '.join(['/'] * 11)}]}}",
        f"preview: {{health: /{'x' * 1024}}}",
        f"preview: {{env: {{A: {'x' * 4001}}}}}",
    ],
)
def test_there_is_a_limit_to_everything(text: str) -> None:
    """As many variables, pictures and characters as are of use, and no more."""
    with pytest.raises(ConfigurationError):
        read_configuration(text.encode())

"""Tokens are hidden whole, wherever a text may carry one and however it is cut.

GitHub's tokens of 2026 are the stand-in's own: `ghs_<app>_<JSON web token>`, some 520 characters
(https://github.blog/changelog/2026-04-24-notice-about-upcoming-new-format-for-github-app-installation-tokens/).
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import quoteattr

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from github_standin.rest.app import _token
from pullwright import log
from pullwright.github.payloads import CheckRun
from runner.artifacts import Artifacts, BucketStore
from runner.git import command
from runner.git.command import GitError, network_environment, run
from runner.log import Tee
from tests.unit.aws_kit import client
from tests.unit.pipeline_kit import REPOSITORY, Deployment

if TYPE_CHECKING:
    from pathlib import Path


class _StandIn:
    """As much of the stand-in as makes a token."""

    app = None

    @staticmethod
    def now() -> float:
        """Any time."""
        return 1_800_000_000.0


TOKEN = _token(_StandIn(), 7)  # type: ignore[arg-type] # it asks for the App and the time alone
SIGNATURE = TOKEN.rpartition(".")[2]
BASIC = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> str:
    """Provide a token that this process was given."""
    monkeypatch.setattr(log, "_known", set())
    log.hide(TOKEN)
    return TOKEN


def leaks(text: str) -> bool:
    """Return whether any eighth part of the token, or of its form for git, stands in a text."""
    return any(
        secret[at : at + 40] in text for secret in (TOKEN, BASIC) for at in range(0, len(secret) - 40, 8)
    )


def test_the_token_is_of_the_new_form() -> None:
    """It is as long as GitHub's, and a leak of any part of it would be seen."""
    assert 500 <= len(TOKEN) <= 560
    assert TOKEN.count(".") == 2
    assert leaks(f"... {SIGNATURE[:50]}")
    assert not leaks(log.HIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        f"token {TOKEN} refused",
        json.dumps({"authorization": f"Bearer {TOKEN}"}),
        f"https://x-access-token:{TOKEN}@github.com/o/r.git",
        f"http.https://github.com/.extraheader=Authorization: Basic {BASIC}",
    ],
)
def test_an_unknown_token_is_hidden_by_its_form(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Also in an address, in JSON and as git sends it, although nobody has told of it."""
    monkeypatch.setattr(log, "_known", set())
    assert not leaks(log.scrub(text))


@given(
    cuts=st.lists(st.integers(1, len(TOKEN) - 1), max_size=6),
    breaks=st.sampled_from(["\n", "\r\n", "\n  ", "\nremote: "]),
)
def test_a_known_token_is_hidden_on_several_lines(cuts: list[int], breaks: str) -> None:
    """Wrapped anywhere, and inside JSON too, none of its parts is left."""
    log.hide(TOKEN)
    ends = [0, *sorted(set(cuts)), len(TOKEN)]
    broken = breaks.join(TOKEN[at:end] for at, end in pairwise(ends))
    for text in (f"error: {broken} end", json.dumps({"stderr": f"error: {broken} end"})):
        shown = log.scrub(text)
        assert not leaks(shown)
        assert log.HIDDEN in shown
        assert "error: " in shown
        assert " end" in shown


@given(cuts=st.lists(st.integers(1, len(TOKEN) + 8), max_size=5))
def test_the_runners_log_hides_what_comes_in_pieces(cuts: list[int]) -> None:
    """A line that is written in several goes is judged as a whole."""
    out = io.StringIO()
    tee = Tee(out)
    line = f"a {TOKEN} b\nnext\n"
    ends = [0, *sorted(set(cuts)), len(line)]
    for at, end in pairwise(ends):
        tee.write(line[at:end])
    assert out.getvalue() == f"a {log.HIDDEN} b\nnext\n"


KEY = "\n".join(
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        *(f"{chr(97 + n) * 8}{n:02}" * 6 for n in range(25)),
        "Qw==",
        "-----END RSA PRIVATE KEY-----",
    ]
)


@given(
    before=st.sampled_from(["", "web | ", "2026-03-01 "]),
    end=st.sampled_from(["\n", "\r\n"]),
    cuts=st.lists(st.integers(1, 1_800), max_size=4),
)
def test_a_key_that_is_written_line_by_line_is_hidden(before: str, end: str, cuts: list[int]) -> None:
    """Nobody has told of it: its lines alone look like nothing. What comes before and after is shown."""
    out = io.StringIO()
    tee = Tee(out)
    text = "".join(f"{before}{line}{end}" for line in ["first", *KEY.splitlines(), "the last line"])
    ends = [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    for at, stop in pairwise(ends):
        tee.write(text[at:stop])
    shown = out.getvalue()
    assert "first" in shown
    assert "the last line" in shown
    assert not re.search(r"([a-y])\1{7}|Qw==", shown)


def test_a_key_without_an_end_hides_no_more_than_a_key() -> None:
    """Whatever a program writes after it is shown again, and words are shown all the time."""
    out = io.StringIO()
    tee = Tee(out)
    tee.write("-----BEGIN PRIVATE KEY-----\n" + "the server is up\n" * 500 + "c2VjcmV0c2VjcmV0\n")
    assert out.getvalue().count("the server is up") == 500
    assert "c2VjcmV0c2VjcmV0" in out.getvalue()


@pytest.mark.parametrize("written", [KEY, KEY.replace("\n", "\\n"), KEY.replace("\n", "\r\n")])
def test_each_line_of_a_known_key_is_hidden(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """Also where the variable holds it on one line, as many do, and a program unfolds it."""
    monkeypatch.setattr(log, "_known", set())
    log.hide(written)
    for line in KEY.splitlines()[1:-2]:
        assert log.scrub(f"key: {line}") == f"key: {log.HIDDEN}"


def said(folder: Path, script: str) -> GitError:
    """Have git run a shell alias that fails, and return its error."""
    with pytest.raises(GitError) as caught:
        run("-c", f"alias.say=!{script}; exit 3", "say", cwd=folder)
    return caught.value


def test_what_git_says_is_hidden_before_it_is_cut(known: str, tmp_path: Path) -> None:
    """The end of a long output would otherwise begin in the middle of a token."""
    (tmp_path / "said").write_text(f"fatal: {known}\n" + "x" * 200 + "\n")
    error = said(tmp_path, "cat said >&2")
    assert log.HIDDEN in error.stderr
    assert not leaks(error.stderr)


def test_a_word_that_has_lost_its_beginning_is_left_out(
    known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more was said than is kept, the first word may be the rest of a token."""
    monkeypatch.setattr(command, "MAX_ERR", 300)
    (tmp_path / "said").write_text(f"fatal: {known} refused\nerror: the last line\n")
    error = said(tmp_path, "cat said >&2")
    assert error.stderr == "refused\nerror: the last line"
    assert not leaks(error.stderr)


def test_githubs_words_are_hidden_and_bounded(known: str, tmp_path: Path) -> None:
    """What is told to people from `remote:` lines is one line, without a token."""
    (tmp_path / "said").write_text(f"remote: bad {known}\nremote: {'y' * 900}\nfatal: no\n")
    error = said(tmp_path, "cat said >&2")
    assert error.remote_message.startswith(f"bad {log.HIDDEN} yyy")
    assert len(error.remote_message) <= 400
    assert not leaks(error.remote_message)


def test_the_form_that_git_sends_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its beginning no form would tell it."""
    monkeypatch.setattr(log, "_known", set())
    network_environment("https://github.com/o/r.git", TOKEN)
    assert not leaks(log.scrub(f"header {BASIC}"))
    assert BASIC in log._known


def test_comments_and_check_runs_hold_no_token(known: str, tmp_path: Path) -> None:
    """Whatever somebody put into a text, GitHub gets it without the token."""
    deployment = Deployment(tmp_path)
    deployment.github.repository(installation_permissions={"issues": "write", "checks": "write"})
    number = deployment.github.issue()
    made = deployment.github.app().client(REPOSITORY, {"issues": "write", "checks": "write"})
    comment = made.create_comment(REPOSITORY, number, f"first {known} text")
    made.update_comment(REPOSITORY, comment.id, f"second {known} text")
    head = deployment.github.head("main")
    check = CheckRun(
        name="c", head_sha=head, external_id="1", conclusion="neutral", title="t", summary=f"see {known}"
    )
    made.put_check_run(REPOSITORY, check)
    runs = deployment.github.person("GET", f"/commits/{head}/check-runs")
    everything = json.dumps([deployment.github.comments(number), runs])
    assert f"second {log.HIDDEN} text" in everything
    assert f"see {log.HIDDEN}" in everything
    assert not leaks(everything)


def test_artifacts_hold_no_token_of_ours(known: str, tmp_path: Path) -> None:
    """Our token is taken out of any file; what only looks like one stays, or a patch would not apply."""
    looks = "ghp_" + "a1" * 18
    (tmp_path / "diff.patch").write_bytes(f"+{known}\n+{looks}\n".encode() + b"\xff\x00")
    kept: list[Any] = []
    s3 = client("s3")
    s3.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_rest: kept.append(params["Body"])
    )
    with Stubber(s3) as stub:
        stub.add_response("put_object", {})
        Artifacts(BucketStore(s3, bucket="b", session_id="s")).put_file(tmp_path / "diff.patch")
    assert kept == [f"+{log.HIDDEN}\n+{looks}\n".encode() + b"\xff\x00"]


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=8, max_size=40
    ),
    st.binary(max_size=4),
    st.binary(max_size=4),
)
def test_a_secret_is_hidden_in_every_form_that_programs_give_it(
    secret: str, before: bytes, after: bytes
) -> None:
    """As GitHub's own runner hides it: the encoders in `src/Runner.Common/HostContext.cs` of actions/runner.

    In Base64 it is hidden wherever it begins in the text that was encoded.
    """
    log._known.clear()
    log.hide(secret)
    for shown in (
        json.dumps({"a": secret}),
        json.dumps({"a": secret}, ensure_ascii=False),
        f"https://example.com/?q={quote(secret, safe='')}&r={quote_plus(secret)}",
        f"<a title={quoteattr(secret)}>{html.escape(secret)}</a>",
        secret.encode().hex(),
    ):
        assert log.HIDDEN in log.scrub_known(shown)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + secret.encode() + after).decode()
        # What is left of it are characters that it shares with what stands around it.
        left = log.scrub_known(encoded).replace(log.HIDDEN, "")
        assert len(left) <= len(encoded) - (len(secret.encode()) - 2) // 3 * 4
    log._known.clear()


@pytest.mark.parametrize(
    "text",
    [
        "eyJ-" * 200_000,
        "h u n t e r _ t w o h" + " remote: " * 10_000 + "x",
        "eyJaaaaaaaa." * 50_000,
        "h u n t e r _ t w o h" + " " * 100_000 + "x",
        "://a:" * 100_000,
    ],
)
def test_a_text_that_only_looks_like_secrets_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Its time grows with its length alone: else one line of a program would stop who reads it for hours."""
    monkeypatch.setattr(log, "_known", {"hunter_two"})
    assert log.scrub(text)


def test_colours_between_its_letters_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `grep --color` writes them, in a text and inside JSON."""
    monkeypatch.setattr(log, "_known", {"hunter_two"})
    coloured = "a hunter\x1b[01;31m\x1b[K_two\x1b[m\x1b[K b"
    for text in (coloured, json.dumps(coloured)):
        assert "two" not in log.scrub(text)

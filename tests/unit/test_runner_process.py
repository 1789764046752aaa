"""Settings, credentials, progress and exit codes of the runner."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from pullwright import errors
from pullwright.brokering.models import AwsCredentials, BrokerGrant
from pullwright.errors import AwsUnavailable, GitHubUnavailable, SessionClosed, TurnLimit
from pullwright.log import hide
from runner import exit_codes, tracking
from runner.agent.process import Stop
from runner.broker import Broker, Grants
from runner.clock import Phases
from runner.context import Signals
from runner.disk import RESERVE_BYTES, DiskWatch
from runner.log import Tee, logger
from runner.report import Report
from runner.settings import Settings
from runner.stopping import StopConditions
from runner.task_settings import SettingsError
from runner.tracking import Tracker, interval
from runner.user import search_path
from tests.unit.runner_kit import a_request

START = datetime(2026, 11, 21, tzinfo=UTC)
ENVIRONMENT = {
    "SESSION_ID": "implement-7-x",
    "BROKER_URL": "https://broker.example/",
    "SESSIONS_TABLE": "sessions",
    "ARTIFACTS_BUCKET": "artifacts",
    "GITHUB_API_URL": "https://api.github.com",
    "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/x",
    "AWS_REGION": "eu-central-1",
    "AGENT_ISOLATION": "none",
}


def test_the_settings_come_from_the_tasks_environment() -> None:
    """Only three of them have a default, and none of those names a resource."""
    settings = Settings.read(ENVIRONMENT)
    assert (settings.agent_uid, str(settings.work_dir)) == (10001, "/workspace")


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name != "AGENT_ISOLATION"])
def test_a_missing_setting_is_named(name: str) -> None:
    """Each variable that is missing or empty is named."""
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        Settings.read({**ENVIRONMENT, name: ""})


def test_a_wrong_setting_is_named_without_its_value() -> None:
    """A secret that was put into the wrong variable does not get into the log."""
    with pytest.raises(SettingsError) as caught:
        Settings.read({**ENVIRONMENT, "BROKER_URL": "ghs_secret", "AGENT_UID": "root"})
    assert str(caught.value).splitlines() == ["AGENT_UID is not valid.", "BROKER_URL is not valid."]


def test_only_an_image_installs_packages() -> None:
    """Without its word, a machine that is used for other things keeps the packages that it has."""
    dockerfile = Path(__file__).parents[2].joinpath("container/Dockerfile").read_text()
    assert Settings.read(ENVIRONMENT).package_manager == "none"
    assert "ENV PACKAGE_MANAGER=apt " in dockerfile
    assert Settings.read({**ENVIRONMENT, "PACKAGE_MANAGER": "apt"}).package_manager == "apt"


def test_only_an_image_has_the_machine_for_itself() -> None:
    """Without its word, nothing is looked for where a machine that serves others keeps its files."""
    dockerfile = Path(__file__).parents[2].joinpath("container/Dockerfile").read_text()
    assert Settings.read(ENVIRONMENT).machine == "shared"
    agent = dockerfile[dockerfile.index("FROM base AS agent") :]
    assert "    MACHINE=own\n" in agent
    assert Settings.read({**ENVIRONMENT, "MACHINE": "own"}).machine == "own"


def test_the_agent_never_checks_itself() -> None:
    """One user for both would let the agent change what checks say; the image has both by their numbers."""
    dockerfile = Path(__file__).parents[2].joinpath("container/Dockerfile").read_text()
    settings = Settings.read(ENVIRONMENT)
    for uid in (settings.agent_uid, settings.checks_uid):
        assert f"useradd --uid {uid} " in dockerfile
    with pytest.raises(SettingsError, match="AGENT_UID and CHECKS_UID must differ"):
        Settings.read({**ENVIRONMENT, "AGENT_UID": "10002"})


def test_isolation_is_given_up_by_word_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root and without the explicit word nothing starts."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    given = {name: value for name, value in ENVIRONMENT.items() if name != "AGENT_ISOLATION"}
    with pytest.raises(SettingsError, match="AGENT_ISOLATION=none"):
        Settings.read(given)


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class _Broker:
    """Gives a new token each time, or raises what it was told to."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self.asked = 0
        self.patience: list[float] = []
        self.error: errors.PullwrightError | None = None

    def ask(self, patience: float) -> BrokerGrant:
        self.patience.append(patience)
        if self.error:
            raise self.error
        self.asked += 1
        expires = self._clock() + timedelta(hours=1)
        return BrokerGrant(
            session_id="x",
            github_token=f"token-{self.asked}",
            github_expires_at=expires,
            aws=AwsCredentials(
                access_key_id="a", secret_access_key="s", session_token="t", expires_at=expires
            ),
        )


@pytest.fixture
def clock() -> _Clock:
    """Provide a clock that stands still."""
    return _Clock()


@pytest.fixture
def broker(clock: _Clock) -> _Broker:
    """Provide a broker in this process."""
    return _Broker(clock)


@pytest.fixture
def grants(clock: _Clock, broker: _Broker) -> Grants:
    """Credentials from that broker."""
    return Grants(cast("Broker", broker), now=clock)


def test_credentials_are_renewed_before_they_end(grants: Grants, clock: _Clock) -> None:
    """One grant serves until ten minutes before its end."""
    assert grants.github_token() == "token-1"
    clock.now += timedelta(minutes=49)
    assert grants.github_token() == "token-1"
    clock.now += timedelta(minutes=2)
    assert grants.github_token() == "token-2"


def test_a_refused_token_is_renewed_once(grants: Grants) -> None:
    """A token that GitHub refused is replaced before the next use; one that was replaced already is not."""
    refused = grants.github_token()
    grants.forget_github_token(refused)
    assert grants.github_token() == "token-2"
    grants.forget_github_token(refused)
    assert grants.github_token() == "token-2"
    grants.forget_github_token()
    assert grants.github_token() == "token-3"


def test_old_credentials_serve_while_the_broker_is_away(
    grants: Grants, clock: _Clock, broker: _Broker
) -> None:
    """A broker that fails is no failure as long as the old credentials hold."""
    grants.current()
    broker.error = AwsUnavailable("x")
    clock.now += timedelta(minutes=55)
    assert grants.github_token() == "token-1"
    clock.now += timedelta(minutes=5)
    with pytest.raises(AwsUnavailable):
        grants.github_token()


def test_whoever_needs_no_new_credentials_waits_seconds_only(
    grants: Grants, clock: _Clock, broker: _Broker
) -> None:
    """Missing credentials are worth minutes; those that still hold are renewed in passing, and rarely."""
    grants.current()
    broker.error = AwsUnavailable("x")
    clock.now += timedelta(minutes=55)
    for _ in range(5):
        grants.current()
    clock.now += timedelta(seconds=31)
    grants.current()
    clock.now += timedelta(minutes=5)
    with pytest.raises(AwsUnavailable):
        grants.current()
    assert broker.patience == [600, 15, 15, 600]


def test_a_closed_session_gets_no_credentials_any_more(
    grants: Grants, clock: _Clock, broker: _Broker
) -> None:
    """That the session is closed counts at once, whatever is still valid."""
    grants.current()
    broker.error = SessionClosed("x")
    clock.now += timedelta(minutes=55)
    with pytest.raises(SessionClosed):
        grants.current()


def test_a_long_session_edits_its_comment_more_rarely() -> None:
    """From every five seconds to once a minute, and under 200 times in the first hour."""
    assert [interval(age) for age in (0, 100, 1000, 5000)] == [5, 15, 30, 60]
    age, edits = 0.0, 0
    while age < 3600:
        age += interval(age)
        edits += 1
    assert edits < 200


def test_the_comment_is_edited_on_change_and_survives_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same progress is shown once, and an edit that fails is followed by the next."""
    monkeypatch.setattr(tracking, "interval", lambda _: 0.0)
    seen: list[str] = []
    new = threading.Semaphore(0)

    def update(body: str) -> bool:
        seen.append(body)
        new.release()
        if len(seen) == 2:
            raise GitHubUnavailable("x")
        return True

    with Tracker(a_request(), update, elapsed=lambda: 1.0, cost=lambda: 0.25) as tracker:
        for activity in ("Reading", "Editing", "Editing", "Testing"):
            if activity != tracker._now.activity:
                assert new.acquire(timeout=10)
            tracker.show(activity, turns=3)
        assert new.acquire(timeout=10)
    assert len(seen) == 4
    assert "Testing" in seen[-1]
    assert "$0.25 of $5.00" in seen[-1]
    assert "3 of 20" in seen[-1]


def test_an_agent_cannot_fill_the_log_with_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """After very many steps the log says once that the others are in the transcript, and no more."""
    monkeypatch.setattr(tracking, "MOST_LOGGED_STEPS", 3)
    said: list[str] = []
    for level in ("info", "warning"):
        monkeypatch.setattr(logger, level, lambda message, **_: said.append(message))
    tracker = Tracker(a_request(), lambda _: True, elapsed=lambda: 1.0)
    for number in range(20):
        tracker.show(f"Step {number}")
    assert said == ["agent"] * 3 + ["further steps of the agent are in its transcript only"]


def test_the_first_failure_is_the_sessions() -> None:
    """A push that is refused after the agent failed does not hide why the agent failed."""
    report = Report("s", "arn", Phases())
    report.fail(TurnLimit("first"))
    report.fail(errors.PushRefused("second"))
    result = report.result()
    assert result.failure is not None
    assert (result.failure.error, result.exit_code) == ("TurnLimit", 16)


def test_what_ends_a_session_from_outside(tmp_path: Path) -> None:
    """A lost session goes before SIGTERM, and SIGTERM before the clock."""
    signals, phases = Signals(threading.Event(), threading.Event()), Phases()
    stops = StopConditions(signals, phases, DiskWatch(tmp_path), 30)
    assert stops.of_work() is None
    phases.began -= 30 * 60 + 1
    assert (stops.of_work(), stops.of_checks()) == (Stop.OVERTIME, None)
    signals.terminated.set()
    assert stops.of_work() is stops.of_checks() is Stop.TERMINATED
    signals.lost.set()
    assert stops.of_work() is stops.of_checks() is Stop.LOST


EXIT_CODES = {
    "InternalError": 1,
    "GitHubUnavailable": 3,
    "SessionClosed": 4,
    "AgentFailed": 10,
    "NothingUsable": 11,
    "PushRefused": 12,
    "BranchProtected": 12,
    "RepositoryArchived": 12,
    "ModelUnavailable": 13,
    "ModelAccessPending": 13,
    "ModelQuotaUsedUp": 13,
    "ModelRefused": 14,
    "ModelFormMissing": 14,
    "ModelNotSubscribed": 14,
    "ModelNotAllowed": 14,
    "ModelNotOffered": 14,
    "ModelKeyInvalid": 14,
    "ModelCreditMissing": 14,
    "MoneyLimit": 15,
    "TurnLimit": 16,
    "TimeLimit": 17,
    "AgentStuck": 18,
    "DiskLimit": 19,
    "TaskStopped": 143,
}


def test_exit_codes_name_real_errors_and_are_documented() -> None:
    """Every code that is not the service's belongs to classes of the tree, and stands there in the docs."""
    text = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    for name, code in EXIT_CODES.items():
        assert exit_codes.of(name) == code
        assert issubclass(getattr(errors, name), errors.PullwrightError)
        assert re.search(rf"^\| `{name}` \| \w+ \| {code} \|", text, re.MULTILINE)
    assert exit_codes.of(None) == 0
    assert exit_codes.of("GitHubUnavailable") == exit_codes.SERVICE


def test_the_log_goes_to_both_places_without_secrets(tmp_path: Path) -> None:
    """What is printed is kept, and a secret is in neither."""
    hide("very-secret-token")
    out = io.StringIO()
    tee = Tee(out)
    tee.copy_to(tmp_path / "log")
    tee.write('{"message":"got very-secret-token"}\n')
    tee.close_copy()
    tee.write("later\n")
    assert "very-secret-token" not in out.getvalue()
    assert (tmp_path / "log").read_text() + "later\n" == out.getvalue()


def test_the_runners_path_depends_on_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a process the agent's user is never looked up in the agent's own folder."""
    monkeypatch.setenv("PATH", ":.:bin:/usr/bin::/bin")
    assert search_path() == "/usr/bin:/bin"


def test_a_disk_is_full_before_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch speaks up when its reserve is touched, and no sooner."""
    room, now = [4 << 30], [0.0]
    monkeypatch.setattr(DiskWatch, "_free", lambda _: room[0])
    watch = DiskWatch(tmp_path, lambda: now[0])
    said = []
    for free in (RESERVE_BYTES, RESERVE_BYTES - 1):
        room[0] = free
        now[0] += 1
        said.append(watch.full())
    assert said == [False, True]

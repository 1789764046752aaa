"""GitHub is not asked before the time that it named to anybody of the installation, and endings go first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pullwright.errors import AwsUnavailable, GitHubRateLimited
from pullwright.github.allowance import MemoryAllowance
from pullwright.github.budget import AT_ONCE, SECONDS_EACH, Room, Usage
from pullwright.github.pace import Pace
from tests.unit.pipeline_kit import REPOSITORY, Deployment
from tests.unit.test_github import COMMENT, Line, answer

if TYPE_CHECKING:
    from pullwright.github.transport import Response

OWNER = REPOSITORY.partition("/")[0]
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


class DeadAllowance(MemoryAllowance):
    """A table that does not answer."""

    def look(self) -> Usage:
        """See `Allowance`."""
        raise AwsUnavailable("AWS could not read it.")

    def spend(self, now: float, writes: int, room: Room) -> tuple[bool, Usage]:
        """See `Allowance`."""
        raise AwsUnavailable(f"AWS could not write it: {now} {writes} {room}.")

    def limit(self, now: float, named: float | None) -> Usage:
        """See `Allowance`."""
        raise AwsUnavailable(f"AWS could not write it: {now} {named}.")


def in_an_hour() -> str:
    """Return the time of a reset, as GitHub writes it."""
    return str(int(time.time()) + 3_600)


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        # https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#exceeding-the-rate-limit
        (answer(200, {"errors": [{"message": SECONDARY}]}), 60),
        (answer(200, {"data": None, "errors": [{"message": SECONDARY}]}, retry_after="90"), 90),
        (answer(403, {"message": SECONDARY}), 60),
        (answer(403, {"message": SECONDARY}, retry_after="120"), 120),
        (answer(403, {"message": SECONDARY}, x_ratelimit_remaining="4000"), 60),
        (answer(200, {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}), 60),
        # https://github.com/yanyongyu/githubkit/issues/271: with code and without `data`.
        (
            answer(
                200,
                {
                    "errors": [
                        {
                            "type": "RATE_LIMIT",
                            "code": "graphql_rate_limit",
                            "message": "API rate limit already exceeded for installation ID 7.",
                        }
                    ]
                },
                x_ratelimit_remaining="0",
                x_ratelimit_reset=in_an_hour(),
            ),
            None,
        ),
        # https://github.com/octokit/plugin-throttling.js/pull/636: the header need not say 0.
        (
            answer(200, {"errors": [{"type": "RATE_LIMIT", "message": "no"}]}, x_ratelimit_remaining="4"),
            60,
        ),
        # REST's limit in GraphQL's clothes: no type at all.
        (
            answer(
                200,
                {"errors": [{"message": "API rate limit exceeded for installation ID 7."}]},
                x_ratelimit_remaining="0",
                x_ratelimit_reset=in_an_hour(),
            ),
            None,
        ),
    ],
)
def test_graphql_limits_say_how_long(limit: Response, seconds: float | None) -> None:
    """Each form of a limit in GraphQL is one, and lasts as long as GitHub says or a minute."""
    line = Line(limit)
    with pytest.raises(GitHubRateLimited) as caught:
        line.client.graphql("query", {}, "ask")
    if seconds is None:
        seconds = float(limit.headers["x-ratelimit-reset"]) - time.time()
    assert caught.value.retry_after == pytest.approx(seconds, abs=5)
    with pytest.raises(GitHubRateLimited) as caught:
        line.client.graphql("query", {}, "ask")
    assert not caught.value.was_asked
    assert len(line.script.requests) == 1


def test_a_patient_caller_waits_longer_each_time() -> None:
    """Where GitHub names no time it is asked again after one minute, then two: never sooner."""
    line = Line(*[answer(429)] * 2, answer(201, COMMENT), patience=300)
    line.client.create_comment("o/r", 1, "b")
    assert line.waits == [60, 120]


@pytest.mark.parametrize("names_time", [True, False])
def test_nobody_asks_before_the_time_that_one_was_told(deployment: Deployment, *, names_time: bool) -> None:
    """Sessions that come back every few seconds leave GitHub alone until it answers again."""
    github = deployment.github
    issues = [github.issue(title=f"No {number}") for number in range(6)]
    limits = {"requests_per_minute": 40, "retry_after": names_time}
    github.control("PUT", "/limits", limits)
    waiting, refusals, rounds = list(enumerate(issues)), 0, 0
    while waiting:
        rounds += 1
        assert rounds < 200, "they never come through"
        for session in list(waiting):
            try:
                deployment.open(f"s-{session[0]}", issue=session[1])
            except GitHubRateLimited:
                refusals += 1
            else:
                waiting.remove(session)
                deployment.end(f"s-{session[0]}")
        github.sleep(7)
    assert refusals > 0
    assert github.control("GET", "/impatient", None) == []


def test_an_early_session_asks_nothing_at_all(deployment: Deployment) -> None:
    """While the installation is limited, OpenPullRequest makes no request, not even for a token."""
    number = deployment.github.issue()
    deployment.github.app().pace(OWNER).limited(GitHubRateLimited("", retry_after=600.0))
    deployment.github.seen.clear()
    for waited in (0, 300, 299):
        deployment.github.sleep(waited)
        with pytest.raises(GitHubRateLimited):
            deployment.open(issue=number)
    assert deployment.github.seen == []
    deployment.github.sleep(2)
    assert deployment.open(issue=number).pull_request


def test_an_opening_begins_only_if_it_can_end(deployment: Deployment) -> None:
    """Without room for a pull request and its comment nothing is made, and later it is."""
    number = deployment.github.issue()
    allowance = deployment.github.allowances.setdefault(OWNER, MemoryAllowance())
    while allowance.spend(deployment.github.clock(), 1, Room.OPENING)[0]:
        pass
    deployment.github.seen.clear()
    with pytest.raises(GitHubRateLimited) as caught:
        deployment.open(issue=number)
    assert caught.value.retry_after == pytest.approx(2 * SECONDS_EACH, abs=1)
    assert deployment.github.seen == []
    deployment.github.sleep(2 * SECONDS_EACH + 1)
    deployment.open(issue=number)
    assert allowance.usage.owed(deployment.github.clock()) <= Room.OPENING


def test_an_opening_counts_its_pull_request_and_comment_once(deployment: Deployment) -> None:
    """What an opening has taken before is what its two writes use."""
    deployment.open(issue=deployment.github.issue())
    [usage] = [one.usage for name, one in deployment.github.allowances.items() if name == OWNER]
    assert usage.owed(deployment.github.clock()) == pytest.approx(2, abs=0.9)


class Clock:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        """Unix seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


def test_progress_gives_way_and_an_ending_does_not() -> None:
    """Progress is refused by our own count; an ending waits a few seconds at most, whatever is owed."""
    clock, allowance = Clock(), MemoryAllowance()
    progress = Pace(allowance, purpose=Room.PROGRESS, clock=clock.time, sleep=clock.sleep)
    for _ in range(Room.PROGRESS):
        progress.spend()
    assert progress.stretch() > 10
    with pytest.raises(GitHubRateLimited) as caught:
        progress.spend()
    assert not caught.value.was_asked
    ending = Pace(allowance, clock=clock.time, sleep=clock.sleep)
    for _ in range(AT_ONCE - Room.PROGRESS):
        ending.spend()
    assert clock.slept == []
    for _ in range(20):
        ending.spend()
    assert 0 < max(clock.slept) <= 15


def test_without_its_table_a_session_goes_on_as_before() -> None:
    """Where the allowance does not answer, calls are made, and what GitHub says is kept all the same."""
    clock = Clock()
    pace = Pace(DeadAllowance(), purpose=Room.PROGRESS, clock=clock.time, sleep=clock.sleep)
    for _ in range(10):
        pace.check()
        pace.spend()
        clock.sleep(15)
    assert pace.stretch() == 1
    assert pace.limited(GitHubRateLimited("", is_named=False)).retry_after == 60
    with pytest.raises(GitHubRateLimited):
        pace.check()
    clock.sleep(61)
    pace.check()


def test_what_one_client_hears_the_others_know_soon() -> None:
    """A limit that another session has met is known after five seconds."""
    clock, allowance = Clock(), MemoryAllowance()
    one, other = (Pace(allowance, clock=clock.time, sleep=clock.sleep) for _ in range(2))
    other.check()
    one.limited(GitHubRateLimited("", retry_after=100.0))
    clock.sleep(5)
    with pytest.raises(GitHubRateLimited) as caught:
        other.check()
    assert caught.value.retry_after == 95


def test_many_sessions_at_once_stay_below_the_limit_and_all_of_them_end(deployment: Deployment) -> None:
    """Of 32 labels at once GitHub refuses none, progress takes what is left, and every ending comes."""
    github = deployment.github
    github.control("PUT", "/limits", {"edits_count": True, "content_per_minute": 80, "content_per_hour": 500})
    issues = {f"s-{number}": github.issue(title=f"No {number}") for number in range(32)}
    app, ended, shown = github.app(), 0, 0
    refusals: list[GitHubRateLimited] = []
    held_back: list[GitHubRateLimited] = []
    opened: dict[str, tuple[int, float]] = {}
    while ended < len(issues):
        for name, issue in issues.items():
            if name not in opened:
                try:
                    comment = deployment.open(name, issue=issue).comment_id
                except GitHubRateLimited as early:
                    refusals.append(early)
                    continue
                deployment.end(name)
                opened[name] = comment, github.clock()
        for name, (comment, since) in opened.items():
            if comment and github.clock() - since < 600:
                client = app.client(REPOSITORY, {"issues": "write"})
                # As the runner's: it waits for no limit itself.
                client.pace = Pace(github.allowances[OWNER], purpose=Room.PROGRESS, clock=github.clock)
                client._patience = 0.0
                try:
                    shown += client.update_comment(REPOSITORY, comment, f"progress of {name}")
                except GitHubRateLimited as early:
                    held_back.append(early)
            elif comment:
                assert app.client(REPOSITORY, {"issues": "write"}).update_comment(
                    REPOSITORY, comment, "the end"
                )
                opened[name], ended = (0, since), ended + 1
        github.sleep(15)
    assert github.control("GET", "/impatient", None) == []
    assert shown > 0
    assert refusals
    assert held_back
    assert not [early for early in (*refusals, *held_back) if early.was_asked]

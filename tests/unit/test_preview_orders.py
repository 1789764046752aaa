"""The one comment of a pull request's previews, in any order of what happens to them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pullwright.errors import NotAllowed, PreviewNotReady
from pullwright.previewing.store import SERVING
from pullwright.previewing.withdrawal import withdraw
from pullwright.reporting.event import StateError, TaskEnd
from tests.examples import examples
from tests.unit.moto_kit import mock_aws
from tests.unit.preview_kit import START, Previews, execution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pullwright.previewing.models import PreparedPreview

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def previews(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Previews]:
    """Provide a repository, a listener and a cluster."""
    folder: Path = tmp_path_factory.mktemp("previews")
    with mock_aws():
        yield Previews(folder)


@dataclass
class Story:
    """What happens to the previews of one pull request, and what its comment has to say.

    Attributes:
        starting: the one that was prepared last and is not served, with its id.
        replaced: those that only started when a newer one was prepared.
        served: the one whose address answers, empty if there is none.
        news: what was told last.
    """

    previews: Previews
    number: int
    starting: tuple[str, PreparedPreview] | None = None
    replaced: list[str] = field(default_factory=list)
    served: str = ""
    news: str = ""

    def prepare(self) -> None:
        """Prepare a preview, which replaces one that only starts."""
        number = next(_NUMBERS)
        at = START + timedelta(seconds=number)
        prepared = self.previews.prepare(f"p-{number}", self.number, started_at=at, limit=999)
        self.replaced += [self.starting[0]] if self.starting else []
        self.starting, self.news = (f"p-{number}", prepared), "building"

    def refuse(self) -> None:
        """Refuse a preview before it has a slot, a host or a comment."""
        number = next(_NUMBERS)
        at = START + timedelta(seconds=number)
        asked: dict[str, Any] = {"delivery_id": "d", "requested_by": "outsider"}
        with pytest.raises(NotAllowed) as refused:
            self.previews.prepare(f"p-{number}", self.number, started_at=at, **asked)
        cause = json.dumps({"errorMessage": refused.value.sentence, "errorType": "NotAllowed"})
        self.previews.remove(f"p-{number}", StateError(Error="NotAllowed", Cause=cause))
        self.news = "outsider has no write permission"

    def look(self) -> None:
        """Look whether the one that starts is ready: its task runs, and does not answer."""
        if self.starting is None:
            return
        self.previews.tasks.launch(self.starting[0])
        with pytest.raises(PreviewNotReady):
            self.previews.route(*self.starting)

    def serve(self) -> None:
        """Serve the preview that starts; the one that was served before ends."""
        if self.starting is None:
            return
        preview_id, prepared = self.starting
        self.previews.tasks.launch(preview_id)
        self.previews.routes.healthy.add(preview_id)
        self.previews.route(preview_id, prepared)
        before, self.served, self.starting = self.served, preview_id, None
        if self.news == "building":
            self.news = ""
        if before:
            self.previews.remove(before, StateError(Error="States.TaskFailed"))

    def fail(self) -> None:
        """Have the build of the one that starts fail."""
        if self.starting is None:
            return
        preview_id = self.starting[0]
        self.previews.tasks.ends[execution(preview_id)] = TaskEnd(ExitCode=21)
        self.previews.remove(preview_id, StateError(Error="States.TaskFailed"))
        self.starting, self.news = None, "The build command failed"

    def forget(self) -> None:
        """Remove one that was replaced."""
        if self.replaced:
            self.previews.remove(self.replaced.pop(), StateError(Error="PreviewReplaced"))

    def unlabel(self) -> None:
        """Take the label off: nothing is needed any more, and the older one hears of it first."""
        ids = [*filter(None, [self.served]), *([self.starting[0]] if self.starting else [])]
        store = self.previews.store
        for preview_id in ids:
            fields = {"error": "LabelRemoved", "cause": "The label went."}
            assert withdraw(store.read(preview_id), store, self.previews.tasks, **fields)
        for preview_id in ids:
            self.previews.remove(preview_id, StateError(Error="LabelRemoved"))
        self.news = "The label went." if ids else self.news
        self.served, self.starting = "", None


STEPS = (Story.prepare, Story.refuse, Story.look, Story.serve, Story.fail, Story.forget, Story.unlabel)


@given(steps=st.lists(st.sampled_from(STEPS), min_size=2, max_size=8))
@settings(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_served_keeps_its_place_in_the_comment(previews: Previews, steps: list) -> None:  # type: ignore[type-arg]
    """No order of requests, refusals, failures and ends hides an address that answers, or the newest news."""
    story = Story(previews, previews.pull(f"b-{next(_NUMBERS)}"))
    for step in steps:
        step(story)
        comments = previews.github.comments(story.number)
        comment = "".join(str(it["body"]) for it in comments).replace("\\", "")
        assert len(comments) == bool(comment)
        assert story.news in comment
        if story.served:
            record = previews.store.read(story.served)
            assert record.preview_status == SERVING
            assert f"### 🌐 Preview: <{record.url}>" in comment
        else:
            assert "🌐" not in comment
            assert not story.starting or "### 🔧 Preview: building" in comment
    story.unlabel()

"""What is wrong with an execution's input is said by field."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pullwright.errors import InvalidRequest
from pullwright.models import SessionRequest
from pullwright.opening.request import check_session_id, read_request
from runner.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({}, ("repository", "missing")),
        ({"repository": "o/r"}, ("issue", "needed")),
        ({"repository": "no-slash", "issue": 1}, ("repository", "no-slash")),
        ({"repository": 7, "issue": 1}, ("repository", "7")),
        ({"repository": "o/r", "issue": "1"}, ("issue", '"1"')),
        ({"repository": "o/r", "issue": True}, ("issue", "true")),
        ({"repository": "o/r", "issue": 0}, ("issue", "0")),
        ({"repository": "o/r", "issue": 10**50}, ("issue", "less than or equal to 9007199254740991")),
        ({"repository": "o/r", "issue": 1, "pull_request": 2}, ("pull_request",)),
        ({"repository": "o/r", "isue": 1, "prompt": "x"}, ("isue", "Did you mean issue?")),
        ({"repository": "o/r", "issue": 1, "limits": {"usd": -1}}, ("limits.usd", "-1")),
        ({"repository": "o/r", "issue": 1, "limits": 5}, ("limits", "object")),
        ({"repository": "o/r", "prompt": "   "}, ("prompt",)),
        ([1, 2], ("object", "[1, 2]")),
        (None, ("object", "null")),
    ],
)
def test_the_sentence_names_field_and_value(wrong: Any, names: tuple[str, ...]) -> None:
    """A wrong input is refused, and the sentence shows which field, which value and what is expected."""
    with pytest.raises(InvalidRequest) as caught:
        read_request(wrong)
    for name in names:
        assert name in caught.value.sentence
    assert caught.value.remedy


def test_a_sentence_is_short_whatever_a_field_is_called() -> None:
    """The state machine passes it on, with an input of up to 256 KiB: what it quotes is cut."""
    with pytest.raises(InvalidRequest) as caught:
        read_request({"repository": "o/r", "issue": 1, "é" * 100_000: 1})
    assert len(caught.value.sentence) < 200


# What a name may not hold: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
EXECUTION_NAMES = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"),
        exclude_characters='<>{}[]?*"#%\\^|~`$&,;:/\ufffe\uffff',
    ),
    min_size=1,
    max_size=80,
)
TASK = {
    "broker_url": "https://broker.test",
    "sessions_table": "table",
    "artifacts_bucket": "bucket",
    "github_api_url": "https://api.github.com",
    "ecs_container_metadata_uri_v4": "http://169.254.170.2/v4/1",
    "aws_region": "eu-central-1",
}


@given(EXECUTION_NAMES | st.from_regex(r"[0-9A-Za-z_-]{1,80}", fullmatch=True))
def test_a_name_that_is_not_refused_is_one_that_the_task_takes(name: str) -> None:
    """Of the names that Step Functions accepts, those pass that the runner reads; others are told at once."""
    refusals: AbstractContextManager[Any] = nullcontext()
    try:
        Settings.model_validate({**TASK, "session_id": name})
    except ValidationError:
        refusals = pytest.raises(InvalidRequest, match="name: the execution is called")
    with refusals:
        check_session_id(name)


def test_a_good_request_is_read() -> None:
    """The two fields of the documented interface are enough, and times come as text."""
    assert read_request({"repository": "o/r", "issue": 42}).issue == 42
    asked = read_request({"repository": "o/r", "prompt": "x", "asked_at": "2025-01-02T03:04:05Z"})
    assert asked.asked_at is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(list(SessionRequest.model_fields)), inner)
        ),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    """No JSON value makes anything but a request or a refusal of bounded length."""
    try:
        read_request(value)
        sentence = "read"
    except InvalidRequest as refused:
        sentence = refused.sentence
    assert 0 < len(sentence) < 2_000

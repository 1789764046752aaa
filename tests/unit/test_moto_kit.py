"""What is left out of moto changes none of its answers; moto as it is installed is the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core import responses
from moto.core.responses import BaseResponse, XFormedAttributePicker
from moto.core.serialize import BaseJSONSerializer, get_serializer_class
from moto.core.utils import get_service_model
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser
from moto.dynamodb.responses import DynamoHandler

from tests.unit import moto_kit

ATTRIBUTES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(dict, S=st.text()),
        st.builds(dict, N=st.integers().map(str)),
        st.builds(dict, B=st.binary()),
        st.builds(dict, SS=st.lists(st.text(), min_size=1)),
        st.builds(dict, NULL=st.just(value=True)),
        st.builds(dict, BOOL=st.booleans()),
    ),
    lambda inner: st.one_of(
        st.builds(dict, L=st.lists(inner, max_size=3)),
        st.builds(dict, M=st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    ),
    max_leaves=6,
)


def _answer(item: dict[str, Any]) -> Any:
    model = get_service_model("dynamodb")
    serializer = get_serializer_class("dynamodb", "json")
    return serializer(
        operation_model=model.operation_model("GetItem"),
        value_picker=XFormedAttributePicker(
            response_transformers=BaseResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER
        ),
    ).serialize({"Item": item})


@given(st.dictionaries(st.text(max_size=3), ATTRIBUTES, max_size=4))
def test_items_are_answered_as_by_moto(item: dict[str, Any]) -> None:
    """Each attribute is written as moto writes it."""
    shortened = _answer(item)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseJSONSerializer, "_serialize_type_structure", moto_kit.given_structure)
        assert _answer(item) == shortened


def test_methods_and_nodes_are_those_of_moto() -> None:
    """What is kept of a class is what moto finds, and the same for each object of the class."""
    assert responses.method_names_from_class(DynamoHandler) == moto_kit.given_methods(DynamoHandler)
    checks = [
        check
        for check in vars(validators).values()
        if isinstance(check, type)
        and issubclass(check, DepthFirstTraverser)
        and check is not DepthFirstTraverser
    ]
    assert len(checks) > 5
    for check in checks:
        empty: Any = object.__new__(check)
        assert empty.nodes_to_be_processed() == moto_kit.given_nodes(empty)

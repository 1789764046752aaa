"""One engine for the state machine's tests, in a folder of its own."""

from __future__ import annotations

import shutil
import uuid
import warnings
from typing import TYPE_CHECKING

import pytest

from local.emulator import Emulator
from local.layout import Layout
from local.supervise import end, free_port
from tests.statemachine.kit import LOCK, Machine
from tests.statemachine.preview_kit import Previews

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def engine_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Provide the state machine on an engine of its own, which ends with the tests."""
    layout = Layout(tmp_path_factory.mktemp("engine"))
    mocks = layout.data / "mocks.json"
    mocks.write_text('{"StateMachines": {}, "MockedResponses": {}}', encoding="utf-8")
    emulator = Emulator(layout, free_port(), images={})
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("SFN_MOCK_CONFIG", str(mocks))
        # The launcher lets go of its process on purpose; Python warns about that.
        warnings.simplefilter("ignore", ResourceWarning)
        process = emulator.start()
    try:
        yield Machine(emulator.url, mocks)
    finally:
        end([process], seconds=10)
        shutil.rmtree(layout.shared, ignore_errors=True)


@pytest.fixture(scope="session")
def previews(engine_machine: Machine) -> Previews:
    """Provide the machine of previews."""
    return Previews(engine_machine)


@pytest.fixture
def machine(engine_machine: Machine) -> Machine:
    """Provide the state machine with no lock and no slot taken."""
    for pk in ("SLOTS", "SLOTS#acme/shop", LOCK):
        engine_machine.table.delete_item(TableName="sessions", Key={"pk": {"S": pk}})
    return engine_machine


@pytest.fixture
def session_id(machine: Machine) -> str:
    """Name of a session that owns the branch's lock."""
    name = f"implement-7-{uuid.uuid4()}"
    machine.lock(name)
    return name

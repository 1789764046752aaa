"""The local engine itself: a real LocalStack with our plugin, and a small app that `sam deploy` put there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from local.layout import Layout
from local.sam import Sam
from local.supervise import children, end, free_port
from tests.integration.engine.kit import Engine

APP = Path(__file__).parent / "app"


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all modules here, with its app."""
    folder = tmp_path_factory.mktemp("engine")
    emulator = Emulator(
        Layout(folder),
        free_port(),
        {
            "test/shell:*": {"command": ["/bin/sh", "-c"], "environment": {"FROM_IMAGE": "yes"}},
            "test/python:*": {"command": ["/usr/bin/env", "python3", "-c"]},
        },
        max_environments=3,
        queue_seconds=2,
        fargate_vcpus=1.5,
        elb_rules=6,
    )
    known = emulator.start()
    try:
        sam = Sam(APP / "template.yaml", folder / "build", folder / "logs", emulator.url, "engine-app")
        sam.build()
        yield Engine(emulator, known, sam.deploy())
    finally:
        end([known], seconds=10)
        left = children(emulator.layout.children)
        end(left, seconds=0)
        shutil.rmtree(emulator.layout.shared)
    assert not left, "the engine left processes behind"

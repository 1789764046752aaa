"""`pullwright run --local` in the image: one session of a checkout on this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.container.cli import StandIn
from tests.container.local_run import KEY, STEPS, Checkout
from tests.image.engine import ImageError

if TYPE_CHECKING:
    from tests.image.engine import Engine


def run(engine: Engine, image: str) -> None:
    """Run one session to its end.

    Raises:
        ImageError: it did not succeed, changed more than it may, or left the key somewhere.
    """
    with tempfile.TemporaryDirectory() as folder, StandIn.running() as model:
        model.play(*STEPS)
        checkout = Checkout(Path(folder))
        before = checkout.state()
        arguments = ("--json", "--image", image, "--model-url", model.url, "Mend the greeting")
        ran = checkout.run(*arguments, environ={**engine.environment, "ANTHROPIC_API_KEY": KEY})
        if ran.code:
            raise ImageError(f"run --local ended with {ran.code}:\n{ran.err}")
        found = ran.document
        expected = {
            "it did not say that it runs in the image": f"in a container of {image}" in ran.err,
            "the work is not on the branch": "hello" in checkout.git("show", f"{found['branch']}:src/app.py"),
            "the checkout was changed": checkout.state() == before,
            "the agent was not kept from the network": found["egress"] == "caged",
            "the key is in a file": not checkout.holding(KEY),
            "an artifact is somebody else's": all(
                path.stat().st_uid == os.geteuid() for path in checkout.artifacts.rglob("*")
            ),
        }
        if problems := [problem for problem, holds in expected.items() if not holds]:
            raise ImageError(f"run --local: {'; '.join(problems)}:\n{ran.out}\n{ran.err}")

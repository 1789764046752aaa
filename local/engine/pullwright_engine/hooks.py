"""Where LocalStack calls us: at the start to patch, at the end to take our processes along."""

import os
import time
from importlib import import_module
from pkgutil import iter_modules

from localstack.runtime import hooks

from pullwright_engine import patches, selftest

STOP_SECONDS = 3.0


@hooks.on_infra_start()  # type: ignore[untyped-decorator] # LocalStack publishes no types
def apply_patches() -> None:
    """Check that this is the LocalStack we know, then patch it; a failure ends the engine."""
    try:
        selftest.check()
        # Imported after the check: an import that fails should be reported by it.
        for found in iter_modules(patches.__path__, f"{patches.__name__}."):
            import_module(found.name).apply()
    except Exception as error:  # noqa: BLE001 - whatever it is, LocalStack would only log it
        # and go on unpatched, on every interface.
        print(f"pullwright_engine: {error!r}", flush=True)
        os._exit(70)


@hooks.on_infra_shutdown()  # type: ignore[untyped-decorator] # LocalStack publishes no types
def end_children() -> None:
    """End functions at once and tasks after a moment to say goodbye, then the engine itself.

    It holds nothing that an orderly end would save, and would take seconds over it.
    """
    from pullwright_engine.ecs.provider import runs  # noqa: PLC0415
    from pullwright_engine.functions.executor import kill_all  # noqa: PLC0415

    kill_all()
    deadline = time.monotonic() + STOP_SECONDS
    alive = [run for run in runs() if run.task["lastStatus"] != "STOPPED"]
    for run in alive:
        run.stop("The engine is stopped")
    for run in alive:
        if not run.join(max(0.0, deadline - time.monotonic())):
            run.kill()
    os._exit(0)

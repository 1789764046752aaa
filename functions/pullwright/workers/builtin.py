"""The workers that are there where a repository defines none; its files of the same id change them."""

from collections.abc import Iterable

from pullwright.worker_names import FIX_CI, IMPLEMENT, REVIEW
from pullwright.workers.events import CHECK_SUITE
from pullwright.workers.routing import COMMENT, Trigger, Worker


def builtin_workers(trigger_label: str) -> tuple[Worker, ...]:
    """Return the built-in workers.

    Reviews cost money on every push, so that a repository has to ask for them: `enabled: true`.

    Args:
        trigger_label: the deployment's label that starts `implement`.
    """
    review = Trigger(event="pull_request", draft=False)
    return (
        Worker(IMPLEMENT, (Trigger(event="issues", actions=("labeled",), labels=(trigger_label,)),)),
        Worker(REVIEW, (review,), enabled=False, mode=COMMENT),
        Worker(FIX_CI, (Trigger(event=CHECK_SUITE, head=("claude/**",)),)),
    )


def with_builtin(defined: Iterable[Worker], trigger_label: str) -> tuple[Worker, ...]:
    """Return a repository's workers with the built-in ones.

    One that is defined without triggers has those of the built-in worker of its id.
    """
    builtin = {worker.id: worker for worker in builtin_workers(trigger_label)}
    own = {
        worker.id: worker
        if worker.triggers or worker.id not in builtin
        else worker._replace(triggers=builtin[worker.id].triggers)
        for worker in defined
    }
    return tuple({**builtin, **own}.values())

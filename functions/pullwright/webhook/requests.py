"""What a delivery asks for besides the workers that it starts.

Imported when such a delivery comes: most starts of the function are cold, and the label, for which people
wait, needs nothing of this.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pullwright.webhook.commands import command
from pullwright.webhook.follow_ups import follow_up
from pullwright.webhook.message import Message
from pullwright.webhook.releasing import release
from pullwright.webhook.start import Start
from pullwright.webhook.syncing import syncing
from pullwright.webhook.withdrawal import withdrawal


class Requests(NamedTuple):
    """What to do.

    Attributes:
        first: instead of starting workers.
        own: what a mention asks for, started with the workers that match.
        besides: a push may have changed the workers, a review may release CI or ask for more.
    """

    first: Message | None = None
    own: Start | None = None
    besides: Message | None = None


def read_requests(event: str, payload: Mapping[str, Any], delivery_id: str, mention_name: str) -> Requests:
    """Return what a delivery asks for.

    Raises:
        Refused: a field is missing or wrong; the answer names it.
    """
    wanted = follow_up(event, payload, delivery_id, mention_name)
    if isinstance(wanted, Start):
        # Who asks for more does not release what will change.
        return Requests(own=wanted)
    first = withdrawal(event, payload) or command(event, payload, delivery_id)
    return Requests(first, None, syncing(event, payload) or release(event, payload) or wanted)

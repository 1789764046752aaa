"""One call from the CLI to the provider and its answer back, metered."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import urllib3
from urllib3.exceptions import HTTPError

from pullwright.json_object import decode_object
from pullwright.prices import Tokens
from runner.gateway.budget import Budget
from runner.gateway.call import Call
from runner.gateway.meters import SafeMeter
from runner.gateway.patience import PASSING, Patience
from runner.gateway.prompt import CountedPrompts
from runner.gateway.provider import Provider
from runner.gateway.refusal import FINAL, GIVE_UP, Refusal
from runner.gateway.upstream import Unanswered, Upstream
from runner.log import logger

_OK = 200
_NOT_GOOD = 300
# With Bedrock the CLI takes these for expired credentials of its own, and tries for most of a minute.
_NO_ACCESS = frozenset({401, 403})
_CHUNK = 64 * 1024
_PASSED_HEADERS = (
    "content-type",
    "request-id",
    "retry-after",
    "x-amzn-bedrock-content-type",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-should-retry",
)


@dataclass(frozen=True)
class Trouble:
    """An answer of the provider that was an error.

    Args:
        status: HTTP status; 200 when the error came inside a stream, 502 when there was no answer.
        type: error type or exception name, if the provider gave one.
    """

    status: int
    type: str
    message: str


@dataclass(frozen=True)
class ErrorAnswer:
    """An error of the provider's, as it came.

    Args:
        body: its beginning, which is all of it but for defects.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        return self.status in PASSING and self.headers.get("x-should-retry") != "false"

    @property
    def client_status(self) -> int:
        """The status that the client is told."""
        return GIVE_UP if self.status in _NO_ACCESS else self.status

    @property
    def retry_after(self) -> float:
        """Seconds for which the provider does not want to be asked."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:  # there is none, or it is a date, which neither provider sends
            return 0.0


class Client:
    """Where an answer goes. Once the client has left, the rest is read for the meter only.

    Args:
        gone: whether it has closed its connection while it waits.
    """

    def __init__(
        self,
        start: Callable[[int, dict[str, str]], None],
        send: Callable[[bytes], None],
        gone: Callable[[], bool] = lambda: False,
    ) -> None:
        self._start = start
        self._send = send
        self.gone = gone
        self.left = False

    def start(self, status: int, headers: dict[str, str]) -> None:
        """Send status and headers."""
        self._unless_left(lambda: self._start(status, headers))

    def send(self, piece: bytes) -> None:
        """Send a piece of the body."""
        self._unless_left(lambda: self._send(piece))

    def _unless_left(self, action: Callable[[], None]) -> None:
        if self.left:
            return
        try:
            action()
        except OSError:
            self.left = True


class Relay:
    """Forwards checked calls and pays for them.

    Args:
        patience: how long a service that fails is asked again.
        waiting: told why, whenever a call waits for the service.
    """

    def __init__(
        self,
        provider: Provider,
        budget: Budget,
        upstream: Upstream,
        patience: Patience,
        waiting: Callable[[Trouble], None] = lambda _: None,
    ) -> None:
        self._provider = provider
        self._budget = budget
        self._upstream = upstream
        self._patience = patience
        self._waiting = waiting
        self._counted = CountedPrompts()
        self.trouble: Trouble | None = None

    def forward(self, call: Call, client: Client) -> bool:
        """Send a call, again while the service fails, and pass its answer on as it comes.

        Returns:
            Whether the answer came to its end; if not, the client's connection has to be cut.

        Raises:
            Refusal: the money does not suffice, or the provider cannot be reached.
        """
        for attempt in count():
            try:
                ended = self._attempt(call, client)
            except Refusal as refusal:
                if refusal.status not in PASSING or not self._wait(attempt, 0.0, client):
                    raise
                continue
            if isinstance(ended, bool):
                return ended
            if not (ended.passing and self._wait(attempt, ended.retry_after, client)):
                client.start(
                    ended.client_status, {**ended.headers, **FINAL} if ended.passing else ended.headers
                )
                client.send(ended.body)
                break
        return True

    def _wait(self, attempt: int, retry_after: float, client: Client) -> bool:
        pause = self._patience.pause(attempt, retry_after)
        trouble = self.trouble
        if pause is None or trouble is None:
            return False
        logger.warning("the model's service fails and is asked again", status=trouble.status, seconds=pause)
        self._waiting(trouble)
        return self._patience.wait(pause, client.gone)

    def _attempt(self, call: Call, client: Client) -> bool | ErrorAnswer:
        """Send a call once. Money is held only while it is under way, not while it waits to be repeated."""
        if not call.max_tokens:
            return self._send(call, client, Tokens())[0]
        expected = self._worst_case(call)
        reserved = self._budget.reserve(call.model, expected)
        # Whatever happens from here on, the call may have been sent.
        used: Tokens | None = expected
        try:
            ended, used = self._send(call, client, expected)
        except Refusal as refusal:
            if not isinstance(refusal, Unanswered) or not refusal.sent:
                used = None
            raise
        finally:
            self._budget.settle(reserved, call.model, used)
        return ended

    def _worst_case(self, call: Call) -> Tokens:
        """No cache helps, all of the prompt is written to it, and the answer is as long as allowed."""
        prompt = self._counted.bound(call.prompt)
        hour = prompt if call.prompt.hour else 0
        return Tokens(cache_write=prompt, cache_write_1h=hour, output=call.max_tokens, us_only=True)

    def _send(self, call: Call, client: Client, expected: Tokens) -> tuple[bool | ErrorAnswer, Tokens | None]:
        """Send a call and pass its answer on; return how that ended, and what the call used, if anything."""
        try:
            url, signed = self._provider.signed(call)
            with self._upstream.post(url, signed, call.encoded) as answer:
                if not _OK <= answer.status < _NOT_GOOD:
                    return self._error(answer), None
                self._patience.worked()
                meter = SafeMeter(answer.headers.get("content-type", ""))
                client.start(answer.status, _passed(answer))
                whole = self._pass(answer, client, meter)
        except Refusal as refusal:
            self.trouble = Trouble(refusal.status, refusal.type, refusal.message)
            raise
        if call.max_tokens and meter.prompt_tokens is not None:
            self._counted.record(call.prompt, meter.prompt_tokens)
        return whole, meter.tokens(expected)

    def _pass(self, answer: urllib3.BaseHTTPResponse, client: Client, meter: SafeMeter) -> bool:
        try:
            while piece := answer.read1(_CHUNK):
                meter.feed(piece)
                client.send(piece)
        except (HTTPError, OSError) as error:
            self.trouble = Trouble(502, type(error).__name__, "The model's answer broke off.")
            return False
        meter.finish()
        if meter.error:
            self.trouble = Trouble(_OK, *meter.error)
        return True

    def _error(self, answer: urllib3.BaseHTTPResponse) -> ErrorAnswer:
        try:
            body = answer.read(_CHUNK)
        except (HTTPError, OSError):
            body = b""
        self.trouble = _trouble(answer, body)
        return ErrorAnswer(answer.status, _passed(answer), body)


def _passed(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in _PASSED_HEADERS if name in answer.headers}


def _trouble(answer: urllib3.BaseHTTPResponse, body: bytes) -> Trouble:
    decoded = decode_object(body)
    # Anthropic puts type and message under `error`; AWS has the message at the top, in either case.
    error = decoded["error"] if isinstance(decoded.get("error"), dict) else decoded
    kind = answer.headers.get("x-amzn-errortype") or error.get("type") or ""
    message = error.get("message") or error.get("Message") or ""
    return Trouble(answer.status, str(kind), str(message))

"""The agent's work in one session: a conversation that begins, or one that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from runner.agent.answers import threads_prompt
from runner.agent.prompt import continue_prompt
from runner.agent.resuming import put_conversation
from runner.agent.run import run_agent
from runner.agent.stuck import StuckGuard
from runner.checkpoints import Checkpoints
from runner.log import logger

if TYPE_CHECKING:
    from pullwright.models import AgentRequest
    from runner.agent.run import AgentRun
    from runner.context import SessionContext
    from runner.report import Report
    from runner.repository.profile import RepositoryProfile
    from runner.rules.delivery import HouseRules
    from runner.stopping import StopConditions
    from runner.tracking import Tracker
    from runner.work import Work


@dataclass(frozen=True, slots=True)
class AgentWork:
    """Lets the agent work, with checkpoints while it does.

    Attributes:
        request: without the comments that the agent is not to read.
    """

    request: AgentRequest
    context: SessionContext
    report: Report
    tracker: Tracker
    stops: StopConditions
    work: Work
    profile: RepositoryProfile
    rules: HouseRules

    def run(self, notes: str, *, resumed: bool) -> AgentRun:
        """Let it do what is asked for, in the earlier conversation if there is one.

        Args:
            notes: what the repository's maintainers want it to know.
            resumed: the work tree holds the work of a session that was cut off.
        """
        # Notes stand at the end, where the agent is told what to do.
        said = "\n\n".join(text for text in (threads_prompt(self.request, token_hex(8)), notes) if text)
        earlier = self._earlier()
        if earlier is not None:
            prompt = continue_prompt(self.request, token_hex(8), said, resumed=resumed)
            run = self._once(said, resumed=resumed, prompt=prompt, conversation_id=earlier)
            if not run.never_began:
                return run
            self._say_afresh("Claude Code does not know it")
        return self._once(said, resumed=resumed)

    def _once(
        self, notes: str, *, resumed: bool, prompt: str | None = None, conversation_id: str | None = None
    ) -> AgentRun:
        context, work = self.context, self.work
        checkpoints = Checkpoints(
            work.make_checkpoint, interval=context.settings.checkpoint_seconds, clock=context.clock
        )
        checkpoints.start()
        try:
            return run_agent(
                self.request,
                work.workspace,
                self.rules,
                tracker=self.tracker,
                transcript=context.transcript,
                api_key=context.grants.current().model_api_key,
                resumed=resumed,
                should_stop=self.stops.of_work,
                elapsed=lambda: context.phases.elapsed,
                guard=StuckGuard(lambda: work.changed_at, clock=context.clock),
                settle=checkpoints.stop,
                open_port=context.egress.open_port,
                tools=self.profile.tools,
                notes=notes,
                prompt=prompt,
                conversation_id=conversation_id,
                patience=context.settings.model_patience_seconds,
                report=self.report,
            )
        finally:
            checkpoints.stop()

    def _earlier(self) -> str | None:
        """Put the conversation that goes on into its place; return its id, or None where one begins."""
        conversation_id, path = self.request.conversation, self.context.private / "resumed.jsonl"
        if self.request.begins_afresh is not None:
            self._say_afresh(self.request.begins_afresh)
        if conversation_id is None:
            return None
        is_there = self.context.artifacts.earlier_conversation(path)
        if is_there and put_conversation(self.work.workspace, self.rules.folder, conversation_id, path):
            return conversation_id
        self._say_afresh("its record could not be brought")
        return None

    def _say_afresh(self, reason: str) -> None:
        logger.warning("the earlier conversation does not go on", reason=reason)
        self.report.notices.append(
            f"The agent began afresh, without what was said and done in the earlier session: {reason}."
        )

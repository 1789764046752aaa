"""The agent's work in one session: a conversation that begins, or one that goes on."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from pullwright.errors import PullwrightError
from pullwright.results import AgentPlan
from runner.agent.answers import threads_prompt
from runner.agent.mend_prompt import mend_prompt
from runner.agent.prompt import CARRY_OUT, PLANNING, WORKING, build_prompt, continue_prompt
from runner.agent.resuming import put_conversation
from runner.agent.run import run_agent
from runner.agent.stuck import StuckGuard
from runner.agent.tools import READING
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
        """Let it do what is asked for, with a plan before it if one is wanted.

        Args:
            notes: what the repository's maintainers want it to know.
            resumed: the work tree holds the work of a session that was cut off.
        """
        if not self.request.plan:
            return self._converse(notes, resumed=resumed)
        plan = self.context.artifacts.earlier_plan()
        if plan is None or not self._put_back(plan.conversation):
            self.tracker.show("Making a plan")
            run = self._converse(notes, resumed=resumed, is_plan=True)
            if not run.is_good or self.request.plan == "only":
                return run
            plan = AgentPlan(conversation=run.conversation_id, text=run.summary)
            self._keep(plan)
        self.tracker.publish("Carrying out the plan", plan.text)
        return self._once(resumed=resumed, prompt=CARRY_OUT, conversation_id=plan.conversation)

    def mend(self, conversation_id: str) -> AgentRun | None:
        """Go on with the conversation, with what the checks have found.

        Returns:
            None if there is no record of the conversation.
        """
        record = self.context.conversation
        folder = self.rules.folder
        if not record.exists() or not put_conversation(self.work.workspace, folder, conversation_id, record):
            return None
        self.report.begin_again()
        prompt = mend_prompt(self.request, self.report.checks, self.profile.setup_note(), token_hex(8))
        return self._once(resumed=False, prompt=prompt, conversation_id=conversation_id)

    def _converse(self, notes: str, *, resumed: bool, is_plan: bool = False) -> AgentRun:
        """Go on with the earlier conversation if there is one, or begin one."""
        # Notes stand at the end, where the agent is told what to do.
        said = "\n\n".join(text for text in (threads_prompt(self.request, token_hex(8)), notes) if text)
        closing = PLANNING if is_plan else WORKING
        earlier = self._earlier()
        if earlier is not None:
            prompt = continue_prompt(self.request, token_hex(8), said, resumed=resumed, closing=closing)
            run = self._once(resumed=resumed, prompt=prompt, conversation_id=earlier, is_plan=is_plan)
            if not run.never_began:
                return run
            self._say_afresh("Claude Code does not know it")
        prompt = build_prompt(self.request, token_hex(8), said, resumed=resumed, closing=closing)
        return self._once(resumed=resumed, prompt=prompt, is_plan=is_plan)

    def _keep(self, plan: AgentPlan) -> None:
        """Keep the plan for a task that goes on after this one, and count what it has cost."""
        report, artifacts, context = self.report, self.context.artifacts, self.context
        report.begin_again()
        try:
            if context.conversation.exists():
                resumed = context.private / "resumed.jsonl"
                resumed.write_bytes(context.conversation.read_bytes())
                artifacts.put_file(resumed)
                artifacts.put_plan(plan)
        except PullwrightError as error:
            # Whoever goes on then makes a plan of its own.
            logger.warning("the plan could not be kept", reason=error.sentence)

    def _once(
        self, *, resumed: bool, prompt: str, conversation_id: str | None = None, is_plan: bool = False
    ) -> AgentRun:
        context, work = self.context, self.work
        checkpoints = Checkpoints(
            work.make_checkpoint, interval=context.settings.checkpoint_seconds, clock=context.clock
        )
        # Who is evaluated could look up how the task was solved.
        network = nullcontext() if self.request.evaluation is None else context.egress.closed()
        checkpoints.start()
        try:
            with network:
                return run_agent(
                    self.request,
                    work.workspace,
                    self.rules,
                    tracker=self.tracker,
                    transcript=context.transcript,
                    api_key=context.host.model_api_key,
                    resumed=resumed,
                    should_stop=self.stops.of_work,
                    elapsed=lambda: context.phases.elapsed,
                    guard=StuckGuard(lambda: work.changed_at, clock=context.clock),
                    settle=checkpoints.stop,
                    open_port=context.egress.open_port,
                    tools=[tool for tool in self.profile.tools if tool in READING or not is_plan],
                    prompt=prompt,
                    conversation_id=conversation_id,
                    patience=context.settings.model_patience_seconds,
                    report=self.report,
                )
        finally:
            checkpoints.stop()

    def _earlier(self) -> str | None:
        """Put the conversation that goes on into its place; return its id, or None where one begins."""
        conversation_id = self.request.conversation
        if self.request.begins_afresh is not None:
            self._say_afresh(self.request.begins_afresh)
        if conversation_id is None:
            return None
        if self._put_back(conversation_id):
            return conversation_id
        self._say_afresh("its record could not be brought")
        return None

    def _put_back(self, conversation_id: str) -> bool:
        """Put the record of a conversation into its place; False if there is none."""
        path = self.context.private / "resumed.jsonl"
        is_there = self.context.artifacts.earlier_conversation(path)
        return is_there and put_conversation(self.work.workspace, self.rules.folder, conversation_id, path)

    def _say_afresh(self, reason: str) -> None:
        logger.warning("the earlier conversation does not go on", reason=reason)
        self.report.notices.append(
            f"The agent began afresh, without what was said and done in the earlier session: {reason}."
        )

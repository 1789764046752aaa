"""What a cell of the previews' fault matrix works with: a pull request of its own, and what breaks things."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.layout import Layout
from local.people import call
from local.sessions import Session
from local.supervise import children
from pullwright.executions import execution_arn
from pullwright.previewing.routes import group_name
from pullwright.table import decoded
from pullwright_engine import faults as engine
from tests.integration.faults.trial import Trial
from tests.integration.test_previews import Preview, PullRequest, get
from tests.integration.test_reconcile import items

if TYPE_CHECKING:
    from local.sessions import Stack

PAGE = "of the branch"
_MARKER = "<!-- pullwright:preview -->"


@dataclass
class PreviewTrial(Trial):
    """One cell under way.

    Attributes:
        pull: its pull request, whose branch has the cell's name.
        is_closed: whether that was closed.
    """

    pull: PullRequest = field(kw_only=True)
    is_closed: bool = False

    # --- the preview ---------------------------------------------------------------------------------------

    @property
    def stack(self) -> Stack:
        """The stack that it runs on."""
        return self.repository.stack

    @property
    def preview(self) -> Preview:
        """Its preview, whose id has the GUID in it as a webhook's has."""
        name = f"preview-{self.pull.number}-{self.guid}"
        return Preview(self.stack, execution_arn(self.stack.outputs["PreviewStateMachineArn"], name))

    @property
    def session(self) -> Session:
        """See `Trial`: what there is to know of any execution."""
        return Session(self.stack, self.preview.arn)

    @property
    def group(self) -> str:
        """What an order names that is about a call for its target group."""
        return group_name(self.preview.id)

    @property
    def host(self) -> str:
        """The first label of its host."""
        return f"uat-{self.pull.branch}"

    def start(self, machine: str) -> None:
        """Start it as `aws stepfunctions start-execution` does, by a version of the machine."""
        request = {"repository": self.repository.name, "pull_request": self.pull.number}
        self.stack.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=self.preview.id, input=json.dumps(request)
        )

    def record(self) -> dict[str, Any]:
        """Return its record, empty if it has none."""
        key = {"pk": {"S": f"PREVIEW#{self.preview.id}"}}
        return decoded(self._table("get_item", Key=key, ConsistentRead=True).get("Item", {}))

    def until_served(self) -> None:
        """Wait until its branch is seen through the load balancer."""
        for _ in self.until("the branch is served"):
            record = self.record()
            assert record.get("preview_status") != "FAILED", record
            if record.get("preview_status") == "SERVING" and get(record["url"]) == (200, PAGE):
                return

    def close_pull(self) -> None:
        """Close the pull request, which ends what is served."""
        self.is_closed = True
        self.repository.rest("PATCH", f"/pulls/{self.pull.number}", {"state": "closed"})

    def comments(self) -> list[str]:
        """Return the comments about it."""
        texts = self.repository.comments(self.pull.number)
        return [text for text in texts if text.startswith(_MARKER)]

    def until_ended(self) -> None:
        """Wait until the execution has ended."""
        for _ in self.until("the execution's end"):
            if self.preview.execution()["status"] != "RUNNING":
                return

    def until_over(self, says: str) -> None:
        """Wait until nothing is left of it and its end is told, maybe by sweeps."""
        self.until_ended()
        try:
            for _ in self.until(f"the end is told: {says}"):
                is_told = any(says in text for text in self.comments()) and self.is_closed_in_record()
                if is_told and not self.left():
                    return
                self.sweep()
        except TimeoutError as error:
            error.add_note(f"{self.record()} {self.comments()} {self.preview.execution()}")
            raise

    def is_closed_in_record(self) -> bool:
        """Return whether its record says that it ended."""
        return self.record().get("preview_status") in {"SUCCEEDED", "FAILED"}

    def left(self) -> list[str]:
        """Return what is there of it: rule, group, tasks, processes, slot, host, an end to be told."""
        elb = self.stack.client("elbv2")
        [balancer] = elb.describe_load_balancers()["LoadBalancers"]
        [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        groups = elb.describe_target_groups()["TargetGroups"]
        found = [text for text in map(json.dumps, rules) if f"{self.host}." in text or self.group in text]
        found += [group["TargetGroupArn"] for group in groups if group["TargetGroupName"] == self.group]
        others = [item for item in items(self.stack) if not item["pk"]["S"].startswith("PREVIEW#")]
        found += [text for text in map(str, others) if self.preview.id in text]
        return found + self.preview.running()

    def sweep(self) -> None:
        """Remove what executions left, as the schedule does."""
        functions = self.stack.client("lambda")
        name = function_name(self.stack, "PREVIEW_TASK_FAMILIES")
        answer = functions.invoke(FunctionName=name, Payload=b"{}")
        said = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise RuntimeError(said)

    # --- what breaks ---------------------------------------------------------------------------------------

    def path(self, path: str) -> str:
        """Return a path as the stand-in's failures name it; `{n}` is the pull request's number."""
        return super().path(path.replace("{n}", str(self.pull.number)))

    def until_held(self, path: str) -> None:
        """Wait until a request that is told to wait has arrived."""
        for _ in self.until(path):
            known = call(self.stack.github_url, "GET", "/_standin/faults")
            if any(fault["path_regex"] == self.path(path) and fault["seen"] for fault in known):
                return

    def kill_task(self) -> None:
        """Send SIGKILL to the runner, and to nothing else."""
        [task] = self.preview.tasks()
        name = task["taskArn"].rpartition("/")[2]
        for runner in children(Layout(self.folder).children):
            if f"task {name} " in runner.name:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(runner.pid, signal.SIGKILL)

    def release(self, path: str) -> None:
        """Let the requests go on that are held."""
        call(self.stack.github_url, "POST", "/_standin/faults/release", {"path_regex": self.path(path)})

    def time_out(self) -> None:
        """Let the execution's time be up."""
        self.order(engine.TIME_OUT)
        self.until_ended()

    def until_closed(self) -> None:
        """Wait until its record says that it ended."""
        for _ in self.until("the end of its record"):
            if self.is_closed_in_record():
                return


def function_name(stack: Stack, variable: str) -> str:
    """Return the function that has a variable in its environment."""
    functions = stack.client("lambda")
    return str(
        next(
            function["FunctionName"]
            for page in functions.get_paginator("list_functions").paginate()
            for function in page["Functions"]
            if variable in function.get("Environment", {}).get("Variables", {})
        )
    )

"""Control requests: `/_standin/…`, which Jira does not have. They set up and inspect the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jira_standin import changes, shapes
from jira_standin.answers import JiraError
from jira_standin.control_models import (
    ChangedPerson,
    ClockBody,
    GroupBody,
    IssueBody,
    MoveBody,
    PersonBody,
    ProjectBody,
    SettingsBody,
)
from jira_standin.records import Group, Person, Project
from jira_standin.rest.router import new_router
from standin import control
from standin.answers import Reply
from standin.control import FieldError

if TYPE_CHECKING:
    from collections import deque

    from jira_standin.calls import Call
    from jira_standin.jira import Jira
    from jira_standin.records import Delivery, Issue
    from standin.faults import Faults
    from standin.gate import Entry

_QUIET_SECONDS = 30.0


class Control:
    """Answers control requests."""

    def __init__(self, jira: Jira, faults: Faults, entries: deque[Entry]) -> None:
        self._jira = jira
        self._faults = faults
        self._entries = entries
        self._router = new_router()
        on = self._router.on
        on("GET", "/health")(lambda _call: Reply(200, {"ok": True}))
        on("POST", "/people")(self._post_person)
        on("PATCH", "/people/{account}")(self._patch_person)
        on("PUT", "/groups/{name}")(self._put_group)
        on("PUT", "/projects/{key}")(self._put_project)
        on("PATCH", "/issues/{issue}")(self._patch_issue)
        on("POST", "/issues/{issue}/move")(self._move)
        on("GET", "/faults")(lambda _call: Reply(200, self._faults.describe()))
        on("PUT", "/faults")(lambda call: control.replace_faults(self._faults, call.content))
        on("POST", "/faults/release")(lambda call: control.release(self._faults, call.content))
        on("PUT", "/settings")(self._put_settings)
        on("POST", "/clock")(self._move_clock)
        on("GET", "/deliveries")(self._get_deliveries)
        on("POST", "/deliveries/{id}/repeat")(self._repeat)
        on("POST", "/quiet")(lambda _call: Reply(202))
        on("GET", "/requests")(lambda call: control.list_requests(entries, call.query.get("path", "")))
        on("DELETE", "/requests")(self._forget_requests)

    def respond(self, call: Call) -> Reply:
        """Answer one request; the caller holds the lock."""
        return control.answer(lambda: self._router.find(call)(call))

    def settle(self, call: Call, reply: Reply) -> Reply:
        """Wait, without the lock, until no delivery is due where that was asked for."""
        if call.path != "/quiet" or call.method != "POST":
            return reply
        if self._jira.outbox.wait_until_quiet(_QUIET_SECONDS):
            return Reply(200, {"quiet": True})
        return Reply(504, {"message": f"A delivery was still due after {_QUIET_SECONDS:.0f} s."})

    # People, groups, projects

    def _post_person(self, call: Call) -> Reply:
        body = PersonBody.model_validate_json(call.content)
        found = next((it for it in self._jira.store.people if it.email.lower() == body.email.lower()), None)
        if found is None:
            number = self._jira.store.next_id("person")
            account_id = body.account_id or f"712020:{number:08x}-0000-4000-8000-000000000000"
            name = body.display_name or body.email.partition("@")[0]
            found = Person(id=number, account_id=account_id, display_name=name, email=body.email)
        if body.token and body.token not in found.tokens:
            found.tokens.append(body.token)
        self._jira.store.people.put(found)
        return Reply(201, shapes.person(self._jira, found.account_id, email=True))

    def _patch_person(self, call: Call) -> Reply:
        body = ChangedPerson.model_validate_json(call.content)
        found = self._person("account", call.params["account"])
        self._jira.store.people.put(found.model_copy(update=body.model_dump(exclude_unset=True)))
        return Reply(200, shapes.person(self._jira, found.account_id, email=True))

    def _put_group(self, call: Call) -> Reply:
        body = GroupBody.model_validate_json(call.content)
        name = call.params["name"]
        found = self._jira.group(name)
        if found is None:
            number = self._jira.store.next_id("group")
            group_id = f"276f955c-63d7-42c8-9520-{number:012d}"
            found = Group(id=number, group_id=group_id, name=name)
        if body.members is not None:
            found.members = [self._person("members", it).account_id for it in body.members]
        added = [self._person("add", it).account_id for it in body.add]
        found.members = list(dict.fromkeys([*found.members, *added]))
        return Reply(200, shapes.group(self._jira, self._jira.store.groups.put(found)))

    def _put_project(self, call: Call) -> Reply:
        body = ProjectBody.model_validate_json(call.content)
        key = call.params["key"].upper()
        found = self._jira.project(key)
        if found is None:
            found = Project(id=self._jira.store.next_id("project"), key=key, name=body.name or key)
        found.name = body.name or found.name
        found.permissions = {str(name): groups for name, groups in body.permissions.items()}
        return Reply(200, shapes.project(self._jira, self._jira.store.projects.put(found)))

    # Issues

    def _patch_issue(self, call: Call) -> Reply:
        issue, body = self._issue(call), IssueBody.model_validate_json(call.content)
        issue.security = body.security
        return Reply(200, shapes.issue(self._jira, self._jira.store.issues.put(issue)))

    def _move(self, call: Call) -> Reply:
        issue, body = self._issue(call), MoveBody.model_validate_json(call.content)
        project = self._jira.project(body.project)
        if project is None:
            raise FieldError("project", "there is no such project; PUT /_standin/projects/KEY first")
        changes.move(self._jira, issue, self._person("by", body.by), project)
        return Reply(200, shapes.issue(self._jira, issue))

    # What happens, and what happened

    def _put_settings(self, call: Call) -> Reply:
        body = SettingsBody.model_validate_json(call.content)
        settings = self._jira.store.settings
        for name in body.model_fields_set:
            setattr(settings, name, getattr(body, name))
        self._jira.store.save_settings()
        return Reply(200, settings.model_dump(include={"limits", "hosts", "longest_text"}))

    def _move_clock(self, call: Call) -> Reply:
        body = ClockBody.model_validate_json(call.content)
        self._jira.store.settings.advance += body.advance
        self._jira.store.save_settings()
        self._jira.outbox.wake()
        return Reply(200, {"now": self._jira.now()})

    def _get_deliveries(self, call: Call) -> Reply:
        """List deliveries, oldest first: all of them, or those of an issue or an event."""
        event, issue = call.query.get("event"), call.query.get("issue")
        chosen = [
            it
            for it in self._jira.store.deliveries
            if (event is None or it.event == event) and (issue is None or it.issue_key == issue)
        ]
        return Reply(200, [_delivery(it) for it in chosen])

    def _repeat(self, call: Call) -> Reply:
        number = call.params["id"]
        found = next((it for it in self._jira.store.deliveries if str(it.id) == number), None)
        if found is None:
            raise JiraError(404, f"There is no delivery {number}.")
        self._jira.outbox.repeat(found)
        return Reply(202, _delivery(found))

    def _forget_requests(self, _call: Call) -> Reply:
        self._entries.clear()
        return Reply(204)

    def _person(self, field: str, account_id: str) -> Person:
        found = self._jira.person(account_id)
        if found is None:
            raise FieldError(field, f"there is no account {account_id}; POST /_standin/people first")
        return found

    def _issue(self, call: Call) -> Issue:
        found = self._jira.issue(call.params["issue"])
        if found is None:
            raise JiraError(404, f"There is no issue {call.params['issue']}.")
        return found


def _delivery(it: Delivery) -> dict[str, Any]:
    return it.model_dump()

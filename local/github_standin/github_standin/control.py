"""Control requests: `/_standin/…`, which GitHub does not have. They set up and inspect the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from github_standin import control_repositories as actions
from github_standin import events, runs
from github_standin.answers import not_found
from github_standin.control_models import (
    AppBody,
    ChangedRepository,
    GivenRole,
    NewRepository,
    OutcomesBody,
    TeamsBody,
    UserBody,
)
from github_standin.records import App
from github_standin.rest.deliveries import shape_in_full
from github_standin.routing import Router
from github_standin.shapes import accounts, repositories
from standin import control
from standin.answers import Reply
from standin.control import FieldError
from standin.times import fine_stamp

if TYPE_CHECKING:
    from collections import deque

    from github_standin.calls import Call
    from github_standin.github import GitHub
    from github_standin.records import Lags, Limits, Repository
    from standin.faults import Faults
    from standin.gate import Entry

_ROLES = TypeAdapter(dict[str, GivenRole])
_ONE = "/repositories/{owner}/{repo}"
_ACCEPTED = 202


class Control:
    """Answers control requests."""

    def __init__(self, github: GitHub, faults: Faults, entries: deque[Entry]) -> None:
        self._github = github
        self._faults = faults
        self._entries = entries
        self._router = Router()
        on = self._router.on
        on("GET", "/health")(lambda _call: Reply(200, {"ok": True}))
        on("PUT", "/app")(self._put_app)
        on("POST", "/users")(self._post_user)
        on("PUT", "/organizations/{login}/teams")(self._put_teams)
        on("POST", "/repositories")(self._post_repository)
        on("PATCH", _ONE)(self._patch_repository)
        on("DELETE", _ONE)(self._delete_repository)
        on("PUT", f"{_ONE}/permissions")(self._put_permissions)
        on("PUT", f"{_ONE}/outcomes")(self._put_outcomes)
        on("POST", f"{_ONE}/runs/finish")(self._finish_runs)
        on("GET", "/faults")(lambda _call: Reply(200, self._faults.describe()))
        on("PUT", "/faults")(lambda call: control.replace_faults(self._faults, call.content))
        on("POST", "/faults/release")(lambda call: control.release(self._faults, call.content))
        on("PUT", "/limits")(lambda call: self._configure(call, "limits"))
        on("GET", "/impatient")(lambda _call: Reply(200, self._impatient()))
        on("PUT", "/lags")(lambda call: self._configure(call, "lags"))
        on("GET", "/tokens")(self._get_tokens)
        on("GET", "/deliveries")(self._get_deliveries)
        on("POST", "/deliveries/{id}/redeliver")(self._redeliver)
        on("GET", "/requests")(lambda call: control.list_requests(self._entries, call.query.get("path", "")))
        on("DELETE", "/requests")(self._forget_requests)

    def respond(self, call: Call) -> Reply:
        """Answer one request; the caller holds the lock."""
        return control.answer(lambda: self._router.find(call)(call))

    def settle(self, call: Call, reply: Reply) -> Reply:
        """Wait, without the lock, for a redelivery that was asked for, and return its result."""
        if not call.path.endswith("/redeliver") or reply.status != _ACCEPTED:
            return reply
        self._github.outbox.wait_for(reply.body["id"])
        with self._github.lock:
            made = self._github.store.deliveries.get(reply.body["id"])
            return reply if made is None else Reply(_ACCEPTED, shape_in_full(made))

    # The App and its people

    def _put_app(self, call: Call) -> Reply:
        body = AppBody.model_validate_json(call.content)
        settings = self._github.store.settings
        before = settings.app
        settings.app = App(
            id=body.app_id,
            client_id=body.client_id or f"Iv23li{body.app_id:014d}",
            slug=body.slug,
            public_key_pem=body.public_key_pem,
            webhook_secret=body.webhook_secret,
            webhook_url=body.webhook_url,
            webhook_host=body.webhook_host,
            owner_id=self._github.need_account(body.owner, "Organization").id if body.owner else 0,
            hook_id=before.hook_id if before else self._github.store.next_id("hook"),
            created_at=before.created_at if before else self._github.now(),
        )
        self._github.store.save_settings()
        self._github.bot()
        if body.webhook_url and (before is None or before.webhook_url != body.webhook_url):
            events.ping(self._github)
        return Reply(200 if before else 201, accounts.app(self._github, settings.app))

    def _post_user(self, call: Call) -> Reply:
        body = UserBody.model_validate_json(call.content)
        existing = self._github.account(body.login)
        account = existing or self._github.need_account(body.login, body.type)
        if account.type != body.type:
            raise FieldError("login", f"{body.login} is no {body.type}, but {account.type}")
        holder = next((a for a in self._github.store.accounts if body.token in a.tokens), account)
        if holder.id != account.id:
            raise FieldError("token", "somebody else has this token")
        if body.token not in account.tokens:
            account.tokens.append(body.token)
        self._github.store.accounts.put(account)
        return Reply(200 if existing else 201, accounts.user(self._github, account))

    def _put_teams(self, call: Call) -> Reply:
        """Give an organization these teams, and no others."""
        body = TeamsBody.model_validate_json(call.content)
        organization = self._github.need_account(call.params["login"], "Organization")
        teams: dict[str, list[int]] = {}
        for slug, logins in body.teams.items():
            members = [self._github.account(login) for login in logins]
            teams[slug] = [member.id for member in members if member is not None]
            if len(teams[slug]) < len(logins):
                raise FieldError(f"teams.{slug}", "there is no such user; POST /_standin/users first")
        organization.teams = teams
        self._github.store.accounts.put(organization)
        return Reply(200, body.model_dump())

    def _get_tokens(self, call: Call) -> Reply:
        """List installation tokens, so that tests can look for them where they must not be."""
        return Reply(200, [it.token for it in call.github.store.tokens])

    # Repositories

    def _repository(self, call: Call) -> Repository:
        repository = self._github.repository(call.params["owner"], call.params["repo"])
        if repository is None:
            raise not_found()
        return repository

    def _shape(self, repository: Repository) -> dict[str, Any]:
        return repositories.repository(self._github, repository)

    def _post_repository(self, call: Call) -> Reply:
        body = NewRepository.model_validate_json(call.content)
        return Reply(201, self._shape(actions.create(self._github, body)))

    def _patch_repository(self, call: Call) -> Reply:
        repository = self._repository(call)
        actions.change(self._github, repository, ChangedRepository.model_validate_json(call.content))
        return Reply(200, self._shape(repository))

    def _put_permissions(self, call: Call) -> Reply:
        """Give people roles; those of others stay."""
        repository = self._repository(call)
        body = ChangedRepository(permissions=_ROLES.validate_json(call.content))
        actions.change(self._github, repository, body)
        return Reply(200, self._shape(repository))

    def _put_outcomes(self, call: Call) -> Reply:
        """Say how workflows end; those that are queued stay so."""
        repository = self._repository(call)
        body = OutcomesBody.model_validate_json(call.content)
        repository.outcomes, repository.outcomes_wait = body.outcomes, body.wait
        self._github.store.repositories.put(repository)
        return Reply(200, body.model_dump())

    def _finish_runs(self, call: Call) -> Reply:
        """Let all queued runs end as ordered."""
        repository = self._repository(call)
        queued = [it for it in self._github.store.workflow_runs if it.repository_id == repository.id]
        for run in queued:
            runs.finish(self._github, repository, run, self._github.store.accounts[run.actor_id])
        return Reply(204)

    def _delete_repository(self, call: Call) -> Reply:
        actions.remove(self._github, self._repository(call))
        return Reply(204)

    # Failures and limits

    def _configure(self, call: Call, kind: Literal["limits", "lags"]) -> Reply:
        """Change the limits or lags that the body names; the others stay."""
        settings, changes = self._github.store.settings, call.body()
        before: Limits | Lags = getattr(settings, kind)
        for name in changes:
            if name not in type(before).model_fields:
                raise FieldError(name, f"there is no such {kind.removesuffix('s')}")
        changed = before.model_validate({**before.model_dump(), **changes})
        setattr(settings, kind, changed)
        self._github.store.save_settings()
        return Reply(200, changed.model_dump())

    def _impatient(self) -> list[dict[str, object]]:
        return [{"time": fine_stamp(time), "actor": actor} for time, actor in self._github.meter.impatient]

    # What happened

    def _get_deliveries(self, call: Call) -> Reply:
        """List the attempts that the query asks for, oldest first, those that wait too."""
        wanted = {name: call.query[name] for name in ("event", "action") if name in call.query}
        pending = call.query.get("pending")
        chosen = [
            it
            for it in self._github.store.deliveries
            if all(getattr(it, name) == value for name, value in wanted.items())
            and pending in (None, str(it.pending).lower())
        ]
        return Reply(200, [{**shape_in_full(it), "pending": it.pending} for it in chosen])

    def _redeliver(self, call: Call) -> Reply:
        delivery = self._github.store.deliveries.get(call.number("id"))
        if delivery is None:
            raise not_found()
        return Reply(202, shape_in_full(self._github.outbox.send_again(delivery)))

    def _forget_requests(self, _call: Call) -> Reply:
        self._entries.clear()
        return Reply(204)

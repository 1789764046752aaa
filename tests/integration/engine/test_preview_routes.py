"""Routes of previews through the engine's load balancer, with tasks that are started and stopped."""

import json
from collections.abc import Iterator

import pytest

from pullwright.errors import NoCapacity, PreviewHostTaken, PreviewNotReady
from pullwright.previewing.routes import Routes, group_name, priorities
from tests.integration.engine.balancing import Balancing, load_balancer
from tests.integration.engine.kit import Engine, wait

HOST = "uat-main.preview.localhost"
PORT = 8123


@pytest.fixture(scope="module")
def balancing(engine: Engine) -> Iterator[Balancing]:
    """Share a load balancer among the tests of this module."""
    with load_balancer(engine) as made:
        yield made
    engine.client("cloudformation").delete_stack(StackName="balancing")


def _routes(balancing: Balancing, stack: str) -> Routes:
    return Routes(balancing.elb, balancing.outputs["Listener"], balancing.outputs["Vpc"], stack)


@pytest.fixture(scope="module")
def routes(balancing: Balancing) -> Routes:
    """Return the routes of its listener."""
    return _routes(balancing, "pullwright")


@pytest.fixture
def lag(engine: Engine) -> Iterator[None]:
    """Let changes of rules reach requests after three seconds."""
    file = engine.emulator.layout.engine / "settings.json"
    given = file.read_text()
    file.write_text(json.dumps({**json.loads(given), "elb_lag": 3.0}))
    yield
    file.write_text(given)


def _rules(balancing: Balancing) -> int:
    rules = balancing.elb.describe_rules(ListenerArn=balancing.outputs["Listener"])["Rules"]
    return sum(not rule["IsDefault"] for rule in rules)


def _groups(balancing: Balancing) -> list[str]:
    """Return the names of previews' groups; other tests leave theirs in the same engine."""
    groups = balancing.elb.describe_target_groups()["TargetGroups"]
    return [name for group in groups if (name := group["TargetGroupName"]).startswith("preview-")]


def _served(routes: Routes, balancing: Balancing, preview_id: str) -> str:
    """Route a task until it is healthy and return its target group; each kind of preview has one task."""
    if preview_id not in balancing.addresses:
        balancing.addresses[preview_id] = balancing.serve(preview_id)
    address = balancing.addresses[preview_id]
    group = routes.register(preview_id, address, PORT, "/health")
    assert routes.register(preview_id, address, PORT, "/health") == group
    routes.admit(HOST, group)
    routes.admit(HOST, group)
    wait(lambda: routes.is_healthy(group), 20)
    return group


def test_a_preview_comes_is_renewed_and_goes(routes: Routes, balancing: Balancing) -> None:
    """One rule for the host; the newer preview has it before the older one goes, and then nothing is left."""
    assert balancing.ask(HOST).status == 404
    first = _served(routes, balancing, "first")
    # Alone in its rule it has the requests at once: there is no change of weights to wait for.
    assert balancing.ask(HOST).json()["name"] == "first"
    routes.take_over(HOST, first)
    assert balancing.ask(HOST).json()["name"] == "first"
    second = _served(routes, balancing, "second")
    assert balancing.ask(HOST).json()["name"] == "first"
    routes.take_over(HOST, second)
    routes.take_over(HOST, second)
    assert balancing.ask(HOST).json()["name"] == "second"
    assert _rules(balancing) == 1
    assert routes.previews() == {"first", "second"}
    for _ in range(2):
        routes.remove("first")
    assert balancing.ask(HOST).json()["name"] == "second"
    for _ in range(2):
        routes.remove("second")
    assert balancing.ask(HOST).status == 404
    assert _rules(balancing) == 0
    assert _groups(balancing) == []


def test_a_newer_preview_that_never_was_healthy_leaves_the_older_one_alone(
    routes: Routes, balancing: Balancing
) -> None:
    """Taken away before it took over, it takes no weight and no rule along."""
    first = _served(routes, balancing, "first")
    routes.take_over(HOST, first)
    dead = routes.register("dead", "127.64.0.9", PORT, "/health")
    routes.admit(HOST, dead)
    assert not routes.is_healthy(dead)
    routes.remove("dead")
    assert balancing.ask(HOST).json()["name"] == "first"
    routes.remove("first")
    assert _rules(balancing) == 0


def test_one_that_took_over_gives_the_host_back(routes: Routes, balancing: Balancing) -> None:
    """Both are in the rule until one is removed; the other one has the requests then."""
    first = _served(routes, balancing, "first")
    second = _served(routes, balancing, "second")
    routes.take_over(HOST, first)
    routes.take_over(HOST, second)
    assert balancing.ask(HOST).json()["name"] == "second"
    routes.remove("second")
    assert balancing.ask(HOST).json()["name"] == "first"
    routes.remove("first")
    assert _rules(balancing) == 0


def test_a_rule_has_room_for_five_groups(routes: Routes, balancing: Balancing) -> None:
    """A sixth one waits until an earlier one is removed."""
    names = [f"push-{number}" for number in range(6)]
    groups = [routes.register(name, "127.64.0.9", PORT, "/health") for name in names]
    for group in groups[:5]:
        routes.admit(HOST, group)
    with pytest.raises(PreviewNotReady, match="still being removed"):
        routes.admit(HOST, groups[5])
    routes.remove(names[0])
    routes.admit(HOST, groups[5])
    for name in names:
        routes.remove(name)
    assert _rules(balancing) == 0


def test_a_change_reaches_requests_later(routes: Routes, balancing: Balancing, lag: None) -> None:
    """Until then requests go to the group that had the weight, and find nothing once it is deleted.

    https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3739
    """
    del lag
    _served(routes, balancing, "first")
    second = _served(routes, balancing, "second")
    routes.take_over(HOST, second)
    assert balancing.ask(HOST).json()["name"] == "first"
    routes.remove("first")
    assert balancing.ask(HOST).status == 503
    wait(lambda: balancing.ask(HOST).status == 200, 10)
    assert balancing.ask(HOST).json()["name"] == "second"
    routes.remove("second")
    wait(lambda: balancing.ask(HOST).status == 404, 10)


def test_a_priority_that_is_taken_is_passed_over(routes: Routes, balancing: Balancing) -> None:
    """Two hosts whose own priority is the same have one each."""
    group = routes.register("waiting", "127.64.0.9", PORT, "/health")
    own = next(priorities(HOST))
    other = balancing.rule(own, "other.preview.localhost", (group, 1))
    routes.admit(HOST, group)
    taken = balancing.elb.describe_rules(ListenerArn=balancing.outputs["Listener"])["Rules"]
    assert sorted(rule["Priority"] for rule in taken) == sorted([str(own), str(own + 1), "default"])
    balancing.elb.delete_rule(RuleArn=other)
    routes.remove("waiting")
    assert _rules(balancing) == 0


def test_a_host_of_another_deployment_keeps_its_requests(routes: Routes, balancing: Balancing) -> None:
    """Two Pullwrights with one listener and one domain: who has a host first keeps it until the end."""
    first = _served(routes, balancing, "first")
    routes.take_over(HOST, first)
    others = _routes(balancing, "pullwright-of-others")
    group = others.register("theirs", "127.64.0.9", PORT, "/health")
    with pytest.raises(PreviewHostTaken, match=f"a rule for {HOST} that is not of this deployment"):
        others.admit(HOST, group)
    others.take_over(HOST, group)
    assert balancing.ask(HOST).json()["name"] == "first"
    others.remove("theirs")
    assert balancing.ask(HOST).json()["name"] == "first"
    routes.remove("first")
    assert _rules(balancing) == 0


def test_a_host_of_another_service_keeps_its_requests(routes: Routes, balancing: Balancing) -> None:
    """A rule that was there before is found by its pattern, at any priority; a page for all hosts is none."""
    group = routes.register("late", "127.64.0.9", PORT, "/health")
    for_all = balancing.rule(49_000, "*.preview.localhost", (group, 0))
    for pattern, path in (("UAT-*.preview.localhost", ""), (HOST.replace("u", "?", 1), "/api/*")):
        rule = balancing.rule(50_000, pattern, (group, 0), path=path)
        with pytest.raises(PreviewHostTaken):
            routes.admit(HOST, group)
        balancing.elb.delete_rule(RuleArn=rule)
    routes.admit(HOST, group)
    balancing.elb.delete_rule(RuleArn=for_all)
    routes.remove("late")
    assert _rules(balancing) == 0


def test_a_rule_that_goes_while_it_is_looked_at_is_nobodys(routes: Routes, balancing: Balancing) -> None:
    """An older preview may end meanwhile: then the host is asked for again, and not taken for another's."""
    group = routes.register("early", "127.64.0.9", PORT, "/health")
    rule = balancing.rule(49_000, HOST, (group, 0))
    [found] = [known for known in routes._rules() if known["RuleArn"] == rule]
    balancing.elb.delete_rule(RuleArn=rule)
    with pytest.raises(PreviewNotReady):
        routes._own([found])
    routes.admit(HOST, group)
    routes.remove("early")
    assert _rules(balancing) == 0


def test_a_load_balancer_that_is_full_says_so(routes: Routes, balancing: Balancing) -> None:
    """The sentence is about the load balancer, and its remedy about previews."""
    group = routes.register("one-more", "127.64.0.9", PORT, "/health")
    full = [balancing.rule(100 + number, f"n{number}.localhost", (group, 1)) for number in range(6)]
    with pytest.raises(NoCapacity, match="as many rules or target groups as AWS allows"):
        routes.admit(HOST, group)
    for rule in full:
        balancing.elb.delete_rule(RuleArn=rule)
    routes.remove("one-more")


@pytest.mark.parametrize("preview_id", ["preview-7-x", "p" * 80, "preview_7"])
def test_a_group_has_a_name_that_aws_takes(balancing: Balancing, preview_id: str) -> None:
    """At most 32 letters, digits and dashes, whatever the preview is called."""
    made = balancing.group(group_name(preview_id))
    balancing.elb.delete_target_group(TargetGroupArn=made)

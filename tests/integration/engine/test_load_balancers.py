"""What Elastic Load Balancing does with listeners, rules, targets and requests."""

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
import urllib3
from botocore.exceptions import ClientError

from local.supervise import free_port
from tests.integration.engine.balancing import Balancing, deploy, forward, load_balancer
from tests.integration.engine.kit import Engine, wait

RULES = 6
"""The engine's quota of rules in these tests."""


@pytest.fixture(scope="module")
def balancing(engine: Engine) -> Iterator[Balancing]:
    """Share a load balancer among the tests of this module."""
    with load_balancer(engine) as made:
        yield made


@pytest.fixture(scope="module")
def address(balancing: Balancing) -> str:
    """Start a task with a web server and return its address."""
    return balancing.serve("one")


@pytest.fixture(scope="module")
def served(balancing: Balancing, address: str) -> str:
    """Return the host whose rule forwards to the task, which is healthy."""
    group = balancing.group("served", address)
    balancing.rule(100, "one.preview.localhost", (group, 1))
    balancing.await_state(group, "healthy")
    return "one.preview.localhost"


def test_a_stack_has_a_load_balancer_that_answers(balancing: Balancing, engine: Engine) -> None:
    """What no rule matches gets the listener's default answer; an update of the stack changes it."""
    [known] = balancing.elb.describe_load_balancers()["LoadBalancers"]
    assert known["LoadBalancerArn"].endswith(balancing.outputs["FullName"])
    assert known["DNSName"] == balancing.outputs["Name"]
    assert len(known["LoadBalancerName"]) <= 32
    assert known["IpAddressType"] == "dualstack"
    response = balancing.ask("unknown.preview.localhost")
    assert (response.status, response.data) == (404, b"Nothing is here.")
    assert response.headers["Server"] == "awselb/2.0"
    deploy(engine, "balancing", Port=str(balancing.port), Answer="Still nothing.")
    assert balancing.ask("unknown.preview.localhost").data == b"Still nothing."
    assert balancing.ask("unknown.preview.localhost", method="HEAD").data == b""


def test_a_task_gets_what_the_client_sent_and_who_that_was(balancing: Balancing, served: str) -> None:
    """Path, body and headers arrive with the `X-Forwarded` ones; those of one hop do not.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    response = balancing.ask(
        served.upper(),
        "/a%20b/c?d=e",
        "POST",
        body="hello",
        headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "gopher", "TE": "trailers"},
    )
    received = json.loads(response.data)
    assert (received["name"], received["path"], received["body"]) == ("one", "/a%20b/c?d=e", "hello")
    headers = received["headers"]
    assert headers["X-Forwarded-For"] == "203.0.113.7, 127.0.0.1"
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Port"]) == ("http", str(balancing.port))
    assert headers["Host"] == f"{served.upper()}:{balancing.port}"
    assert headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert "TE" not in headers


def test_bodies_without_a_length_pass_both_ways(balancing: Balancing, served: str) -> None:
    """A request and a response that come in chunks are whole on the other side."""
    parts = iter([b"one, ", b"two"])
    assert json.loads(balancing.ask(served, "/", "POST", body=parts).data)["body"] == "one, two"
    assert balancing.ask(served, "/chunks").data == b"firstsecond"


def test_a_body_that_nobody_wants_is_read_to_its_end(balancing: Balancing, served: str) -> None:
    """A client that still sends hears the answer, and goes on with the same connection."""
    client = HTTPConnection("127.0.0.1", balancing.port, timeout=10)
    client.connect()
    # A connection that was closed is an error then, and not opened again.
    client.auto_open = 0
    for host, status in (("no.localhost", 404), ("no.localhost", 404), (served, 200)):
        client.request("POST", "/", headers={"Host": host}, body=b"x" * 5_000_000)
        response = client.getresponse()
        assert (response.status, bool(response.read())) == (status, True)
    client.close()


def test_a_websocket_passes(balancing: Balancing, served: str) -> None:
    """Node's client exchanges messages with the task.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
    """
    [rule] = [
        rule
        for rule in balancing.elb.describe_rules(ListenerArn=balancing.outputs["Listener"])["Rules"]
        if rule["Priority"] == "100"
    ]
    # Node looks names up in the system, which may know no name of this machine that a rule can have.
    [made] = balancing.elb.create_rule(
        ListenerArn=balancing.outputs["Listener"],
        Priority=99,
        Conditions=[{"Field": "path-pattern", "Values": ["/ws"]}],
        Actions=rule["Actions"],
    )["Rules"]
    assert balancing.websocket("localhost", "hello", "again") == ["hello", "again"]
    assert balancing.ask(served).status == 200
    balancing.elb.delete_rule(RuleArn=made["RuleArn"])


@pytest.mark.parametrize(("path", "status"), [("/slow", 504), ("/hang-up", 502), ("/no-http", 502)])
def test_a_target_that_fails_is_answered_for(
    balancing: Balancing, served: str, path: str, status: int
) -> None:
    """No answer within the idle timeout is 504; a closed connection and other protocols are 502.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
    """
    response = balancing.ask(served, path)
    assert response.status == status
    assert response.headers["Content-Type"] == "text/html"
    assert balancing.ask(served).status == 200


def test_a_group_without_targets_is_unavailable(balancing: Balancing) -> None:
    """503 says that no target is registered; 502 that nobody listens there."""
    group = balancing.group("empty")
    balancing.rule(101, "empty.preview.localhost", (group, 1))
    assert balancing.ask("empty.preview.localhost").status == 503
    balancing.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.64.0.9", "Port": 9}])
    balancing.await_state(group, "unhealthy")
    [health] = balancing.health(group)
    assert health["Reason"] == "Target.FailedHealthChecks"
    # A group of nothing but unhealthy targets fails open.
    assert balancing.ask("empty.preview.localhost").status == 502


def test_what_is_no_request_is_refused(balancing: Balancing) -> None:
    """A client that does not speak HTTP gets 400."""
    with socket.create_connection(("127.0.0.1", balancing.port), timeout=10) as client:
        client.sendall(b"HELO example.com\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_only_a_group_that_a_rule_names_is_checked(balancing: Balancing, address: str) -> None:
    """Its targets are `unused` before, and weight 0 is enough to have them checked without a request.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
    """
    group = balancing.group("later", address)
    assert balancing.health(group) == [
        {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    ]
    rule = balancing.rule(102, "later.preview.localhost", (group, 0))
    balancing.await_state(group, "healthy")
    assert balancing.ask("later.preview.localhost").status == 503
    balancing.elb.modify_rule(RuleArn=rule, Actions=[forward((group, 1))])
    assert balancing.ask("later.preview.localhost").status == 200
    with pytest.raises(ClientError, match="ResourceInUse"):
        balancing.elb.delete_target_group(TargetGroupArn=group)
    balancing.elb.delete_rule(RuleArn=rule)
    assert [entry["Reason"] for entry in balancing.health(group)] == ["Target.NotInUse"]
    balancing.elb.delete_target_group(TargetGroupArn=group)
    assert balancing.ask("later.preview.localhost").status == 404


def test_the_codes_and_the_path_of_a_group_decide(balancing: Balancing, address: str) -> None:
    """A target that answers its check with a status that is not expected says which one that was."""
    group = balancing.group(
        "picky", address, HealthCheckPath="/anything", Matcher={"HttpCode": "204,301-399"}
    )
    rule = balancing.rule(103, "picky.preview.localhost", (group, 1))
    balancing.await_state(group, "unhealthy")
    [health] = balancing.health(group)
    assert health["Reason"] == "Target.ResponseCodeMismatch"
    assert health["Description"] == "Health checks failed with these codes: [200]"
    balancing.elb.delete_rule(RuleArn=rule)


def test_the_lower_priority_wins(balancing: Balancing, address: str) -> None:
    """Of two rules that match a request the one with the lower number has it."""
    group = balancing.group("ordered", address)
    wide = balancing.rule(900, "*.order.localhost", (group, 1))
    narrow = balancing.rule(200, "*.order.localhost", (balancing.group("none"), 1), path="/private/*")
    balancing.await_state(group, "healthy")
    assert balancing.ask("any.order.localhost", "/private/x").status == 503
    assert balancing.ask("any.order.localhost", "/Private/x").status == 200
    with pytest.raises(ClientError, match="PriorityInUse"):
        balancing.rule(900, "other.order.localhost", (group, 1))
    for rule in (wide, narrow):
        balancing.elb.delete_rule(RuleArn=rule)


def test_a_rule_changes_hands_without_a_gap(balancing: Balancing, served: str) -> None:
    """A client that asks all the time is answered by the old task, then by the new one, and by nothing else.

    Two tasks with one port live side by side: each has an address of its own.
    """
    second = balancing.serve("two")
    [old] = [
        rule
        for rule in balancing.elb.describe_rules(ListenerArn=balancing.outputs["Listener"])["Rules"]
        if rule["Priority"] == "100"
    ]
    [before] = old["Actions"][0]["ForwardConfig"]["TargetGroups"]
    after = balancing.group("taken-over", second)
    answers: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        http = urllib3.PoolManager(retries=False)
        while not is_over.is_set():
            response = http.request("GET", f"http://127.0.0.1:{balancing.port}/", headers={"Host": served})
            answers.append(
                json.loads(response.data)["name"] if response.status == 200 else str(response.status)
            )

    client = threading.Thread(target=ask)
    client.start()
    try:
        both = forward((before["TargetGroupArn"], 1), (after, 0))
        balancing.elb.modify_rule(RuleArn=old["RuleArn"], Actions=[both])
        balancing.await_state(after, "healthy")
        balancing.elb.modify_rule(RuleArn=old["RuleArn"], Actions=[forward((after, 1))])
        balancing.elb.delete_target_group(TargetGroupArn=before["TargetGroupArn"])
        count = len(answers)
        wait(lambda: len(answers) > count + 5, 10)
    finally:
        is_over.set()
        client.join()
    assert set(answers) == {"one", "two"}
    assert answers == sorted(answers)


def test_a_target_that_goes_drains(balancing: Balancing, address: str) -> None:
    """It gets no new request, shows as draining for the group's delay, and may come back meanwhile."""
    group = balancing.group("draining", address)
    balancing.elb.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}],
    )
    rule = balancing.rule(104, "draining.preview.localhost", (group, 1))
    balancing.await_state(group, "healthy")
    targets = {"TargetGroupArn": group, "Targets": [{"Id": address, "Port": 8123}]}
    balancing.elb.deregister_targets(**targets)
    assert [entry["State"] for entry in balancing.health(group)] == ["draining"]
    assert balancing.ask("draining.preview.localhost").status == 503
    balancing.elb.register_targets(**targets)
    balancing.await_state(group, "healthy")
    balancing.elb.deregister_targets(**targets)
    wait(lambda: not balancing.health(group), 10)
    answer = balancing.elb.describe_target_health(**targets)
    [gone] = [entry["TargetHealth"] for entry in answer["TargetHealthDescriptions"]]
    assert (gone["State"], gone["Reason"]) == ("unused", "Target.NotRegistered")
    balancing.elb.delete_rule(RuleArn=rule)


def test_what_cannot_be_carried_out_is_refused(balancing: Balancing) -> None:
    """Ports and names that are taken, foreign addresses, and what this load balancer lacks are errors."""
    elb, outputs = balancing.elb, balancing.outputs
    group = balancing.group("refused")
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    with pytest.raises(ClientError, match="InvalidTarget"):
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}])
    for port, code in ((balancing.port, "DuplicateListener"), (_taken_port(), "InvalidConfigurationRequest")):
        with pytest.raises(ClientError, match=code):
            elb.create_listener(
                LoadBalancerArn=outputs["Balancer"], Port=port, Protocol="HTTP", DefaultActions=answer
            )
    with pytest.raises(ClientError, match="InvalidConfigurationRequest"):
        elb.modify_listener(ListenerArn=outputs["Listener"], Port=_taken_port())
    [listener] = elb.describe_listeners(LoadBalancerArn=outputs["Balancer"])["Listeners"]
    assert listener["Port"] == balancing.port
    assert balancing.ask("unknown.preview.localhost").status == 404
    with pytest.raises(ClientError, match="have no listeners for 'HTTPS'"):
        elb.create_listener(
            LoadBalancerArn=outputs["Balancer"], Port=free_port(), Protocol="HTTPS", DefaultActions=answer
        )


_HELD: list[socket.socket] = []


def _taken_port() -> int:
    held = socket.create_server(("127.0.0.1", 0))
    _HELD.append(held)
    port: int = held.getsockname()[1]
    return port


def test_a_load_balancer_is_full_at_some_point(balancing: Balancing) -> None:
    """A rule too many is TooManyRules.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    """
    group = balancing.group("full")
    rules = balancing.elb.describe_rules(ListenerArn=balancing.outputs["Listener"])["Rules"]
    room = RULES - sum(not rule["IsDefault"] for rule in rules)
    assert room
    made = [balancing.rule(500 + number, f"n{number}.full.localhost", (group, 1)) for number in range(room)]
    with pytest.raises(ClientError, match="TooManyRules"):
        balancing.rule(499, "one-more.full.localhost", (group, 1))
    for rule in made:
        balancing.elb.delete_rule(RuleArn=rule)


def test_without_its_load_balancer_a_port_is_closed(engine: Engine, balancing: Balancing) -> None:
    """Deleting the stack closes the listener."""
    stacks = engine.client("cloudformation")
    for rule in balancing.elb.describe_rules(ListenerArn=balancing.outputs["Listener"])["Rules"]:
        if not rule["IsDefault"]:
            balancing.elb.delete_rule(RuleArn=rule["RuleArn"])
    stacks.delete_stack(StackName="balancing")
    wait(lambda: not balancing.elb.describe_load_balancers()["LoadBalancers"], 20)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", balancing.port), timeout=5).close()

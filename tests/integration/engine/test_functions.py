"""What Lambda does with functions and their URLs."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.supervise import children
from tests.integration.engine.kit import Engine, fetch, signed_headers, wait


def test_a_function_sees_what_lambda_shows_it(engine: Engine) -> None:
    """It runs on an interpreter without LocalStack, and no variable tells it where it is."""
    answer, result = engine.invoke("Behave")
    assert "FunctionError" not in answer
    assert result["engine"] is False
    assert result["memory"] == "256"
    assert not [name for name in result["environment"] if "LOCALSTACK" in name or name == "EDGE_PORT"]
    assert {"AWS_LAMBDA_FUNCTION_NAME", "AWS_ENDPOINT_URL", "LAMBDA_TASK_ROOT"} <= set(result["environment"])


def test_functions_of_one_archive_share_one_copy_of_it(engine: Engine) -> None:
    """The app has four functions and one `CodeUri`, which was unpacked once."""
    copies = (engine.emulator.layout.engine / "tmp" / "lambda").glob("*/*/code")
    assert [str(copy) for copy in copies] == [engine.invoke("Behave")[1]["code"]]


def test_an_environment_is_used_again(engine: Engine) -> None:
    """The second invocation meets the same process, and only the first reports its start."""
    first, one = engine.invoke("Behave")
    second, two = engine.invoke("Behave")
    assert one["pid"] == two["pid"]
    log = base64.b64decode(second["LogResult"]).decode()
    assert log.startswith("START RequestId: ")
    assert "\tBilled Duration: " in log
    assert "Init Duration" not in log
    assert first["StatusCode"] == 200


def test_a_function_that_takes_too_long_is_ended_and_replaced(engine: Engine) -> None:
    """The timeout is the function's own, the error AWS's, and the next invocation gets a new process."""
    _, before = engine.invoke("Behave")
    answer, result = engine.invoke("Behave", sleep=10)
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 4.00 seconds" in base64.b64decode(answer["LogResult"]).decode()
    _, after = engine.invoke("Behave")
    assert before["pid"] != after["pid"]


def test_a_function_that_exits_is_an_error_and_is_replaced(engine: Engine) -> None:
    """The process may die: the caller hears of it, and the next one does not."""
    _, result = engine.invoke("Behave", exit=1)
    assert result["errorType"] == "Runtime.ExitError"
    assert "FunctionError" not in engine.invoke("Behave")[0]


def test_a_function_that_cannot_be_imported_says_so(engine: Engine) -> None:
    """An error at import is the invocation's error."""
    answer, result = engine.invoke("Broken")
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Runtime.ImportModuleError"


def test_an_answer_over_the_limit_is_refused(engine: Engine) -> None:
    """Six megabytes are what Lambda passes on."""
    _, result = engine.invoke("Behave", bytes=7_000_000)
    assert result["errorType"] == "Function.ResponseSizeTooLarge"


def test_logs_go_to_the_functions_own_group(engine: Engine) -> None:
    """LoggingConfig decides the group, and the lines are those that AWS writes."""
    fetch(engine.outputs["OpenUrl"])
    logs, group = engine.client("logs"), engine.outputs["FunctionLogs"]

    def messages() -> list[str]:
        found = logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in found]

    wait(lambda: any(message.strip() == "echoed" for message in messages()), 10)
    assert any(message.startswith("REPORT RequestId: ") for message in messages())


def test_environments_are_capped_and_the_rest_is_throttled(engine: Engine) -> None:
    """Three run, others wait, and who waits too long gets 429 and not 500."""

    def invoke(_: int) -> str:
        try:
            return str(engine.invoke("Behave", sleep=1.5)[0]["StatusCode"])
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(invoke, range(12)))
    assert set(answers) <= {"200", "TooManyRequestsException"}
    assert answers.count("200") >= 3
    functions = [child for child in children(engine.emulator.layout.children) if "function" in child.name]
    assert len([child for child in functions if child.alive]) <= 3


def test_a_change_of_configuration_alone_keeps_the_code(engine: Engine) -> None:
    """The new version runs on the code that the old one unpacked, even after the old one is gone."""
    functions, name = engine.client("lambda"), engine.outputs["Behave"]
    functions.update_function_configuration(FunctionName=name, Description="changed")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    for _ in range(3):
        assert "FunctionError" not in engine.invoke("Behave")[0]
        time.sleep(0.5)


def test_an_open_url_passes_the_request_on(engine: Engine) -> None:
    """The path, the query and text beyond ASCII arrive as Lambda passes them on."""
    status, event = fetch(engine.outputs["OpenUrl"] + "a/b?c=d", '{"word": "grün"}'.encode())
    assert status == 200
    assert event["rawPath"] == "/a/b"
    assert event["rawQueryString"] == "c=d"
    assert event["body"] == '{"word": "grün"}'
    assert event["isBase64Encoded"] is False


def test_a_url_answers_to_its_host_name_too(engine: Engine) -> None:
    """The engine's classic way, by the Host header, still works."""
    url_id = engine.outputs["OpenUrl"].rstrip("/").rpartition("/")[2]
    host = f"{url_id}.lambda-url.us-east-1.localhost:{engine.emulator.port}"
    status, event = fetch(engine.emulator.url + "/x", headers={"Host": host})
    assert status == 200
    assert event["rawPath"] == "/x"


def test_a_body_over_six_megabytes_is_refused(engine: Engine) -> None:
    """The function is not bothered with it."""
    status, answer = fetch(engine.outputs["OpenUrl"], b"x" * (6 * 1024 * 1024 + 1))
    assert status == 413
    assert "Message" in answer


def test_a_signed_url_knows_its_caller(engine: Engine) -> None:
    """The key of the signature tells the role and the session; nobody else gets in."""
    url, body = engine.outputs["SignedUrl"], b'{"a": 1}'
    role = f"arn:aws:iam::000000000000:role/{engine.outputs['TaskRole']}"
    given = engine.client("sts").assume_role(RoleArn=role, RoleSessionName="task-1")["Credentials"]
    good = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    status, event = fetch(url, body, signed_headers(url, body, good))
    assert status == 200
    caller = event["requestContext"]["authorizer"]["iam"]["userArn"]
    assert caller == f"arn:aws:sts::000000000000:assumed-role/{engine.outputs['TaskRole']}/task-1"

    assert fetch(url, body) == (403, {"Message": "Forbidden"})
    stranger = Credentials("ASIA0000000000000000", "secret", "token")
    assert fetch(url, body, signed_headers(url, body, stranger)) == (403, {"Message": "Forbidden"})
    forger = Credentials(given["AccessKeyId"], "guessed", given["SessionToken"])
    assert fetch(url, body, signed_headers(url, body, forger))[0] == 403
    assert fetch(url, b'{"a": 2}', signed_headers(url, body, good))[0] == 403

"""A check before anything is patched: every name that the patches rely on must still be there.

LocalStack's internals carry no promise. An upgrade that renames one of them has to fail here, loudly, and
not by a patch that silently does nothing.
"""

import importlib
from collections.abc import Iterable

_SFN = "localstack.services.stepfunctions.asl"
_STATE = f"{_SFN}.component.state.state_execution.state_task"
_LAMBDA = "localstack.services.lambda_"

PATCHED = (
    ("twisted.internet.endpoints", "TCP4ServerEndpoint.__init__"),
    ("twisted.web.http", "_parseContentType"),
    ("twisted.web.http", "HTTPFactory.log"),
    ("localstack.services.s3.provider", "DEFAULT_S3_TMP_DIR"),
    (f"{_SFN}.utils.boto_client", "connect_to"),
    (f"{_SFN}.parse.asl_parser", "AmazonStateLanguageParser.parse"),
    (f"{_SFN}.parse.preprocessor", "Preprocessor.visit"),
    (f"{_SFN}.component.common.path.result_path", "parse"),
    (f"{_SFN}.utils.json_path", "parse"),
    (f"{_SFN}.jsonata.jsonata", "extract_jsonata_variable_references"),
    (f"{_SFN}.component.intrinsic.jsonata", "get_intrinsic_functions_declarations"),
    (f"{_SFN}.component.common.string.string_expression", "StringJSONata._eval_body"),
    (f"{_SFN}.component.common.string.string_expression", "StringVariableSample._eval_body"),
    (f"{_SFN}.eval.states", "States"),
    (f"{_SFN}.eval.variable_store", "VariableStore"),
    (f"{_STATE}.service.state_task_service_ecs", "StateTaskServiceEcs._eval_service_task"),
    (f"{_STATE}.service.state_task_service_ecs", "StateTaskServiceEcs._build_sync_resolver"),
    (f"{_STATE}.service.state_task_service_ecs", "StateTaskServiceEcs._eval_sync"),
    (f"{_STATE}.service.state_task_service_ecs", "_SUPPORTED_API_PARAM_BINDINGS"),
    (f"{_STATE}.service.state_task_service_callback", "StateTaskServiceCallback._evaluate_with_timeout"),
    (f"{_STATE}.service.state_task_service_sfn", "StateTaskServiceSfn._build_sync2_resolver"),
    ("localstack.services.stepfunctions.backend.store", "sfn_stores"),
    ("localstack.services.stepfunctions.backend.execution", "Execution.stop"),
    (f"{_SFN}.eval.environment", "Environment.set_error"),
    (f"{_SFN}.component.program.program", "Program.eval"),
    (f"{_SFN}.component.eval_component", "EvalComponent.eval"),
    ("localstack.utils.threads", "TMP_THREADS"),
    (f"{_SFN}.eval.program_state", "ProgramStopped"),
    (f"{_SFN}.eval.program_state", "ProgramTimedOut"),
    (f"{_SFN}.component.state.state_execution.execute_state", "ExecutionState._from_error"),
    (f"{_SFN}.component.state.state_execution.execute_state", "ExecutionState._eval_state"),
    (f"{_STATE}.service.state_task_service", "StateTaskService"),
    (f"{_STATE}.local_mock_eval_utils", "CustomErrorName"),
    (f"{_SFN}.component.state.state_execution.state_parallel.branches_decl", "CustomErrorName"),
    (f"{_LAMBDA}.invocation.assignment", "AssignmentService.get_environment"),
    (f"{_LAMBDA}.invocation.assignment", "AssignmentService.start_environment"),
    (f"{_LAMBDA}.invocation.assignment", "AssignmentService.stop_environment"),
    (f"{_LAMBDA}.invocation.lambda_models", "S3Code.get_unzipped_code_location"),
    (f"{_LAMBDA}.invocation.lambda_models", "S3Code.prepare_for_execution"),
    (f"{_LAMBDA}.invocation.lambda_models", "S3Code.destroy_cached"),
    (f"{_LAMBDA}.invocation.execution_environment", "ExecutionEnvironment.get_log_group_name"),
    (f"{_LAMBDA}.invocation.execution_environment", "ExecutionEnvironment.reserve"),
    (f"{_LAMBDA}.invocation.execution_environment", "ExecutionEnvironment.release"),
    (f"{_LAMBDA}.event_source_mapping.esm_worker", "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC"),
    (f"{_LAMBDA}.event_source_mapping.pollers.sqs_poller", "SqsPoller._register_client_hooks"),
    (f"{_LAMBDA}.event_source_mapping.pollers.sqs_poller", "SqsPoller.poll_events"),
    (f"{_LAMBDA}.urlrouter", "FunctionUrlRouter.handle_lambda_url_invocation"),
    (f"{_LAMBDA}.urlrouter", "FunctionUrlRouter.register_routes"),
    (f"{_LAMBDA}.urlrouter", "event_for_lambda_url"),
    (f"{_LAMBDA}.provider", "FunctionUrlConfig"),
    ("localstack.services.ec2.resource_providers.aws_ec2_instance", "EC2InstanceProvider.create"),
    ("localstack.services.ec2.resource_providers.aws_ec2_instance", "EC2InstanceProvider.update"),
    ("localstack.services.ec2.resource_providers.aws_ec2_route", "EC2RouteProvider.create"),
    ("localstack.services.ecr.resource_providers.aws_ecr_repository", "ECRRepositoryProvider.create"),
    ("localstack.services.ecr.resource_providers.aws_ecr_repository", "ECRRepositoryProvider.update"),
    ("localstack.services.ecr.resource_providers.aws_ecr_repository", "ECRRepositoryProvider.delete"),
    ("localstack.aws.client", "GatewayShortCircuit.__call__"),
    (f"{_LAMBDA}.invocation.version_manager", "record_cw_metric_invocation"),
    (f"{_LAMBDA}.invocation.version_manager", "record_cw_metric_error"),
    ("localstack.aws.handlers", "serve_custom_service_request_handlers"),
    ("localstack.aws.handlers", "run_custom_response_handlers"),
    (
        "localstack.services.cloudformation.engine.v2.change_set_resource_support_checker",
        "ChangeSetResourceSupportChecker._resource_support_status",
    ),
    (
        "localstack.services.cloudformation.resource_provider",
        "ResourceProviderExecutor.try_load_resource_provider",
    ),
    ("localstack.services.cloudformation.resource_provider", "ResourceProviderExecutor.deploy_loop"),
    ("localstack.services.cloudformation.v2.provider", "CloudformationProviderV2.describe_stacks"),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_executor",
        "ChangeSetModelExecutor._execute_resource_action",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_executor",
        "ChangeSetModelExecutor._execute_resource_change",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_executor",
        "ChangeSetModelExecutor.create_resource_provider_payload",
    ),
    ("localstack.services.cloudformation.v2.entities", "ChangeSet.__init__"),
    ("localstack.services.iam.resource_providers.aws_iam_role", "IAMRoleProvider.update"),
    ("moto.iam.models", "iam_backends"),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_transform",
        "ChangeSetModelTransform.visit_node_intrinsic_function_ref",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_preproc",
        "ChangeSetModelPreproc.visit_node_resource",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_preproc",
        "ChangeSetModelPreproc.visit_node_resources",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_preproc",
        "ChangeSetModelPreproc.visit_node_intrinsic_function_fn_if",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_transform",
        "ChangeSetModelTransform.visit_node_resource",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_validator",
        "ChangeSetModelValidator.visit_node_resource",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_preproc",
        "ChangeSetModelPreproc.visit_node_output",
    ),
    (
        "localstack.services.cloudformation.engine.v2.change_set_model_preproc",
        "ChangeSetModelPreproc.visit",
    ),
    ("localstack.services.cloudformation.v2.entities", "Stack.set_resource_status"),
    ("localstack.services.cloudformation.v2.provider", "CloudformationProviderV2._describe_stack"),
    ("localstack.services.stepfunctions.backend.execution", "DescribeExecutionOutput"),
    ("localstack.services.stepfunctions.provider", "StepFunctionsProvider.list_executions"),
    ("localstack.services.stepfunctions.provider", "StepFunctionsProvider.describe_state_machine"),
    (
        "localstack.services.stepfunctions.resource_providers.aws_stepfunctions_statemachine",
        "StepFunctionsStateMachineProvider.update",
    ),
    (f"{_LAMBDA}.resource_providers.aws_lambda_version", "LambdaVersionProvider.SCHEMA"),
    (f"{_LAMBDA}.resource_providers.lambda_alias", "LambdaAliasProvider.update"),
    ("localstack.config", "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES"),
    ("localstack.config", "CFN_IGNORE_UNSUPPORTED_TYPE_CREATE"),
    ("localstack.config", "CFN_IGNORE_UNSUPPORTED_TYPE_UPDATE"),
    ("botocore.loaders", "JSONFileLoader.load_file"),
    ("moto.dynamodb.models", "DynamoDBBackend.transact_write_items"),
    ("moto.dynamodb.models.dynamo_type", "DynamoType"),
    ("moto.dynamodb.models.dynamo_type", "Item"),
    ("moto.dynamodb.models.dynamo_type", "LimitedSizeDict"),
    ("moto.dynamodb.models.table", "Table"),
    ("moto.sts.models", "STSBackend.get_assumed_role_from_access_key"),
)
"""Module and dotted name of everything that a patch replaces, wraps or calls by an inner name."""

LOAD_BALANCERS = (
    ("moto.elbv2.models", "elbv2_backends"),
    ("moto.elbv2.models", "FakeListener.rules"),
    ("localstack.services.moto", "call_moto"),
)
"""What load balancers are read from; looked up when the first one is made, since it is long to import."""

REPOSITORIES = (
    ("moto.ecr.models", "ecr_backends"),
    ("moto.ecr.models", "ECRBackend.create_repository"),
    ("localstack.services.moto", "call_moto"),
)
"""What image repositories are read from; looked up when the first one is made, likewise."""


class UnknownLocalStackError(RuntimeError):
    """This is not the LocalStack that the patches were written for."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            "this LocalStack lacks names that the local engine patches; install the pinned version "
            f"(requirements/localstack.txt). Missing: {', '.join(missing)}"
        )
        self.missing = missing


def check(names: Iterable[tuple[str, str]] = PATCHED) -> None:
    """Look every name up.

    Raises:
        UnknownLocalStackError: at least one is not there.
    """
    missing = [f"{module}:{name}" for module, name in names if not _exists(module, name)]
    if missing:
        raise UnknownLocalStackError(missing)


def _exists(module: str, name: str) -> bool:
    try:
        found: object = importlib.import_module(module)
    except ImportError:
        return False
    for part in name.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True

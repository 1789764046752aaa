"""What the operator's command meets: the stack, what AWS answers, and what is there no more.

No session ends with these. Each has an exit code of its own, from 30 on, so that scripts can tell them apart.
"""

from pullwright.errors.base import PullwrightError, _TransientError, _UserError


class StackMissing(_UserError):
    """There is no stack of that name in the account and region."""

    exit_code = 30
    default_remedy = "Name it with --stack-name, or its place with --region and --profile."


class StackAmbiguous(_UserError):
    """No stack was named, and there are several that it could be."""

    exit_code = 31
    default_remedy = "Name one of them with --stack-name."


class StackIncomplete(PullwrightError):
    """The stack was not created completely, or is being deleted."""

    exit_code = 32
    default_remedy = "Deploy it again with `sam deploy`, or remove the rest of it with `sam delete`."


class OutputMissing(PullwrightError):
    """The stack has no output of that name: it is no Pullwright, or of a release before it."""

    exit_code = 33
    default_remedy = "Name another stack with --stack-name, or deploy this release with `sam deploy`."


class CredentialsMissing(_UserError):
    """No AWS credentials were found."""

    exit_code = 34
    default_remedy = (
        "Name a profile with --profile (`aws configure list-profiles` lists them), or make one with `aws "
        "configure`."
    )


class CredentialsExpired(_UserError):
    """The AWS credentials, or the sign-in that gives them, have expired."""

    exit_code = 35
    default_remedy = "Sign in again with `aws sso login`, or get new credentials."


class CredentialsRefused(_UserError):
    """AWS does not know the credentials, or their signature is wrong."""

    exit_code = 36
    default_remedy = (
        "Check the access key and the clock of this machine with `aws sts get-caller-identity`, and that the "
        "account has enabled the region."
    )


class RightMissing(_UserError):
    """The credentials may not make a call that the command needs."""

    exit_code = 37
    default_remedy = "Have the named action allowed for the credentials, or use others with --profile."


class RegionMissing(_UserError):
    """No AWS region was named, or there is none of that name."""

    exit_code = 38
    default_remedy = "Name the stack's region with --region or AWS_REGION."


class AwsThrottled(_TransientError):
    """AWS refused more calls than it takes in a time, also after retries."""

    exit_code = 39
    default_remedy = "Run it again in a minute; a filter such as --repo or --since makes it ask less."


class AwsUnreachable(_TransientError):
    """No connection to AWS came about, or it broke."""

    exit_code = 40
    default_remedy = "Check the network, the region and AWS_ENDPOINT_URL, then run it again."


class SessionMissing(_UserError):
    """There is no record of the session."""

    exit_code = 41
    default_remedy = "List those that there are with `pullwright sessions`."


class ExecutionForgotten(_UserError):
    """Step Functions has forgotten the execution, as it does 90 days after its end."""

    exit_code = 42
    default_remedy = "Start a new session with `pullwright run`."


class ArtifactsExpired(_UserError):
    """The session's artifacts were removed when their time was up, or it never had any."""

    exit_code = 43
    default_remedy = "The stack's parameter ArtifactRetentionDays keeps those of later sessions for longer."


class RecordTooNew(_UserError):
    """The record was written by a release that this command does not know."""

    exit_code = 44
    default_remedy = "Install the release of the command that the stack runs."


class NotSaved(_UserError):
    """A file could not be written on this machine."""

    exit_code = 45
    default_remedy = "Make room, or name another folder with --output."


class StillRunning(_TransientError):
    """The session goes on, but the command does not wait any longer."""

    exit_code = 46
    default_remedy = "Follow it with `pullwright show --watch`, or end it with `pullwright stop`."


class NothingToDo(_UserError):
    """What the command was to change is as it is asked for already, or cannot be changed any more."""

    exit_code = 47
    default_remedy = "Look at it with `pullwright show`."


class PreviewMissing(_UserError):
    """The stack knows no such preview, or not any more."""

    exit_code = 49
    default_remedy = "List those that there are with `pullwright preview list`."


class PreviewsNotDeployed(_UserError):
    """The stack was deployed without previews."""

    exit_code = 50
    default_remedy = (
        "Deploy it with PreviewDomainSuffix and a load balancer: AlbListenerArn and AlbSecurityGroupId of "
        "your own, or PreviewCertificateArn for one that the stack makes."
    )


class EvaluationIncomplete(_UserError):
    """Some runs of an evaluation were not judged."""

    exit_code = 48
    default_remedy = (
        "The report says why for each. Run it again with the same --id and tasks for those that did not run."
    )


class AppExists(_UserError):
    """The deployment has a GitHub App already."""

    exit_code = 60
    default_remedy = (
        "Replace its secrets with `pullwright github rotate-secret` and `rotate-key`, or say --replace to "
        "register another App in its place."
    )


class SetupUnfinished(PullwrightError):
    """The GitHub App was not registered, or not all that belongs to it was stored."""

    exit_code = 61
    default_remedy = (
        "If GitHub shows the App among your own, delete it there; then run `pullwright github setup` again."
    )


class RotationUnfinished(_TransientError):
    """A new secret is stored, but GitHub may not use it yet; the one before it is accepted for a day."""

    exit_code = 62
    default_remedy = "Run the same command again within a day: it goes on with the secret that is stored."


class KeyRefused(_UserError):
    """GitHub does not take a private key for the App's."""

    exit_code = 63
    default_remedy = (
        "Generate a private key on the App's settings page and name the file that the browser saves."
    )


class NotInOrder(PullwrightError):
    """A check of the deployment failed."""

    exit_code = 64
    default_remedy = "Do what stands beside each failed check, then run `pullwright doctor` again."


class ImageMissing(_UserError):
    """The registry has no image of that tag or digest."""

    exit_code = 70
    default_remedy = (
        "Look at those that there are with `pullwright image list`, or push one with `pullwright image push`."
    )


class ImageNotBuilt(_UserError):
    """The image was not built, or not pushed."""

    exit_code = 71
    default_remedy = "Do what stands above, then run it again: what was pushed stays and is not built twice."


class ReleaseMissing(_UserError):
    """There is no such release, or it is not whole any more."""

    exit_code = 72
    default_remedy = "Choose one of `pullwright releases` with `pullwright rollback --to`."


class NotDeployed(_UserError):
    """The SAM CLI is missing, or did not build or deploy."""

    exit_code = 73
    default_remedy = (
        "Do what stands above, then run it again: CloudFormation has put back what was there before."
    )


class CanaryFailed(PullwrightError):
    """The stub session that judges a release did not succeed."""

    exit_code = 74
    default_remedy = "See why with `pullwright show` and the session's id; mend it and deploy again."


class NotRemoved(_UserError):
    """The deployment, or a part of it, could not be removed."""

    exit_code = 75
    default_remedy = "Do what stands above, then run `pullwright destroy` again: it goes on where it ended."


class DevBoxMissing(_UserError):
    """The deployment has no dev box, or its machine is gone."""

    exit_code = 80
    default_remedy = "Make one with `pullwright devbox up`."


class DevBoxStopped(_UserError):
    """The dev box does not run."""

    exit_code = 81
    default_remedy = "Start it with `pullwright devbox start`."


class DevBoxNotReady(_UserError):
    """The dev box runs, and is not set up, or its set-up failed."""

    exit_code = 82
    default_remedy = (
        "Look at `pullwright devbox status`; a machine that says nothing says why in "
        "`aws ec2 get-console-output --latest --instance-id`, and each start sets it up again."
    )


class DevBoxNotMade(_UserError):
    """CloudFormation or EC2 refused to make or change the dev box."""

    exit_code = 83
    default_remedy = "Do what stands above, then run `pullwright devbox up` again."


class DevBoxNotRemoved(_UserError):
    """The dev box, or a part of it, could not be removed."""

    exit_code = 84
    default_remedy = "Do what stands above, then run `pullwright devbox down` again."


class NoWayOut(_UserError):
    """No subnet of the deployment has a way out, which the dev box needs to be reached."""

    exit_code = 85
    default_remedy = (
        "Name a subnet of the VPC that has a route to an internet or a NAT gateway: "
        "`pullwright devbox up --subnet`."
    )


class PluginMissing(_UserError):
    """The AWS CLI or its Session Manager plugin is missing."""

    exit_code = 86
    default_remedy = (
        "Install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
        "session-manager-working-with-install-plugin.html"
    )

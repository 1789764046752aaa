"""The preview of a branch: its configuration, its build and its server."""

from pullwright.errors.base import PullwrightError, _TransientError, _UserError


class PreviewNotConfigured(_UserError):
    """Nothing in the repository says how its branches are served."""

    default_remedy = (
        "Say it in .pullwright/config.yaml on the default branch, for example "
        "`preview: {build: npm ci, start: npm start, port: 8080, health: /}`."
    )


class PreviewConfigurationInvalid(_UserError):
    """The repository's configuration cannot be read; the sentence names the field."""

    default_remedy = "Correct .pullwright/config.yaml on the default branch, then add the label again."


class PreviewFromFork(_UserError):
    """The pull request comes from a fork, whose code is never run as a preview."""

    default_remedy = "Push the branch to the repository itself and open a pull request from there."


class PreviewBuildFailed(_UserError):
    """The build command failed."""

    exit_code = 21
    default_remedy = "See the log for what it wrote, correct the branch, and push."


class PreviewBuildTooLong(_UserError):
    """The build took longer than build and start may take together."""

    exit_code = 25
    default_remedy = (
        "Make the build quicker, or give it more seconds by `start_timeout` of `preview` in "
        ".pullwright/config.yaml."
    )


class PreviewServerEnded(_UserError):
    """The start command ended: a server has to go on until it is stopped."""

    exit_code = 22
    default_remedy = "See the log for what it wrote, correct the branch, and push."


class PreviewCommitGone(_UserError):
    """GitHub does not have the commit any more: the branch was pushed anew by force, or deleted."""

    exit_code = 23
    default_remedy = "Push again, or remove the label and add it again: what runs is the head as it is then."


class PreviewNeverHealthy(_UserError):
    """The server did not answer the health check with a status from 200 to 399 in time."""

    default_remedy = (
        "Have the server listen on HOST and PORT of its environment, and answer the path `health` of "
        "`preview` in .pullwright/config.yaml; a longer start needs a larger `start_timeout`."
    )


class PreviewReplaced(_UserError):
    """A newer preview of the same branch took its place."""

    default_remedy = "Look at the newer preview."


class PreviewHostTaken(PullwrightError):
    """The listener has a rule of others for the preview's host, whose requests a preview must not take."""

    default_remedy = (
        "Give the branch another name, or ask the operator for another PreviewPrefix or PreviewDomainSuffix: "
        "a domain that previews alone have."
    )


class PreviewNotReady(_TransientError):
    """The preview's task does not run yet, or is not healthy yet; it is looked at again."""


class ScreenshotsNotReady(_TransientError):
    """The preview's screenshots are not there yet; they are looked for again."""


class ScreenshotRefused(_UserError):
    """What a preview's task sent is no picture of a page that the configuration names."""


class PreviewSecretInvalid(PullwrightError):
    """The secret with the variables of previews has not the form that is expected."""

    default_remedy = (
        'The operator stores JSON such as {"owner/name": {"VARIABLE": "value"}} in the secret that '
        "PreviewSecretArn names."
    )

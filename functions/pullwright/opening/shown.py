"""A text of GitHub's as people see it on the page."""

from pullwright.errors import GitHubRefused
from pullwright.github import GitHubClient

# The longest text that GitHub takes, made of mentions alone, is less than half of this once it is rendered.
_LONGEST_HTML = 8 << 20


def shown(client: GitHubClient, repository: str, text: str | None, html: str | None) -> str:
    """Return the visible part of a text, never its source.

    Args:
        client: has GitHub render the text if it came without its rendering, such as an earlier version.
        repository: `owner/name`.
        text: Markdown, as it was written.
        html: GitHub's rendering of the same version, if there is one.

    Raises:
        PullwrightError: there is no rendering, or none that can be read.
    """
    if not (text or "").strip():
        return ""
    rendering = client.render(repository, text or "") if html is None else html
    if len(rendering) > _LONGEST_HTML:
        raise GitHubRefused(
            f"A text in {repository} is too long to be read once GitHub has rendered it "
            f"({len(rendering) >> 20} MiB).",
            remedy="Make the text shorter, then start it again.",
        )
    # It brings an HTML parser, a fifth of a function's cold start, which most invocations do without.
    from pullwright.rendered import page_text  # noqa: PLC0415 - see above

    return page_text(rendering).strip()

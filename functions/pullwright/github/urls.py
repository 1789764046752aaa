"""GitHub's addresses for REST, GraphQL and git, derived from that of its REST API."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pullwright.errors import InternalError

_ENTERPRISE_PATH = "/api/v3"


@dataclass(frozen=True, slots=True)
class GitHubUrls:
    """The addresses of one GitHub.

    Attributes:
        rest: root of the REST API, without a slash at its end.
        web: root of the web site, which is where git repositories are cloned from.
    """

    rest: str
    graphql: str
    web: str

    @classmethod
    def of(cls, api_url: str) -> "GitHubUrls":
        """Derive the addresses.

        https://docs.github.com/en/enterprise-server/rest/overview/resources-in-the-rest-api (Enterprise
        Server: `<root>/api/v3`) and https://docs.github.com/en/graphql/guides/forming-calls-with-graphql.

        Args:
            api_url: `https://api.github.com`, `https://api.<name>.ghe.com` or `<root>/api/v3`.

        Raises:
            InternalError: the address has none of these forms.
        """
        rest = api_url.rstrip("/")
        parts = urlsplit(rest)
        if parts.scheme in {"http", "https"} and parts.hostname:
            if parts.path.endswith(_ENTERPRISE_PATH):
                root = rest.removesuffix(_ENTERPRISE_PATH)
                return cls(rest=rest, graphql=f"{root}/api/graphql", web=root)
            if parts.netloc.startswith("api.") and not parts.path:
                web = f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
                return cls(rest=rest, graphql=f"{rest}/graphql", web=web)
        raise InternalError(
            "The setting GITHUB_API_URL is neither https://api.<host> nor <root>/api/v3.",
            remedy="Ask the operator to correct the stack's GitHubApiUrl parameter.",
        )

    def noreply(self, account_id: int | None, login: str) -> str:
        """Return the mail address by which GitHub knows an account in commits, see `noreply_address`."""
        return noreply_address(self.web, account_id, login)

    def git(self, repository: str) -> str:
        """Return the address to clone `owner/name` from, without credentials."""
        return f"{self.web}/{repository}.git"


def noreply_address(url: str, account_id: int | None, login: str) -> str:
    """Return the mail address by which GitHub knows an account in commits; not the account's own.

    https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address
    and, for a GitHub of another host,
    https://docs.github.com/en/enterprise-server/account-and-profile/reference/email-addresses-reference

    Args:
        account_id: tells the account from one that gets the same name later; None if it is not known.
    """
    who = login if account_id is None else f"{account_id}+{login}"
    return f"{who}@users.noreply.{urlsplit(url).hostname}"

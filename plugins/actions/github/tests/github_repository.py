"""One repository as GitHub would hold it: pull requests over a real bare git repository."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from github_contract import Contract
from github_talk import GithubTalk

Json = Any  # JSON of GitHub's shape, judged by the contract
DOCUMENTATION = "https://docs.github.com/rest/pulls/pulls#create-a-pull-request"
NOW = "2026-01-02T03:04:05Z"


class Rejected(Exception):
    """Answer with an error instead."""

    def __init__(self, status: int, message: str, *errors: Mapping[str, str]) -> None:
        self.status = status
        self.body: dict[str, Json] = {"message": message, "documentation_url": DOCUMENTATION}
        if errors:
            self.body["errors"] = [{"resource": "PullRequest", **error} for error in errors]
        self.body["status"] = str(status)
        super().__init__(message)


def invalid(**error: str) -> Rejected:
    """Return the 422 that says what is wrong with a pull request."""
    return Rejected(422, "Validation Failed", {"code": "custom", **error})


@dataclass
class Pull:
    """One pull request."""

    number: int
    head: str
    base: str
    title: str = ""
    body: str | None = None
    draft: bool = False
    owner: str = "acme"
    state: str = "open"
    merged: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)


@dataclass
class StubApp:
    """A GitHub App, installed on the repository unless ``installation`` is 0."""

    app_id: str
    public_key: str
    token: str
    installation: int = 5
    granted: dict[str, str] = field(default_factory=lambda: {"contents": "write", "pull_requests": "write"})
    issued: list[dict[str, str]] = field(default_factory=list)

    def is_signed(self, shown: str) -> bool:
        """Say whether somebody with the App's key signed this."""
        try:
            return bool(jwt.decode(shown, self.public_key, ["RS256"], issuer=self.app_id))
        except jwt.InvalidTokenError:
            return False


class StubRepository:
    """The pull requests of one repository and GitHub's rules about them."""

    def __init__(self, git: Path, base_url: str, api_url: str, slug: str) -> None:
        self.git = git
        self.base_url, self.api_url = base_url, api_url
        self.slug = slug
        self.contract = Contract()
        self.talk = GithubTalk(self.contract, self._link, self._user)
        self.pulls: dict[int, Pull] = {}
        self.supports_drafts = True
        self.is_archived = False
        self.permissions = {"admin": False, "push": True, "pull": True}
        self.filters_heads = True
        self.collaborators = {"ann", "bob"}
        self.logins = {"ann@acme.example": "ann"}

    @property
    def owner(self) -> str:
        """Whose repository it is."""
        return self.slug.partition("/")[0]

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.git), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def _commits(self) -> Mapping[str, str]:
        lines = self._git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split(" ") for line in lines.splitlines())

    def branches(self) -> list[str]:
        """Return the names of all branches."""
        return list(self._commits())

    def commit(self, branch: str) -> str:
        """Return the commit a branch points to, "" without such a branch."""
        return self._commits().get(branch, "")

    # What the API does

    def show(self) -> Json:
        """Describe the repository."""
        return self._repository("full-repository", permissions=self.permissions)

    def find_pulls(self, query: Mapping[str, str]) -> list[Pull]:
        """Find pull requests, newest first; a ``head`` without an owner filters nothing, as there."""
        wanted = query.get("state", "open")
        owner, _, head = query.get("head", "").rpartition(":")
        found = [
            pull
            for pull in sorted(self.pulls.values(), key=lambda pull: -pull.number)
            if wanted in ("all", pull.state)
            and query.get("base", pull.base) == pull.base
            and (not owner or not self.filters_heads or (pull.owner, pull.head) == (owner, head))
        ]
        if query.get("direction") == "asc":
            found.reverse()
        return found

    def list_pulls(self, pulls: Sequence[Pull]) -> list[Json]:
        """Describe pull requests in brief."""
        heads = self._commits()
        return [self._pull("pull-request-simple", pull, heads) for pull in pulls]

    def show_pull(self, number: int) -> Json:
        """Describe one pull request."""
        if number not in self.pulls:
            raise Rejected(404, "Not Found")
        return self._pull("pull-request", self.pulls[number], self._commits())

    def create_pull(self, asked: Mapping[str, Json]) -> Json:
        """Open a pull request, or say why not in GitHub's words."""
        if self.is_archived:
            raise Rejected(403, "Repository was archived so is read-only.")
        for key in ("base", "head"):
            if key not in asked:
                raise Rejected(422, f'Invalid request.\n\n"{key}" wasn\'t supplied.')
        self._check(asked["head"].rpartition(":")[2], asked["base"], bool(asked.get("draft")))
        kept = {key: asked[key] for key in ("title", "body", "draft", "base") if key in asked}
        pull = self.add_pull(head=asked["head"].rpartition(":")[2], **kept)
        return self.show_pull(pull.number)

    def _check(self, head: str, base: str, draft: bool) -> None:
        for key, branch in (("base", base), ("head", head)):
            if not self.commit(branch):
                raise invalid(field=key, code="invalid")
        if not self._git("merge-base", base, head):
            raise invalid(message=f"The {head} branch has no history in common with {base}")
        if self._git("rev-list", "--count", f"{base}..{head}") == "0":
            raise invalid(message=f"No commits between {base} and {head}")
        for pull in self.pulls.values():
            if (pull.state, pull.owner, pull.head, pull.base) == ("open", self.owner, head, base):
                raise invalid(message=f"A pull request already exists for {self.owner}:{head}.")
        if draft and not self.supports_drafts:
            raise Rejected(422, "Draft pull requests are not supported in this repository.")

    def add_pull(self, **values: Json) -> Pull:
        """Put a pull request there, without any check."""
        number = len(self.pulls) + 1
        self.pulls[number] = Pull(number=number, **values)
        return self.pulls[number]

    def edit_pull(self, number: int, asked: Mapping[str, Json]) -> Json:
        """Change what of a pull request is given."""
        for key, value in asked.items():
            setattr(self.pulls[number], key, value)
        return self.show_pull(number)

    def show_installation(self, app: StubApp | None) -> Json:
        """Describe where the App is installed."""
        if app is None or not app.installation:
            raise Rejected(404, "Not Found")
        return self._filled("installation", id=app.installation, account=self._user(self.owner))

    def issue_token(self, app: StubApp | None, asked: Mapping[str, Json]) -> Json:
        """Give a token of an hour, if the App may all that is asked for."""
        wanted = asked.get("permissions", {})
        if app is None or any(
            app.granted.get(name) != how for name, how in wanted.items() if name != "metadata"
        ):
            raise Rejected(422, "The permissions requested are not granted to this installation.")
        app.issued.append(wanted)
        return {"token": app.token, "expires_at": "2026-01-01T01:00:00Z", "permissions": wanted}

    def add_comment(self, number: int, asked: Mapping[str, Json], thread: int = 0) -> Json:
        """Add a comment of ours below the request, or to a thread in its changes."""
        if thread and self.talk.find(thread) is None:
            raise Rejected(404, "Not Found")
        return self.talk.show(number, self.talk.add(number, self.talk.owner, asked["body"], thread=thread))

    def show_permission(self, login: str) -> Json:
        """Describe what somebody may do."""
        found = self.talk.permission(login)
        if found is None:
            raise Rejected(404, "Not Found")
        return found

    def show_commit(self, ref: str) -> Json:
        """Describe one commit; its author is who has the address, if anybody."""
        email = self._git("log", "-1", "--format=%ae", ref)
        if not email:
            raise Rejected(422, f"No commit found for SHA: {ref}")
        login = self.logins.get(email)
        author = self._user(login) if login else None
        return self._filled(
            "commit", sha=ref, author=author, committer=author, url=self._link(f"commits/{ref}")
        )

    def add_labels(self, number: int, asked: Json) -> list[Json]:
        """Add labels; one that does not exist yet is made."""
        labels = self.pulls[number].labels
        names = asked["labels"] if isinstance(asked, dict) else asked
        labels += [name for name in names if name not in labels]
        return [self._label(name) for name in labels]

    def remove_label(self, number: int, name: str) -> list[Json]:
        """Remove a label that is there."""
        labels = self.pulls[number].labels
        if name not in labels:
            raise Rejected(404, "Label does not exist")
        labels.remove(name)
        return [self._label(left) for left in labels]

    def mutate(self, asked: Mapping[str, Json]) -> Json:
        """Do the one mutation there is; mistakes are answered with 200, as there."""
        name, given = "markPullRequestReadyForReview", asked["variables"]["input"]
        pull = next(
            (one for one in self.pulls.values() if given == {"pullRequestId": f"PR_{one.number}"}), None
        )
        if f"{name}(input: $input)" not in asked["query"] or pull is None:
            message = f"Could not resolve to a node with the global id of '{given.get('pullRequestId')}'."
            return {"data": {name: None}, "errors": [{"type": "NOT_FOUND", "message": message}]}
        pull.draft = False
        return {"data": {name: {"clientMutationId": None, "pullRequest": {"isDraft": False}}}}

    def request_reviewers(self, number: int, asked: Mapping[str, Json]) -> Json:
        """Ask for reviews, of collaborators only."""
        for login in asked.get("reviewers", ()):
            if login not in self.collaborators:
                raise Rejected(
                    422,
                    "Reviews may only be requested from collaborators. One or more of the users or teams "
                    f"you specified is not a collaborator of the {self.slug} repository.",
                )
        self.pulls[number].reviewers += asked.get("reviewers", ())
        return self.list_pulls([self.pulls[number]])[0]

    # How it looks

    def _link(self, key: str) -> str:
        return f"{self.api_url}/repos/{self.slug}/{key}"

    def _filled(self, name: str, /, **known: Json) -> dict[str, Json]:
        return self.contract.filled(name, known, self._link)

    def _user(self, login: str, kind: str = "User") -> Json:
        return self._filled("simple-user", login=login, type=kind, url=f"{self.api_url}/users/{login}")

    def _label(self, name: str) -> Json:
        return self._filled(
            "label", name=name, url=self._link(f"labels/{name}"), color="ededed", description=""
        )

    def _repository(self, schema: str, slug: str = "", /, **known: Json) -> Json:
        slug = slug or self.slug
        owner, _, name = slug.partition("/")
        return self._filled(
            schema,
            id=1296269,
            name=name,
            full_name=slug,
            owner=self._user(owner),
            url=f"{self.api_url}/repos/{slug}",
            html_url=f"{self.base_url}/{slug}",
            default_branch="main",
            archived=self.is_archived,
            **known,
        )

    def _side(self, owner: str, branch: str, commits: Mapping[str, str]) -> Json:
        slug = f"{owner}/{self.slug.partition('/')[2]}"
        return {
            "label": f"{owner}:{branch}",
            "ref": branch,
            "sha": commits.get(branch, "0" * 40),
            "user": self._user(owner),
            "repo": self._repository("repository", slug),
        }

    def _pull(self, schema: str, pull: Pull, commits: Mapping[str, str]) -> Json:
        known: dict[str, Json] = {"merged": pull.merged} if schema == "pull-request" else {}
        return self._filled(
            schema,
            number=pull.number,
            node_id=f"PR_{pull.number}",
            state=pull.state,
            title=pull.title,
            body=pull.body,
            draft=pull.draft,
            head=self._side(pull.owner, pull.head, commits),
            base=self._side(self.owner, pull.base, commits),
            user=self._user("aiops-bot"),
            labels=[self._label(name) for name in pull.labels],
            requested_reviewers=[self._user(login) for login in pull.reviewers],
            closed_at=None if pull.state == "open" else NOW,
            merged_at=NOW if pull.merged else None,
            merge_commit_sha=commits.get(pull.base),
            url=self._link(f"pulls/{pull.number}"),
            issue_url=self._link(f"issues/{pull.number}"),
            html_url=f"{self.base_url}/{self.slug}/pull/{pull.number}",
            **known,
        )

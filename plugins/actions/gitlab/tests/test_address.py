"""Which project an address means."""

import pytest
from aiops_action_gitlab.address import parse_address

from aiops_core import UserError

GITLAB = "https://gitlab.com"
ACME = "https://gitlab.acme.example"


@pytest.mark.parametrize(
    ("url", "path", "web"),
    [
        ("https://gitlab.com/acme/shop.git", "acme/shop", GITLAB),
        ("https://gitlab.com/acme/shop", "acme/shop", GITLAB),
        ("https://gitlab.com/acme/shop/", "acme/shop", GITLAB),
        ("https://GitLab.com/Acme/Shop.git", "Acme/Shop", GITLAB),
        ("https://gitlab.com/acme/team/back-end/shop.web.git", "acme/team/back-end/shop.web", GITLAB),
        ("https://gitlab.com/_acme/1shop.git", "_acme/1shop", GITLAB),
        ("git@gitlab.com:acme/shop.git", "acme/shop", GITLAB),
        ("gitlab.com:acme/team/shop", "acme/team/shop", GITLAB),
        ("ssh://git@gitlab.com/acme/shop.git", "acme/shop", GITLAB),
        ("ssh://git@altssh.gitlab.com:443/acme/shop.git", "acme/shop", GITLAB),
        ("git+ssh://git@gitlab.acme.example:2222/acme/team/shop.git", "acme/team/shop", ACME),
        ("git@gitlab.acme.example:acme/shop.git", "acme/shop", ACME),
        ("https://gitlab.acme.example:8443/acme/shop.git", "acme/shop", f"{ACME}:8443"),
        ("http://127.0.0.1:8080/acme/shop.git", "acme/shop", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/acme/shop.git", "acme/shop", "http://[::1]:8080"),
    ],
)
def test_a_git_address_names_groups_name_and_gitlab(url, path, web):
    address = parse_address(url)

    assert (address.path, address.url) == (path, web)


@pytest.mark.parametrize(
    ("url", "base_url", "path"),
    [
        ("https://acme.example/gitlab/shop/checkout.git", "https://acme.example/gitlab", "shop/checkout"),
        ("https://acme.example/gitlab/shop/checkout", "https://acme.example/gitlab/", "shop/checkout"),
        ("https://acme.example/a/b/shop/team/checkout", "https://acme.example/a/b", "shop/team/checkout"),
        ("git@acme.example:shop/checkout.git", "https://acme.example/gitlab", "shop/checkout"),
        ("ssh://git@acme.example:2222/gitlab/checkout", "https://acme.example/gitlab", "gitlab/checkout"),
        ("git@git.acme.example:shop/checkout.git", "https://web.acme.example:8443", "shop/checkout"),
    ],
)
def test_a_gitlab_under_a_path_or_elsewhere_is_named_by_its_own_address(url, base_url, path):
    address = parse_address(url, base_url)

    assert (address.path, address.url) == (path, base_url.rstrip("/"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.git",
        "/srv/git/acme/shop.git",
        "../acme/shop",
        "file:///srv/acme/shop.git",
        "https://gitlab.com/shop.git",
        "https://gitlab.com/acme/shop/-/tree/main",
        "https://gitlab.com/acme/../shop",
        "https://gitlab.com//shop",
        "https://gitlab.com/acme/sh%20op",
        "https://gitlab.com:port/acme/shop",
        "https:///acme/shop.git",
        "git@gitlab.com:shop.git",
        "ext::sh -c evil/acme",
    ],
)
def test_s26_any_other_address_is_refused_with_an_example(url):
    with pytest.raises(UserError) as caught:
        parse_address(url)

    assert str(caught.value) == (
        f"repository.url: {url!r} names no GitLab project. Write it as "
        "https://gitlab.com/GROUP/PROJECT.git or git@gitlab.com:GROUP/SUBGROUP/PROJECT.git."
    )


def test_s23_a_password_in_the_address_is_not_repeated():
    with pytest.raises(UserError) as caught:
        parse_address("https://ann:s3cret@gitlab.com/shop")

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["http://gitlab.acme.example", "https://u:p@gitlab.acme.example", "gitlab.acme.example"]
)
def test_s23_an_address_that_would_expose_the_token_is_refused(base_url):
    with pytest.raises(UserError, match=r"^url: .* would send the token unprotected or nowhere\. Write"):
        parse_address("git@gitlab.acme.example:acme/shop.git", base_url)

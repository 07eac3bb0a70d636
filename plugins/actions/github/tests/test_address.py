"""Which repository an address means."""

import pytest
from aiops_action_github.address import parse_address

from aiops_core import UserError

GITHUB = "https://api.github.com"


@pytest.mark.parametrize(
    ("url", "slug", "api_url"),
    [
        ("https://github.com/acme/shop.git", "acme/shop", GITHUB),
        ("https://github.com/acme/shop", "acme/shop", GITHUB),
        ("https://github.com/acme/shop/", "acme/shop", GITHUB),
        ("https://GitHub.com/Acme/Shop.git", "Acme/Shop", GITHUB),
        ("https://www.github.com/acme/shop.git", "acme/shop", GITHUB),
        ("https://x-access-token:abc@github.com/acme/shop.git", "acme/shop", GITHUB),
        ("https://github.com/acme/shop.web.git", "acme/shop.web", GITHUB),
        ("https://github.com/acme/.github.git", "acme/.github", GITHUB),
        ("git@github.com:acme/shop.git", "acme/shop", GITHUB),
        ("git@github.com:acme/shop", "acme/shop", GITHUB),
        ("github.com:acme/shop.git", "acme/shop", GITHUB),
        ("ssh://git@github.com/acme/shop.git", "acme/shop", GITHUB),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "acme/shop", GITHUB),
        ("https://acme.ghe.com/acme/shop.git", "acme/shop", "https://api.acme.ghe.com"),
        ("https://git.acme.example/acme/shop.git", "acme/shop", "https://git.acme.example/api/v3"),
        ("https://git.acme.example:8443/acme/shop.git", "acme/shop", "https://git.acme.example:8443/api/v3"),
        ("ssh://git@git.acme.example:7999/acme/shop.git", "acme/shop", "https://git.acme.example/api/v3"),
        ("git@git.acme.example:acme/shop.git", "acme/shop", "https://git.acme.example/api/v3"),
        ("http://127.0.0.1:8080/acme/shop.git", "acme/shop", "http://127.0.0.1:8080/api/v3"),
    ],
)
def test_a_git_address_names_owner_name_and_api(url, slug, api_url):
    address = parse_address(url)

    assert (address.slug, address.api_url) == (slug, api_url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.git",
        "/srv/git/acme/shop.git",
        "../acme/shop",
        "file:///srv/acme/shop.git",
        "https://github.com/shop.git",
        "https://github.com/acme/shop/tree/main",
        "https://github.com/acme/..",
        "https://github.com/acme/.git",
        "https://github.com//shop",
        "https://github.com/acme/sh%20op",
        "https://github.com:port/acme/shop",
        "https:///acme/shop.git",
        "git@github.com:shop.git",
        "ext::sh -c evil/acme",
    ],
)
def test_any_other_address_is_refused_with_an_example(url):
    with pytest.raises(UserError) as caught:
        parse_address(url)

    assert str(caught.value) == (
        f"repository.url: {url!r} names no GitHub repository. "
        "Write it as https://github.com/OWNER/NAME.git or git@github.com:OWNER/NAME.git."
    )


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(UserError) as caught:
        parse_address("https://ann:s3cret@github.com/shop")

    assert "s3cret" not in str(caught.value)


def test_a_given_api_address_wins():
    address = parse_address("https://git.acme.example/acme/shop.git", "https://api.acme.example/v3/")

    assert address.api_url == "https://api.acme.example/v3"


@pytest.mark.parametrize(
    "api_url",
    ["http://git.acme.example/api/v3", "https://u:p@git.acme.example/", "git.acme.example", "https://"],
)
def test_an_api_address_that_would_expose_the_token_is_refused(api_url):
    with pytest.raises(UserError, match=r"^api_url: .* would send the token unprotected or nowhere\. Write"):
        parse_address("https://git.acme.example/acme/shop.git", api_url)

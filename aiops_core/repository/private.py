"""Files whose very purpose is to hold secrets: never shown to a model, whatever is in them."""

from __future__ import annotations

from aiops_core.text.lazy import lazy_pattern

_PRIVATE = lazy_pattern(
    r"""(?ix) (?:.*/)? (?:
      \.env(?!\.(?:example|sample|template|dist)$)(?:\..+)? | .+\.env | \.envrc
    | .+\.(?:pem|key|p12|pfx|jks|keystore|kdbx?|ovpn|gpg|asc|ppk) | id_(?:rsa|dsa|ecdsa|ed25519)[^/]*
    | \.netrc | _netrc | \.npmrc | \.pypirc | \.pgpass | \.my\.cnf | \.htpasswd | \.git-credentials | \.dockercfg
    | .*credentials?(?:\.(?:json|ya?ml|ini|toml|properties|xml|csv|txt))? | client_secret[^/]*\.json
    | (?:.*[._-])?secrets?\.(?:json|ya?ml|ini|toml|env|properties|txt|enc)
    | service[_-]?account[^/]*\.json | .+\.tfstate(?:\..+)? | .+\.tfvars(?:\.json)? | kubeconfig | \.vault[^/]*
    | (?:\.aws|\.ssh|\.gnupg|\.kube|\.docker|\.azure|\.gcloud|secrets)/.+
    )"""
)


def is_private(path: str) -> bool:
    """Return whether a path of the repository names a file for secrets."""
    return _PRIVATE.fullmatch(path) is not None

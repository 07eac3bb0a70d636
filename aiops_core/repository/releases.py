"""From what an event says of its release to the commit that was running."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from aiops_core.records import RELEASE_ATTRIBUTES
from aiops_core.repository.mirror import Mirror

_HEX = re.compile(r"(?<![0-9A-Za-z])g?([0-9a-f]{7,40})(?![0-9A-Za-z])")
_NUMBERS = re.compile(r"(?<![0-9A-Za-z])v?(\d+(?:\.\d+)+[0-9A-Za-z.-]*)")
_DIGEST = re.compile(r"@sha256:[0-9a-f]+$")
_LEADS = ("", "v", "release-", "release/", "release/v", "rel-", "version-")


class Release(Struct, frozen=True):
    """What an event says of its release, and the commit that is, None where the repository has none."""

    attribute: str
    value: str
    commit: str | None


def release_of(mirror: Mirror, attributes: Mapping[str, str], default: str = "") -> Release | None:
    """Return the release the attributes name, else the one of the settings; None where nothing names one.

    A tag is tried first, in the usual spellings, then a commit id, also inside a longer version
    such as ``1.4.2-3-g0a1b2c3`` or ``shop@1.4.2+0a1b2c3``. Branches are no releases.
    """
    tags = mirror.tags()
    said = [
        (name, attributes[name].strip()) for name in RELEASE_ATTRIBUTES if attributes.get(name, "").strip()
    ]
    if not said and default:
        said = [("release", default)]
    for name, value in said:
        commit = _commit(mirror, tags, value)
        if commit is not None:
            return Release(name, value, commit)
    return Release(*said[0], None) if said else None


def _commit(mirror: Mirror, tags: Mapping[str, str], value: str) -> str | None:
    named = (tags[tag] for tag in _tags(value) if tag in tags)
    ids = (match[1] for match in _HEX.finditer(_DIGEST.sub("", value)))
    return next((commit for name in (*named, *ids) if (commit := mirror.commit_of(name))), None)


def _tags(value: str) -> Iterator[str]:
    """Yield the tags a release may mean, the likeliest first."""
    bare = _DIGEST.sub("", value)
    image = bare.rpartition("/")[2]
    name, at, version = bare.rpartition("@")
    tagged, colon, tag = image.rpartition(":")
    whole = version if at else tag if colon else bare
    yield from (bare, whole)
    package = name if at else tagged
    for found in (whole.partition("+")[0], *(match[1] for match in _NUMBERS.finditer(whole))):
        yield from (f"{lead}{found}" for lead in _LEADS)
        if package:
            yield from (f"{package}{joint}{found}" for joint in ("@", "-", "/", "/v", "-v"))

"""The documentation site: it is built without a warning, every link in it leads somewhere, nothing comes from elsewhere."""

import importlib.util
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from shown import ROOT


class Page(HTMLParser):
    """What a page links to, what it loads, and which places in it can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in {"script", "img", "iframe", "source"} and given.get("src"):
            self.loads.append(given["src"])
        elif tag == "link" and given.get("href"):
            self.loads.append(given["href"])


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """Build the site as 'make site' does."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "scripts/site.py", str(directory)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "html"


@pytest.fixture(scope="module")
def site(html):
    """Read every page of the site."""
    return {path.relative_to(html).as_posix(): Page(path.read_text("utf-8")) for path in html.rglob("*.html")}


def test_every_page_of_the_documentation_is_in_it(site):
    pages = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]

    assert [page.as_posix() for page in pages if page.as_posix() not in site] == []
    assert len([name for name in site if name.startswith("plugins/")]) > 40


def test_the_schema_of_the_pipeline_file_is_beside_its_reference(site, html):
    schema = json.loads((html / "reference" / "pipeline.schema.json").read_text("utf-8"))

    assert "pipelines" in schema["required"]


def test_every_link_leads_to_a_page_and_a_place_in_it(site):
    broken = []
    for name, page in site.items():
        for link in page.links:
            path, _, place = link.partition("#")
            if "://" in link or link.startswith("mailto:") or name == "404.html":
                continue
            target = resolved(name, path)
            if target not in site or (place and unquote(place) not in site[target].places):
                broken.append(f"{name}: {link}")

    assert broken == []


def resolved(name, path):
    parts = name.split("/")[:-1] if path else name.split("/")
    for part in path.split("/") if path else ():
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = {load for page in site.values() for load in page.loads}

    assert len(loaded) > 2
    assert [load for load in loaded if re.match(r"(https?:)?//", load)] == []


def test_a_page_that_is_in_no_table_of_contents_is_named():
    spec = importlib.util.spec_from_file_location("site_script", ROOT / "scripts" / "site.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    with pytest.raises(SystemExit, match=r"not in the table of contents: lost\.md"):
        script._write_settings(None, {"nav": [{"Home": "index.md"}]}, {"a": "index.md", "b": "lost.md"})

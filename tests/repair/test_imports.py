"""S34: a fix brings no new dependency; what the language, the repository or its manifests have is free."""

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Edit
from aiops_core.repair import propose
from aiops_core.repair.imports import check_imports
from aiops_core.repository import open_mirror
from aiops_core.settings import Policy, Repository

FILES = {
    "shop/__init__.py": "",
    "shop/app.py": "import attr\n\nx = 1\n",
    "shop/stock.py": "from sqlalchemy.orm import Session\nrequests = []\n",
    "requirements.txt": "PyYAML==6\nhttpx-sse\nrequests-oauthlib\n# not here: boto\n",
    "web/cart.ts": "const _ = require('lodash/get')\nlet x = 1\n",
    "web/package.json": '{"dependencies": {"zod": "^3", "@acme/money": "1"}, "devDependencies": {"vitest": "1"}}\n',
    "main.go": "package main\n",
}


@pytest.fixture
def attempt(origins, tmp_path):
    """Return a function that puts a line at the end of a file of the shop."""
    shop = origins(tmp_path / "origin", FILES)

    def run(line, path="shop/app.py", also=(), test=""):
        config = Repository(url=str(shop.remote), test=test, sandbox="none")
        mirror = open_mirror(config, tmp_path / "state")
        mirror.refresh()
        edit = Edit("replace", path, search="x = 1\n", replace=f"x = 1\n{line}\n")
        scratch = tmp_path / "scratch"
        return propose([edit, *also], mirror=mirror, repository=config, policy=Policy(), scratch=scratch)

    return run


@pytest.mark.parametrize(
    "line",
    [
        "import json, os.path",
        "from shop.stock import reserve",
        "from . import money",
        "import sqlalchemy",
        "import yaml",
        "import httpx_sse",
        "import attr.validators",
        "x = 'import nothing'",
    ],
)
def test_s34_what_python_the_shop_or_its_manifest_has_may_be_imported(attempt, line):
    assert attempt(line).files


@pytest.mark.parametrize(
    "line",
    [
        "import fs from 'node:fs'",
        "import { join } from 'path'",
        "import get from 'lodash'",
        "import { z } from 'zod/v4'",
        "import { Money } from '@acme/money'",
        "import { a } from './stock'",
        "import { a } from '@/stock'",
        "import { a } from 'web/stock'",
        "const words = 'taken from shelves'",
    ],
)
def test_s34_what_node_the_shop_or_its_manifest_has_may_be_imported(attempt, line):
    assert attempt(line, "web/cart.ts").files


@pytest.mark.parametrize(
    ("line", "path", "name"),
    [
        ("import requestes", "shop/app.py", "requestes"),
        ("import requests", "shop/app.py", "requests"),
        ("def f():\n    from django_safe.get import it", "shop/app.py", "django_safe"),
        ("import sqlalchemyx", "shop/app.py", "sqlalchemyx"),
        ("import pad from 'left-padd'", "web/cart.ts", "left-padd"),
        ("import x from 'lodash-safe/get'", "web/cart.ts", "lodash-safe"),
        ("const m = await import('@acme/moneys')", "web/cart.ts", "@acme/moneys"),
        ("const m = require('money')", "web/cart.ts", "money"),
    ],
)
def test_s34_a_new_dependency_needs_a_person(attempt, line, path, name):
    with pytest.raises(Refused) as caught:
        attempt(line, path)

    assert caught.value.rule == "new-dependency"
    assert str(caught.value) == (
        f"{path}: the fix imports {name!r}, which neither the language nor the repository has, and a new "
        "dependency needs a person. Do with what is there."
    )


@pytest.mark.parametrize("beginning", ["\ufeff", "\ufeffimport nothing.here\n", "match = case in 3.99:\n"])
def test_s34_no_file_hides_its_imports(beginning):
    with pytest.raises(Refused) as caught:
        check_imports("app.py", beginning, f"{beginning}import evil\n", lambda name: False)

    assert "imports 'evil'" in str(caught.value)


def test_s34_a_module_the_fix_itself_adds_may_be_imported(attempt):
    assert attempt("import prices", also=[Edit("create", "prices.py", replace="x = 1\n")]).files


def test_s34_the_runner_of_the_test_command_may_be_imported(attempt):
    test = Edit("create", "shop/test_x.py", replace="import pytest\n\n\ndef test_x():\n    assert pytest\n")

    assert attempt("y = 2", also=[test], test="true pytest -q").files


def test_s34_compiled_languages_are_left_to_their_compilers(attempt):
    new = Edit("create", "other.go", replace='package main\n\nimport "github.com/nobody/nothing"\n')

    assert attempt("y = 2", also=[new]).files

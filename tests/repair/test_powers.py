"""What a fix lets code do that it did not do before is asked about; what the code did already is not."""

import pytest

from aiops_core.records import ChangedFile
from aiops_core.repair.new_powers import new_powers

NETWORK, PROGRAMS = "reaches the network", "runs other programs"
CODE, HIDDEN = "makes or loads code while it runs", "hides what it says"
SECRETS, CARELESS = "reads what the environment or the machine keeps", "gives up a protection"
OLD = "def total(items):\n    return sum(items)\n"


def asked(path, added, before=OLD, tests=()):
    """Return what a person is asked when a file gets more text."""
    old = before.encode()
    changed = [ChangedFile(path, old + added.encode())]
    return dict(new_powers(changed, {path: old}, lambda: tests)).get("new-capability", "")


@pytest.mark.parametrize(
    ("path", "added", "power"),
    [
        ("shop/a.py", "import socket\n", NETWORK),
        ("shop/a.py", "def later():\n    from urllib import request as r\n    r.urlopen(u)\n", NETWORK),
        ("shop/a.py", "import http.client\n", NETWORK),
        ("shop/a.py", "import os as o\no.system('id')\n", PROGRAMS),
        ("shop/a.py", "from subprocess import run\n", PROGRAMS),
        ("shop/a.py", "import os\ngetattr(os, 'sys' + 'tem')('id')\n", CODE),
        ("shop/a.py", "x = eval(text)\n", CODE),
        ("shop/a.py", "run = exec\n", CODE),
        ("shop/a.py", "__import__('soc' + 'ket')\n", CODE),
        ("shop/a.py", "import importlib\nimportlib.import_module(n)\n", CODE),
        ("shop/a.py", "import pickle\n", CODE),
        ("shop/a.py", "import base64\n", HIDDEN),
        ("shop/a.py", "x = '\\x69\\x6d\\x70\\x6f\\x72\\x74\\x20\\x6f'\n", HIDDEN),
        ("shop/a.py", "# coding: utf-7\n", HIDDEN),
        ("shop/a.py", f"x = 1;{' ' * 200}y = 2\n", HIDDEN),
        ("shop/a.py", "import os\nprint(dict(os.environ))\n", SECRETS),
        ("shop/a.py", "open('/proc/self/environ')\n", SECRETS),
        ("shop/a.py", "get(url, verify=False)\n", CARELESS),
        ("shop/a.py", "URL = 'https://evil.io/x'\n", "names the address evil.io"),
        ("web/a.js", "const net = require('net');\n", NETWORK),
        ("web/a.ts", "import http from 'node:https';\n", NETWORK),
        ("web/a.js", "fetch(u);\n", NETWORK),
        ("web/a.js", "require('node:child_process').execSync('id');\n", PROGRAMS),
        ("web/a.js", "new Function('return 1')();\n", CODE),
        ("web/a.js", "[].constructor.constructor('x')();\n", CODE),
        ("web/a.js", "require(name);\n", CODE),
        ("web/a.js", "atob(x);\n", HIDDEN),
        ("web/a.js", "send(JSON.stringify(process.env));\n", SECRETS),
        ("A.java", "new java.net.Socket(host, 1);\n", NETWORK),
        ("A.java", 'Runtime.getRuntime().exec("id");\n', PROGRAMS),
        ("A.java", 'Class.forName("x");\n', CODE),
        ("A.java", "System.getenv();\n", SECRETS),
        ("a.go", 'import (\n\t"net/http"\n)\n', NETWORK),
        ("a.go", '\t"os/exec"\n', PROGRAMS),
    ],
)
def test_r15_a_new_power_is_asked_about_by_name(path, added, power):
    assert f"{path} now {power}" in asked(path, added)
    assert asked(path, added, before=added) == ""


@pytest.mark.parametrize(
    ("path", "added"),
    [
        ("shop/a.py", "import re, json, logging\nre.compile('x')\nPort = int(os.environ['PORT'])\n"),
        ("shop/a.py", "from urllib.parse import urlsplit\nfrom http import HTTPStatus\n"),
        ("shop/a.py", "import importlib.metadata\nversion = importlib.metadata.version('x')\n"),
        ("shop/a.py", "requests = code = sh = 1\nself.eval(code)\n"),
        ("shop/a.py", "# see https://docs.python.org/3/library/os.html\nx = 1\n"),
        ("shop/a.py", 'def f():\n    """See https://docs.python.org/3/."""\n'),
        ("shop/a.py", "URL = 'http://localhost:8080/x'\nOTHER = 'https://api.example.com/'\n"),
        ("shop/a.py", "import yaml\nyaml.safe_load(x)\ngetattr(item, 'price', 0)\n"),
        ("web/a.js", "const { PORT } = process.env;\nconst p = process.env.PORT;\nre.exec(text);\n"),
        ("web/a.js", "const fs = require('node:fs');\nstore.fetch(1); x.unescape(y)\n"),
        ("A.java", 'String p = System.getenv("PORT");\nURI u = java.net.URI.create(x);\n'),
        ("README.md", "Call fetch(url), then `curl https://evil.io`.\n"),
        ("tests/test_a.py", "with patch.dict(os.environ, {'A': 'b'}):\n    f('https://shop.io/')\n"),
    ],
)
def test_ordinary_code_is_not_asked_about(path, added):
    assert asked(path, added) == ""


def test_a_power_that_moves_from_one_changed_file_to_another_is_none():
    run = b"import subprocess\nsubprocess.run(['true'])\n"
    changed = [ChangedFile("shop/a.py", OLD.encode()), ChangedFile("shop/tool.py", run)]

    assert new_powers(changed, {"shop/a.py": run, "shop/tool.py": None}, list) == ()


def test_a_new_test_may_do_what_the_tests_there_are_do():
    runs = "import subprocess\nsubprocess.run(['true'])\n"

    assert f"tests/test_new.py now {PROGRAMS}" in asked("tests/test_new.py", runs)
    assert asked("tests/test_new.py", runs, tests=["x = 1\n", runs]) == ""


def test_code_of_another_python_is_told_by_its_words():
    assert NETWORK in asked("shop/a.py", "def f(:\n    x = open('/dev/tcp/1/2')\n")

"""What code can do beyond its own process and its own text, told from how it is written.

A fix seldom needs a power that the changed files did not have: the network, other programs, code that is made
while it runs. Somebody who took a model over needs one nearly always. It sees plain attempts; the sandbox is
what holds while the tests run, and a person's eye after that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from aiops_core.repair.names_used import names_used
from aiops_core.text.lazy import lazy_pattern

Power: TypeAlias = str
"""What it does, as people are told: ``reaches the network``."""

_NETWORK = "reaches the network"
_PROGRAMS = "runs other programs"
_CODE = "makes or loads code while it runs"
_SECRETS = "reads what the environment or the machine keeps"
_HIDDEN = "hides what it says"
_CARELESS = "gives up a protection"

_PYTHON: Mapping[Power, re.Pattern[str]] = {
    _NETWORK: lazy_pattern(
        r"(?:socket|ssl|ftplib|smtplib|poplib|imaplib|telnetlib|nntplib|socketserver|xmlrpc\.(?:client|server)"
        r"|http\.(?:client|server)|urllib\.request|urllib2|urllib3|requests|httpx|aiohttp|websockets?"
        r"|paramiko|asyncssh|pycurl|grpc|boto3|asyncio\.(?:open_connection|start_server))(?:\..*)?"
    ),
    _PROGRAMS: lazy_pattern(
        r"(?:subprocess|pty|sh|pexpect|plumbum)(?:\..*)?|asyncio\.create_subprocess_\w+"
        r"|os\.(?:system|popen|fork\w*|exec\w+|spawn\w+|posix_spawnp?|startfile)"
    ),
    _CODE: lazy_pattern(
        r"(?:builtins\.)?(?:eval|exec|compile|__import__)|__builtins__|builtins|getattr of a module"
        r"|importlib\.(?:import_module|reload|util|machinery|_bootstrap)\b.*|imp|runpy|code|codeop|ctypes|cffi"
        r"|(?:marshal|pickle|_pickle|cPickle|dill|shelve|cloudpickle)(?:\..*)?|types\.(?:FunctionType|CodeType)"
        r"|sys\._getframe|gc\.get_objects|yaml\.(?:unsafe_load|full_load|(?:Unsafe|Full)?Loader)"
    ),
    _HIDDEN: lazy_pattern(
        r"(?:base64|binascii)(?:\..*)?|bytes\.fromhex|bytearray\.fromhex|codecs\.(?:decode|getdecoder)"
    ),
    _CARELESS: lazy_pattern(r"ssl\.(?:_create_unverified_context|CERT_NONE)"),
}
"""By the whole names that Python code uses."""

_PACKAGE = r"(?:\bfrom|\brequire\(|\bimport\(?)\s*['\"`](?:node:)?"
_OTHERS: Mapping[Power, re.Pattern[str]] = {
    _NETWORK: lazy_pattern(
        rf"{_PACKAGE}(?:https?|http2|net|dgram|tls|dns|axios|got|ky|node-fetch|undici|request|superagent|ws)\b['\"/`]"
        r"|(?<![.\w$])fetch\s*\(|\bnew\s+(?:XMLHttpRequest|WebSocket|EventSource)\b|\bsendBeacon\("
        r"|\bjava\.net\.(?!URI\b|URISyntax|URL(?:En|De)coder)|\bHttpClient\b|\bnew\s+(?:Server|Datagram)?Socket\("
        r"|\.open(?:Connection|Stream)\(\)|^\s*(?:import\s+)?(?:\w+\s+)?\"net(?:/(?:http|rpc|smtp))?\"$"
        r"|\brequire\s+['\"](?:net/|open-uri|socket)|\b(?:curl_exec|fsockopen|stream_socket_client)\("
        r"|\b(?:TcpStream|UdpSocket|reqwest)::|\bSystem\.Net\b|/dev/(?:tcp|udp)/",
        re.MULTILINE,
    ),
    _PROGRAMS: lazy_pattern(
        rf"{_PACKAGE}(?:child_process|execa|shelljs|zx)\b|\bBun\.spawn|\bDeno\.(?:Command|run)\b"
        r"|\bgetRuntime\(\)|\bProcessBuilder\b|\"os/exec\"|\bprocess::Command\b|\bProcess\.Start\("
        r"|\b(?:shell_exec|passthru|proc_open|popen)\("
    ),
    _CODE: lazy_pattern(
        rf"(?<![.\w$])eval\s*\(|(?<![.\w$])(?:new\s+)?Function\s*\(|{_PACKAGE}vm\b|\.constructor\s*\(\s*['\"`]"
        r"|\.constructor\.constructor|\bprocess\.(?:binding|dlopen|mainModule)\b|\bglobalThis\s*\["
        r"|\bset(?:Timeout|Interval)\(\s*['\"`]|\brequire\(\s*[^'\"`\s)]|(?<!\w)import\(\s*[^'\"`\s)]"
        r"|\bScriptEngine|\bClass\.forName\(|\bsetAccessible\(|\bURLClassLoader\b|\bdefineClass\(|\bObjectInputStream\b"
        r"|\bsun\.misc\.Unsafe\b|\bgetDeclared(?:Field|Method|Constructor)\(|\bSystem\.load(?:Library)?\("
        r"|^\s*(?:import\s+)?\"(?:unsafe|plugin|C)\"$|\b(?:instance|class|module)_eval\b|\bMarshal\.load\b"
        r"|\bunserialize\(|\bcreate_function\(|\bAssembly\.Load|\bCSharpScript\b",
        re.MULTILINE,
    ),
    _HIDDEN: lazy_pattern(
        r"\batob\s*\(|\bBuffer\.from\([^()]*,\s*['\"`](?:base64|hex)|\bfromCharCode\(|(?<![.\w])unescape\("
        r"|\bBase64\.get\w*Decoder\(|\bparseHexBinary\(|\bencoding/(?:base64|hex)\b|\bbase64_decode\("
    ),
}
"""By patterns, in every other language."""

_ANYWHERE: Mapping[Power, re.Pattern[str]] = {
    _SECRETS: lazy_pattern(
        r"(?<!in )(?<!patch\.dict\()(?<!['\"])\bos\.environb?\b(?!\s*(?:\.(?:get|setdefault|pop)\(|\[))"
        r"|(?<!\} = )\bprocess\.env\b(?!\s*(?:\??\.\s*\w|\[|\?\.\[))|\bSystem\.getenv\(\s*\)|\bos\.Environ\(\)"
        r"|/proc/[^/\s]+/(?:environ|mem|maps|cmdline)|/etc/(?:passwd|shadow)\b|169\.254\.169\.254"
        r"|metadata\.google\.internal|\.(?:ssh|aws|kube|gnupg)[/\\\\'\"]|\.(?:netrc|git-credentials|pypirc|npmrc)\b"
        r"|\b(?:GITHUB|GITLAB|CI_JOB|NPM|PYPI|ACTIONS_RUNTIME)_TOKEN\b|\bAWS_SECRET_ACCESS_KEY\b"
    ),
    _HIDDEN: lazy_pattern(
        r"(['\"`])[A-Za-z0-9+/_-]{120,}={0,2}\1|(?:\\x[0-9a-fA-F]{2}){8}|(?:\\u00[0-9a-fA-F]{2}){8}"
        r"|(?:\bchr\(\s*\d+\s*\)\s*[+,]\s*){3}| {120,}\S|\t{30,}\S"
        r"|coding[:=]\s*(?:utf[-_]?7|raw[-_]unicode|unicode[-_]escape|rot|punycode|idna)"
    ),
    _CARELESS: lazy_pattern(
        r"\bverify\s*=\s*False\b|\bcheck_hostname\s*=\s*False\b|\brejectUnauthorized['\"]?\s*:\s*false"
        r"|\bNODE_TLS_REJECT_UNAUTHORIZED\b|\bInsecureSkipVerify\s*:\s*true|\bTrustAll|\bX509TrustManager\b"
        r"|\bshell\s*[=:]\s*[Tt]rue\b|\bchmod\([^()]*0?o?777\)|\bStrictHostKeyChecking\b|\bcsrf_exempt\b"
        r"|\bautoescape\s*=\s*False\b|\bdangerouslySetInnerHTML\b|\.innerHTML\s*=|\balgorithms?\s*[=:]\s*\[?['\"]none"
    ),
}
_WORDS = lazy_pattern(
    r".*\.(?:md|rst|txt|adoc|csv|json|ya?ml|toml|ini|xml|html|po|svg|lock|snap)", re.IGNORECASE
)
_ADDRESS = lazy_pattern(r"['\"`](?:https?|wss?|ftps?)://(?P<host>[^\s/'\"`<>(){}\\]+)")
_HARMLESS = lazy_pattern(
    r"(?:[^@]*@)?(?:localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]|(?:.*\.)?(?:example(?:\.(?:com|org|net))?|test|invalid"
    r"|local(?:host)?)|(?:www\.)?w3\.org|json-schema\.org)(?::\d+)?",
    re.IGNORECASE,
)


def powers(path: str, text: str) -> set[Power]:
    """Return what a file can do, as far as its text tells; documents and data can do nothing."""
    if _WORDS.fullmatch(path):
        return set()
    is_python = path.lower().endswith((".py", ".pyi", ".pyw"))
    names = names_used(text) if is_python else None
    found = {power for power, pattern in _ANYWHERE.items() if pattern.search(text)}
    if names is not None:
        found |= {power for power, pattern in _PYTHON.items() if any(map(pattern.fullmatch, names))}
    else:
        found |= {power for power, pattern in _OTHERS.items() if pattern.search(text)}
    return found | {f"names the address {host}" for host in _hosts(text)}


def _hosts(text: str) -> Iterator[str]:
    """Yield the hosts of the addresses that code quotes, but for those that are nobody's."""
    for match in _ADDRESS.finditer(text):
        if not _HARMLESS.fullmatch(match["host"]):
            yield match["host"].lower()

"""What secrets look like: one table, read by the redactor alone.

Patterns keep to what RE2 and ``re`` both know (no look-around, no back-reference) and name the
secret itself ``s`` (``s2`` … in other branches); the rest of a match stays as it is. Token rules
ask for no word boundary on the left: ``\\x1b[31m`` and a JSON ``\\n`` end in a letter.
"""

from __future__ import annotations

import base64
import binascii
import re
import socket
from collections.abc import Callable, Mapping

from msgspec import Struct

from aiops_core.text.lazy import lazy_pattern


class Found(Struct, frozen=True):
    """One match: ``text[start:end]`` is the secret, ``after`` the end of the whole match."""

    text: str
    start: int
    end: int
    after: int
    key: str = ""
    separator: str = ""

    @property
    def secret(self) -> str:
        """The secret as it was matched."""
        return self.text[self.start : self.end]


class Rule(Struct, frozen=True):
    """One kind of secret.

    ``hints`` are lower-case literals of which one must occur in the lower-cased text, or ``shape``
    match there where no literal is part of every secret, or too many other words hold it. ``accepts`` is asked about each match. ``in_code`` False: the pattern means nothing in source code.
    ``is_proof`` False: a diff is blocked for a random-looking value only. ``is_apart``: no match
    can touch a placeholder.
    """

    name: str
    hints: tuple[str, ...]
    pattern: str
    accepts: Callable[[Found], bool] = lambda found: True
    in_code: bool = True
    is_proof: bool = True
    is_apart: bool = False
    shape: str = ""


def looks_random(value: str) -> bool:
    """Return whether nobody would write this value as a name, a word or a number."""
    if len(value) < 12 or re.search(r"\s", value):
        return False
    return bool(re.search(r"[0-9]", value) and re.search(r"[A-Za-z]", value))


_NOT_A_VALUE = lazy_pattern(
    r"(?i)(?:null|none|nil|undefined|true|false|empty|missing|required|optional|str|string|bytes"
    r"|[*x.•-]+|\$\{\w*\}|(?-i:\$(?:[A-Z_][A-Z0-9_]*|[a-z_]+))|\$|\{+[\w. ]*\}+|%\(?\w*\)?s|%\w|<[\w. -]*>"
    r"|[\[(]?(?:filtered|redacted|hidden|masked|secret)[)\]]?)[)\]}]*"
)
_EXPRESSION = lazy_pattern(
    r"[A-Za-z_]{3,}(?:\.[A-Za-z_]+)*[(\[].*|(?:self|this|cls)\..*"
    r"|(?:[a-z]\w*\.)+[\w$]+@[0-9a-f]{5,8}|[A-Z][a-z][\w$]*\{[0-9a-f]{5,8}"
)
_IS_NO_WORD = lazy_pattern(r"[^A-Za-z.:'()-]|[a-z][A-Z]")
_VALUE_ENDS = ("", "\n", "\r", ",", ";", "}", '"', "'", "\\")


def _is_value(found: Found) -> bool:
    value, key = found.secret, found.key.lower()
    if _NOT_A_VALUE.fullmatch(value) or value.lower().strip(".:=") in ("", key):
        return False
    return not (key.endswith("pwd") and value.startswith("/"))


def _is_plain_value(found: Found) -> bool:
    value = found.secret
    if not _is_value(found) or _EXPRESSION.fullmatch(value) or (value[0] in "{=([" and len(value) < 4):
        return False
    is_tight = found.text[found.start - 1] == ":" and not found.text[found.start - 2].isspace()
    if "=" in found.separator or is_tight or _IS_NO_WORD.search(value):
        return True
    return len(value) > 3 and found.text[found.after : found.after + 1] in _VALUE_ENDS


def _is_no_dummy(found: Found) -> bool:
    return not _NOT_A_VALUE.fullmatch(found.secret) and not found.secret.startswith(("{", "${"))


def _is_credential(found: Found) -> bool:
    is_alone = found.text.startswith("//", found.start - 2)
    return looks_random(found.secret) if is_alone else _is_no_dummy(found)


def _is_bearer(found: Found) -> bool:
    value = found.secret
    return len(value) >= 20 or bool(re.search(r"[0-9]", value))


def _is_basic(found: Found) -> bool:
    value = found.secret.rstrip("=")
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return False


_BRANDS = lazy_pattern(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|3(?:0[0-5]|[68]\d)\d{11}"
)
_LEFT_OF_NUMBER = lazy_pattern(r"(?:^|[^\w.+-]|\\[nrt]|\[[0-9;]*m)$")


def _is_card(found: Found) -> bool:
    digits = re.sub(r"\D", "", found.secret)
    before = found.text[max(0, found.start - 12) : found.start]
    after = found.text[found.after : found.after + 1]
    if not _BRANDS.fullmatch(digits) or not _LEFT_OF_NUMBER.search(before) or re.match(r"[\w-]", after):
        return False
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


_KEY = (
    r"(?P<k>passw(?:or)?d|passwort|pwd|passphrase|passcode|secret|token|credentials?"
    r"|api[_-]?key|auth[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|private[_-]?key"
    r"|secret[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|shared[_-]?key|app[_-]?key"
    r"|jsessionid|phpsessid|connect\.sid|密码|口令|密钥)"
)
_URL_KEYS = ("key", "sig", "signature", "auth", "x-amz-signature", "x-amz-credential")
_GITLAB = ("pat", "dt", "rt", "rtr", "cbt", "ptt", "ft", "imt", "agent", "soat", "ffct", "oas")
_COLOUR = r"(?:(?:\x1b|\\u001b|\\x1b|\\033)\[[0-9;]*m)*"
_GAP = rf"{_COLOUR}[ \t]*{_COLOUR}"
_PLAIN = r"(?:[^\s\"'`,;&<>\\]|\\[^nrtu\"'\\\s])+"
_QUOTED = (
    r"(?:\\+[\"'](?P<s>[^\"'\n\\]+)|\"(?P<s2>(?:[^\"\\\n]|\\.)+)"
    r"|'(?P<s3>(?:[^'\\\n]|\\.)+)|`(?P<s4>[^`\n]+))"
)
_KEY_SHAPE = _KEY.replace("(?P<k>", "(?:")
_EDGE = r"(?:^|[^\w-]|\\[nrt]|\[[0-9;]*m)"
_PEM = r"-----{} [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----"
_DATABASES = r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|oracle)(?:\+[a-z0-9]+)?"


class Personal(Struct, frozen=True):
    """What is no secret and may go all the same: every match that is accepted, whole.

    No pattern may match inside a placeholder, so that a block full of addresses costs one look at each.
    """

    name: str
    pattern: re.Pattern[str]
    accepts: Callable[[re.Match[str]], bool] = lambda match: True


_NOBODY = frozenset({"127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1"})  # noqa: S104 - nothing is bound


def _is_address(match: re.Match[str]) -> bool:
    address, text, start, end = match[0], match.string, match.start(), match.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    if address in _NOBODY or before.isalnum() or after.isalnum() or before in (".", "-", "_"):
        return False
    family = socket.AF_INET if "." in address else socket.AF_INET6
    try:
        socket.inet_pton(family, address if ":" in address else _DECIMAL.sub("", address))
    except OSError:
        return False
    return any(map(str.isdecimal, address))  # a::b is a name in some languages


_DECIMAL = lazy_pattern(r"(?<![0-9])0+(?=[0-9])")  # leading zeroes, which some write and inet_pton refuses

PERSONAL: Mapping[str, Personal] = {
    "email": Personal(
        "email",
        lazy_pattern(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}", re.ASCII),
    ),
    "ip": Personal(
        "ip",
        lazy_pattern(
            r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}"
            r"|[0-9A-Fa-f]{1,4}::[0-9A-Fa-f]{1,4}",
            re.ASCII,
        ),
        _is_address,
    ),
}
"""What people may keep back beside secrets, by the name they ask for it."""
CUSTOM = Rule("custom", (), "")
"""What people's own patterns find."""

RULES: tuple[Rule, ...] = (
    Rule(
        "private-key",
        ("private key",),
        rf"{_PEM.format('BEGIN')}(?:(?P<s>[^-]*(?:-[^-]+)*){_PEM.format('END')}"
        r"|(?P<s2>(?:[A-Za-z0-9+/=\s]|\\[nr])*))",
    ),
    Rule("age-key", ("age-secret-key-",), r"(?P<s>AGE-SECRET-KEY-1[0-9A-Z]{40,})"),
    Rule("anthropic-key", ("sk-ant-",), r"(?P<s>sk-ant-[A-Za-z0-9_-]{8,})"),
    Rule(
        "openai-key",
        ("sk-",),
        rf"{_EDGE}(?P<s>sk-(?:[A-Za-z0-9]{{20,}}|(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{{20,}}))",
    ),
    Rule(
        "github-token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"(?P<s>gh[pousr]_[A-Za-z0-9_.-]{16,}|github_pat_[A-Za-z0-9_]{16,})",
    ),
    Rule(
        "gitlab-token",
        tuple(f"gl{kind}-" for kind in _GITLAB),
        rf"(?P<s>gl(?:{'|'.join(_GITLAB)})-[A-Za-z0-9_.-]{{16,}})",
    ),
    Rule(
        "aws-key",
        (),
        r"(?P<s>(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})",
        shape="(?:akia|asia|abia|acca)[a-z0-9]{16}",
    ),
    Rule("slack-token", ("xox", "xapp-"), r"(?P<s>(?:xox[abeoprsd]|xapp)-[A-Za-z0-9.%_-]{8,})"),
    Rule("google-key", ("aiza", "ya29."), r"(?P<s>AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})"),
    Rule(
        "service-token",
        ("whsec_", "pypi-", "dop_v1_", "lin_api_"),
        r"(?P<s>(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}|npm_[A-Za-z0-9]{36}"
        r"|pypi-[A-Za-z0-9_-]{32,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|dop_v1_[a-f0-9]{64}"
        r"|lin_api_[A-Za-z0-9]{32,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})"
        rf"|{_EDGE}(?P<s2>hf_[A-Za-z0-9]{{30,}})",
        shape=r"[rs]k_(?:live|test)_|shp(?:at|ca|pa|ss)_|sg\.[a-z0-9_-]{16}|(?:hf|npm)_[a-z0-9]{20}",
    ),
    Rule(
        "vendor-token",
        (
            *("dckr_", "hvs.", "hvb.", "hvr.", "glsa_", "glc_", "nrak-", "atatt3", "atbb", ".atlasv1."),
            *("pul-", "api_org_", "lsv2_", "tvly-", "oy2", "apify_", "ops_eyj", "npg_", "sbp_"),
            *("pscale_", "pmak-", "rubygems_", "sntry", "figd_", "nfp_", "ntn_", "secret_", "pplx-", "rdme_"),
            *("xkeysib-", "sgp_", "sq0", "tfp_", "gsk_", "xai-", "r8_", "dop_", "doo_", "dor_", "sha256~"),
            *("nvapi-", "tskey-", "phx_", "8q~", "shippo_", "duffel_", "ezak", "eztk", "flwseck", "phc_"),
        ),
        r"(?P<s>dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}|hv[sbr]\.[A-Za-z0-9_-]{20,}|dapi[a-f0-9]{32}"
        r"|gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}|NRAK-[A-Z0-9]{20,}|ATATT3[A-Za-z0-9_=-]{50,}|ATBB[A-Za-z0-9]{24,}"
        r"|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{50,}|pul-[a-f0-9]{40}|pscale_(?:tkn|pw|oauth)_[\w=.-]{30,}"
        r"|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|rubygems_[a-f0-9]{48}|sntry[su]_[A-Za-z0-9_=+/]{40,}"
        r"|dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,}|figd_[A-Za-z0-9_-]{30,}"
        r"|pat-(?:na|eu)\d-[a-f0-9-]{36}|nfp_[A-Za-z0-9]{36}|ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}"
        r"|pplx-[A-Za-z0-9]{40,}|rdme_[a-z0-9]{70}|xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"
        r"|sgp_(?:[a-f0-9]{16}_)?[a-f0-9]{40}|sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|tfp_[A-Za-z0-9_.=-]{40,}"
        r"|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|r8_[A-Za-z0-9]{37}|do[opr]_v1_[a-f0-9]{64}"
        r"|nvapi-[A-Za-z0-9_-]{40,}|tskey-[a-z]{3,10}-[A-Za-z0-9-]{20,}|fm[12][ar]?_[A-Za-z0-9+/=_-]{60,}"
        r"|shippo_(?:live|test)_[a-f0-9]{40}|duffel_(?:live|test)_[A-Za-z0-9_=-]{40,}|EZ[AT]K[A-Za-z0-9]{54}"
        r"|FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}-X|EAA[A-Za-z0-9]{90,}|ph[cx]_[A-Za-z0-9]{40,}"
        r"|api_org_[A-Za-z0-9]{30,}|lsv2_(?:pt|sk)_[a-f0-9_]{40,}|tvly-[A-Za-z0-9-]{30,}|oy2[a-z0-9]{43}"
        r"|apify_api_[A-Za-z0-9]{34,}|ops_eyJ[A-Za-z0-9_+/=-]{60,}|npg_[A-Za-z0-9]{12,}|sbp_[a-f0-9]{40}"
        r"|sha256~[A-Za-z0-9_-]{43})"
        rf"|{_EDGE}(?P<s2>key-[a-f0-9]{{32}}|[a-f0-9]{{32}}-us\d{{1,2}}|\d{{8,10}}:AA[A-Za-z0-9_-]{{32,33}}"
        r"|LTAI[A-Za-z0-9]{16,24}|AKID[A-Za-z0-9]{32}|[A-Za-z0-9_~.]{3}8Q~[A-Za-z0-9_~.-]{31,34}"
        r"|sl\.[A-Za-z0-9_-]{130,})",
        shape=r"dapi[a-f0-9]{8}|dp\.(?:pt|st|ct|sa|scim|audit)\.|pat-(?:na|eu)\d|fm[12][ar]?_|eaa[a-z0-9]{20}"
        r"|key-[a-f0-9]{8}|[a-f0-9]{8}-us\d|\d:aa[a-z0-9_-]{8}|(?:ltai|akid)[a-z0-9]{8}|sl\.[a-z0-9_-]{16}",
    ),
    Rule(
        "jwt",
        (),
        r"(?P<s>eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4})",
        shape=r"eyj[a-z0-9_-]{8}",
    ),
    Rule(
        "webhook-url",
        ("webhook", "hooks.slack.com", "/bot/v2/hook/"),
        r"(?i:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/\d+/"
        r"|/open-apis/bot/v2/hook/|webhook\.office\.com/webhookb2/)(?P<s>[^\s\"'`<>\\)]+)",
    ),
    Rule(
        "authorization",
        ("authorization",),
        rf"(?i:authorization\\*[\"']?\]?{_GAP}(?:=>|[:=,]){_GAP}\\*[\"']?"
        r"(?:(?:basic|bearer|token|apikey|api-key|negotiate|ntlm|key|sso-key|bot)[ \t]+(?P<s>[^\s\"'\\,;]+)"
        r"|(?:digest|hmac|signature|aws4-hmac-sha256|oauth)[ \t]+(?P<s2>[^\r\n\\]+)"
        r"|(?P<s3>[^\s\"'\\,;]{8,})))",
        _is_no_dummy,
        is_proof=False,
    ),
    Rule(
        "bearer",
        (),
        r"(?i:bearer[ \t]+)(?P<s>[A-Za-z0-9._~+/=-]{8,})",
        _is_bearer,
        is_proof=False,
        shape=r"bearer[ \t]+[a-z0-9._~+/=-]{8}",
    ),
    Rule(
        "basic",
        (),
        r"(?i:basic[ \t]+)(?P<s>[A-Za-z0-9+/]{8,}={0,2})",
        _is_basic,
        shape=r"basic[ \t]+[a-z0-9+/]{8}",
    ),
    Rule(
        "url-credentials",
        (),
        rf"(?i:{_DATABASES})://[^\s:/@\[\"'<>]*:(?P<s>[^\s\"'<>]+)@"
        r"|[A-Za-z][A-Za-z0-9+.-]{1,30}://"
        r"(?:[^\s:/?#@\[\"'<>]*:(?P<s2>[^\s/\"'<>]+)|(?P<s3>[^\s:/?#@\[\"'<>]{16,}))@",
        _is_credential,
        shape=rf"{_DATABASES}://[^\s:/@\[\"'<>]*:[^\s\"'<>]+@|://[^\s:/?#@\[\"'<>]*(?::[^\s/\"'<>]+)?@",
    ),
    Rule(
        "cookie",
        ("cookie",),
        rf"(?i:cookie)\\*[\"']?\]?{_GAP}(?:=>|[:=]){_GAP}\\*[\"']?"
        r"(?P<s>[^\s\"'\\=;]+=[^\r\n\"'\\]+)",
        in_code=False,
    ),
    Rule(
        "url-key",
        tuple(f"{before}{name}=" for before in "?&" for name in _URL_KEYS),
        rf"(?i:[?&](?:{'|'.join(_URL_KEYS)})=)(?P<s>[^\s&\"'<>\\#)]{{8,}})",
    ),
    Rule(
        "sql-password",
        ("identified",),
        r"(?i:identified\s+(?:with\s+\S+\s+)?by\s+(?:password\s+)?)[\"'](?P<s>[^\"'\n]+)[\"']",
    ),
    Rule(
        "option",
        (),
        rf"(?i:--[\w-]{{0,40}}{_KEY})[ \t]+[\"']?(?P<s>(?:[^\s\"'-]|-[^\sA-Za-z-])[^\s\"']*)"
        r"|\s(?:-u|--user)[ \t]+[^\s:\"'/]+:(?P<s2>[^\s\"'/]+)",
        _is_no_dummy,
        in_code=False,
        is_proof=False,
        shape=rf"--[\w-]*{_KEY_SHAPE}[ \t]|\s(?:-u|--user)[ \t]",
    ),
    Rule(
        "setting",
        (),
        rf"(?i:{_KEY})(?:[ \t][^<>\n]{{0,200}})?>(?P<s>[^<>\n]+)</",
        _is_value,
        is_proof=False,
        shape=r">[^<>\n]+</",
    ),
    Rule(
        "setting",
        (),
        rf"(?i:{_KEY})(?:\\*[\"']\]?{_GAP}(?:=>|[:=])|\]?{_GAP}(?:=>|:?=|:)){_GAP}[rbuf@]?{_QUOTED}",
        _is_value,
        is_proof=False,
        shape=rf"{_KEY_SHAPE}(?:\\*[\"']\]?{_GAP}(?:=>|[:=])|\]?{_GAP}(?:=>|:?=|:)){_GAP}[rbuf@]?[\\\"'`]",
    ),
    Rule(
        "setting",
        (),
        rf"(?i:[(\[][\"'][\w.-]{{0,40}}{_KEY})[\"'],[ \t]*{_QUOTED}",
        _is_value,
        in_code=False,
        is_proof=False,
        shape=rf"{_KEY_SHAPE}[\"'],[ \t]*[\\\"'`]",
    ),
    Rule(
        "setting",
        (),
        rf"(?i:{_KEY})\\*[\"']?\]?{_GAP}(?P<sep>=>|[:=]){_GAP}(?P<s>{_PLAIN})",
        _is_plain_value,
        in_code=False,
        is_proof=False,
        shape=rf"{_KEY_SHAPE}\\*[\"']?\]?{_GAP}(?:=>|[:=])",
    ),
    Rule(
        "card",
        (),
        r"(?P<s>\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}(?:[ -]?\d{1,3})?|3\d{3}[ -]\d{6}[ -]\d{4,5}|\d{14,19})",
        _is_card,
        is_apart=True,
        shape=r"(?:^|[^\w.+-]|[mnrt])(?:\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}|3\d{3}[ -]\d{6}[ -]\d{4}|\d{14})",
    ),
)

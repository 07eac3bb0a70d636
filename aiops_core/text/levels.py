"""The names of log levels and the severity each stands for."""

from __future__ import annotations

from collections.abc import Mapping

from aiops_core.records import Severity

_NAMES: Mapping[Severity, str] = {
    "critical": "EMERGENCY EMERG ALERT CRITICAL CRIT CRT FATAL FATA FTL PANIC DPANIC",
    "error": "SEVERE ERROR EROR ERRO ERR FAIL",
    "warning": "WARNING WARN WRN",
    "info": "NOTICE CONFIG INFORMATION INFO INF STATISTICS DEBUG DBUG DEBU DEBG DBG TRACE TRCE TRC VERBOSE VRB "
    "FINEST FINER FINE SUCCESS LOG",
}
TRANSLATED: Mapping[Severity, str] = {
    "critical": "致命错误 致命錯誤",
    "error": "严重 嚴重 错误 錯誤 重大 심각 오류 GRAVE SCHWERWIEGEND FEHLER ERREUR",
    "warning": "警告 경고 WARNUNG AVERTISSEMENT ADVERTENCIA AVVERTENZA",
    "info": "信息 資訊 情報 정보 日志 日誌 HINWEIS INFOS",
}
"""What the logging of Java and PostgreSQL write where the language of the machine is not English."""
SEVERITY_OF: Mapping[str, Severity] = {
    name: severity
    for told in (_NAMES, TRANSLATED)
    for severity, names in told.items()
    for name in names.split()
}
"""Level in capitals to severity."""

LETTERS: Mapping[str, Severity] = {
    "F": "critical",
    "A": "critical",
    "C": "critical",
    "E": "error",
    "W": "warning",
    "I": "info",
    "N": "info",
    "D": "info",
    "V": "info",
    "T": "info",
}
"""One-letter levels (glog, Ruby's Logger, Android, MongoDB)."""

_OF_SYSLOG: tuple[Severity, ...] = (
    "critical",
    "critical",
    "critical",
    "error",
    "warning",
    "info",
    "info",
    "info",
)
_OF_NUMBER: Mapping[int, Severity] = {
    10: "info",
    20: "info",
    30: "info",
    40: "warning",
    50: "error",
    60: "critical",
    100: "info",
    200: "info",
    250: "info",
    300: "warning",
    400: "error",
    500: "critical",
    550: "critical",
    600: "critical",
}

LEVEL_WORDS = "|".join(sorted(SEVERITY_OF, key=len, reverse=True))
"""All level names as one alternation, the longest first."""


def severity_of_number(number: int) -> Severity | None:
    """Return the severity of a numeric level: syslog 0–7, bunyan's and pino's 10–60, Monolog's 100–600."""
    if number < 8:
        return _OF_SYSLOG[number]
    return _OF_NUMBER.get(number)


def severity_of(name: str) -> Severity | None:
    """Return the severity of a level written in any of the ways logs write it, or None."""
    if name.isdecimal():
        return severity_of_number(int(name)) if len(name) < 4 else None
    if len(name) == 1:
        return LETTERS.get(name)
    return SEVERITY_OF.get(name.upper())

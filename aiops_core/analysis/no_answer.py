"""What people are told when no analyzer could answer: the raw error and what to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec.structs import replace

from aiops_core.records import Analysis, CodeSample, Incident
from aiops_core.text.carriers import as_written
from aiops_core.text.phrases import headed
from aiops_core.text.sanitising import clean

Language: TypeAlias = Literal["en", "zh"]
_LONGEST_RAW = 4_000

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Not analysed: {what}",
        "summary": "No analyzer could answer, so this report carries the raw error only.{reasons}",
        "reasons": " Reasons: {reasons}.",
        "cause": "Not determined. {what} occurred {count}, last at {last}.",
        "once": "once",
        "times": "{count} times",
        "raw": "raw error",
        "borrowed": "Not analysed. The error is {likeness} like incident {incident}, and this is what was "
        "found there; look whether it holds here too.{reasons}",
    },
    "zh": {
        "title": "未能分析：{what}",
        "summary": "没有分析器能够给出答案，本报告只包含原始错误。{reasons}",
        "reasons": "原因：{reasons}。",
        "cause": "原因未确定。{what} 已出现 {count}，最近一次在 {last}。",
        "once": "1 次",
        "times": "{count} 次",
        "raw": "原始错误",
        "borrowed": "未能分析。此错误与事件 {incident} 有 {likeness} 相似，以下是当时的结论，请核实是否同样适用。{reasons}",
    },
}

_CHECKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "": (
            "Read the raw error below and the log lines round it.",
            "Compare the time it first occurred with deployments and configuration changes.",
            "Check disk space, memory and the services this one depends on.",
        ),
        "python": (
            "Look at the last line of the traceback that is your own code, and at the values it got.",
            "Compare the installed packages with the ones the code was tested with.",
        ),
        "java": (
            "Look at the last 'Caused by' and at the first frame under it that is your own code.",
            "Compare the class path and the JDK with the ones the code was tested with.",
        ),
        "javascript": (
            "Look at the first frame outside node_modules, and at the values it got.",
            "Compare package-lock.json and the runtime's version with the ones the code was tested with.",
        ),
        "go": (
            "Look at the first frame of the panicking goroutine that is your own code.",
            "Check for nil values and for maps or slices shared between goroutines.",
        ),
    },
    "zh": {
        "": (
            "阅读下面的原始错误及其前后的日志。",
            "将首次出现的时间与部署、配置变更的时间对照。",
            "检查磁盘空间、内存以及所依赖的服务。",
        ),
        "python": ("查看调用栈中最后一行自己的代码及其取值。", "核对已安装的依赖版本与测试时是否一致。"),
        "java": (
            "查看最后一个 Caused by 及其下第一行自己的代码。",
            "核对类路径和 JDK 版本与测试时是否一致。",
        ),
        "javascript": (
            "查看 node_modules 之外的第一个栈帧及其取值。",
            "核对 package-lock.json 和运行时版本与测试时是否一致。",
        ),
        "go": (
            "查看出现 panic 的 goroutine 中第一行自己的代码。",
            "检查 nil 值以及被多个 goroutine 共享的 map 或 slice。",
        ),
    },
}


def unanswered(incident: Incident, reasons: Sequence[str], *, language: Language = "en") -> Analysis:
    """Return the analysis of an incident nobody could explain: confidence 0 and what to check."""
    texts, checks = _TEXTS[language], _CHECKS[language]
    what = clean(headed(incident.type, incident.message), keep_newlines=False)[:300]
    times = texts["once"] if incident.count == 1 else texts["times"].format(count=incident.count)
    last = incident.last_seen.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Analysis(
        title=texts["title"].format(what=what)[:200],
        summary=texts["summary"].format(reasons=_why(texts, reasons)),
        root_cause=texts["cause"].format(what=what, count=times, last=last),
        repair_steps=(*(checks.get(incident.language, ()) if incident.language else ()), *checks[""]),
        code_samples=_raw_error(incident, texts["raw"]),
        confidence=0.0,
        provable=False,
        analyzer="none",
    )


def borrowed(
    found: Analysis,
    incident_id: int,
    likeness: float,
    reasons: Sequence[str],
    *,
    language: Language = "en",
) -> Analysis:
    """Return the analysis of a near-identical incident as one for an incident nobody could explain.

    It proposes and cites nothing, and is at most half as sure.
    """
    texts = _TEXTS[language]
    lead = texts["borrowed"].format(
        likeness=f"{likeness:.0%}", incident=incident_id, reasons=_why(texts, reasons)
    )
    return replace(
        found,
        summary=f"{lead}\n\n{found.summary}",
        confidence=min(found.confidence, likeness) / 2,
        provable=False,
        cited=(),
        edits=(),
        usage=None,
    )


def _why(texts: Mapping[str, str], reasons: Sequence[str]) -> str:
    said = "; ".join(clean(reason, keep_newlines=False).rstrip(".") for reason in reasons)[:1_500]
    return texts["reasons"].format(reasons=said) if said else ""


def _raw_error(incident: Incident, title: str) -> tuple[CodeSample, ...]:
    if not incident.events:
        return ()
    event = incident.event
    raw = "\n".join(filter(None, (event.headline, as_written(event.block) or event.message)))
    return (CodeSample(title, clean(raw)[:_LONGEST_RAW]),) if raw else ()

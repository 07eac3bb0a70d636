"""The words of reports: English phrases are the keys, other languages a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

CHINESE: Mapping[str, str] = {
    # severities, states, statuses
    "critical": "严重",
    "error": "错误",
    "warning": "警告",
    "info": "信息",
    "fault": "故障",
    "new": "新问题",
    "ongoing": "持续中",
    "escalating": "加剧",
    "resolved": "已解决",
    "regressed": "再次出现",
    "ignored": "已忽略",
    "done": "已完成",
    "refused": "被拒绝",
    "failed": "失败",
    # headings
    "Summary": "摘要",
    "Root cause": "根本原因",
    "Repair steps": "修复步骤",
    "What to check": "检查建议",
    "Code": "示例代码",
    "Prevention": "预防措施",
    "Confidence": "置信度",
    "Tests": "测试",
    "The change": "代码改动",
    "What was done": "已执行的操作",
    "Planned, not done": "已计划但未执行（试运行）",
    "Decisions": "决策记录",
    "Log": "日志",
    "Messages": "消息",
    # facts
    "Pipeline": "流水线",
    "Error": "错误",
    "Where": "位置",
    "Seen": "出现次数",
    "New with": "随版本出现",
    "From": "来源",
    "Log file": "日志文件",
    "Time": "时间",
    "Evidence": "引用证据",
    "Analyzer": "分析器",
    "Model": "模型",
    "Tokens": "令牌数",
    "Cost": "费用",
    "Before": "修复前",
    "After": "修复后",
    "Command": "命令",
    "Sandbox": "沙箱",
    "Based on": "基于",
    "Repaired tests": "已修复的测试",
    "Still failing": "仍然失败的测试",
    "Lines before": "之前的日志",
    "The error as logged": "错误原文",
    "Lines after": "之后的日志",
    "rule {rule}": "规则 {rule}",
    "setting {setting}": "设置项 {setting}",
    # sentences
    "Reminder: {title}": "提醒：{title}",
    "Escalating: {title}": "加剧：{title}",
    "Resolved: {title}": "已解决：{title}",
    "It goes on: {more} more since the last message, {count} in all.": (
        "问题仍在持续：自上一条消息以来又出现 {more} 次，共 {count} 次。"
    ),
    "Take it on: aiops incidents ack {id}": "认领处理：aiops incidents ack {id}",
    "It becomes more frequent: {recent} events within 10 minutes, {before} in ten minutes of the hour before.": (
        "问题正在加剧：10 分钟内出现 {recent} 次，此前一小时平均每 10 分钟 {before} 次。"
    ),
    "It is over after one event, at {last}.": "问题已结束，共出现 1 次，在 {last}。",
    "It is over after {count} events, the last one at {last}.": "问题已结束，共出现 {count} 次，最后一次在 {last}。",
    "Nobody acknowledged this within {waited}. Take it on: aiops incidents ack {id}": (
        "{waited} 内无人认领。认领处理：aiops incidents ack {id}"
    ),
    "{messages} messages in one": "{messages} 条消息合并为一条",
    "{messages} messages about {count} incidents": "{messages} 条消息，涉及 {count} 个事件",
    "{messages} messages about one incident": "{messages} 条消息，涉及同一事件",
    "… and {count} more: aiops incidents list": "……另有 {count} 条：aiops incidents list",
    "Part of incident {id}, {count} more of its service: {named}": (
        "属于事件 {id}，同一服务的另外 {count} 个：{named}"
    ),
    "Not analysed, for it was a storm: {count}. Ask for one: aiops incidents retry ID": (
        "因错误风暴未分析：{count} 个。如需分析：aiops incidents retry ID"
    ),
    "{release}; errors before were of {earlier}": "{release}（此前的错误来自 {earlier}）",
    "once, {first}": "1 次，{first}",
    "{count} times, first {first}, last {last}": "{count} 次，首次 {first}，最近 {last}",
    "{line} in {function}": "{line}，函数 {function}",
    "{read} read, {written} written": "输入 {read}，输出 {written}",
    "This is a recorded answer: it was read from a file, no model was asked.": (
        "这是预先录制的答案：内容来自文件，没有询问任何模型。"
    ),
    "No analyzer could answer. Below is the error as it stood in the log.": (
        "没有分析器能够给出答案。下面是日志中的错误原文。"
    ),
    "Not provable from this data.": "仅凭现有数据无法证实。",
    "A fix is there that no test proves. Please review it with care.": "已有修复，但没有测试能证明它。请仔细审查。",
    "A fix is ready. Please review it before it is merged.": "修复已就绪，请在合并之前进行审查。",
    "Review the fix": "审查修复",
    "The tests ran outside a sandbox (sandbox: none).": "测试在沙箱之外运行（sandbox: none）。",
    "No tests ran on this change. Review it with care.": "此改动未经测试，请仔细审查。",
    "none: not isolated": "none：未隔离",
    "passed, {tests} tests in {seconds}": "通过，{tests} 个测试，用时 {seconds}",
    "passed, 1 test in {seconds}": "通过，1 个测试，用时 {seconds}",
    "passed in {seconds}": "通过，用时 {seconds}",
    "failed, {failed} of {tests} tests, exit code {code}, in {seconds}": (
        "失败，{tests} 个测试中有 {failed} 个失败，退出码 {code}，用时 {seconds}"
    ),
    "failed, 1 of 1 test, exit code {code}, in {seconds}": "失败，唯一的测试失败，退出码 {code}，用时 {seconds}",
    "failed, exit code {code}, in {seconds}": "失败，退出码 {code}，用时 {seconds}",
    "stopped after {seconds}": "运行 {seconds} 后被终止",
    "… and {count} more": "……另有 {count} 个",
    "[… {count} lines left out …]": "[……省略 {count} 行……]",
    "[… 1 line left out …]": "[……省略 1 行……]",
    "[… {count} characters left out …]": "[……省略 {count} 个字符……]",
    "Read the error and the lines around it at the end of this report.": (
        "阅读本报告末尾的错误原文及其前后日志。"
    ),
    "Open {where} and look at what can lead to this error.": "打开 {where}，查看可能导致此错误的代码。",
    "Look at what changed shortly before {first}.": "查看 {first} 之前不久发生的变更。",
    "Ask again later: aiops incidents retry {id}": "稍后重新分析：aiops incidents retry {id}",
    "Written by aiops-core for the pipeline {pipeline}.": "由 aiops-core 为流水线 {pipeline} 生成。",
    "Model answers can be wrong: check before you act.": "模型的回答可能有误，请核实后再操作。",
}


class Say(Protocol):
    """Return an English phrase in the reader's language, its placeholders filled."""

    def __call__(self, phrase: str, **values: object) -> str: ...


def words(language: str, chinese: Mapping[str, str] = CHINESE) -> Say:
    """Return the translator of a language; English for every one without a table."""
    table = chinese if language == "zh" else {}

    def say(phrase: str, **values: object) -> str:
        text = table.get(phrase, phrase)
        return text.format_map({name: str(value) for name, value in values.items()}) if values else text

    return say

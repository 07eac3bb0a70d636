"""The words we use in the threads of a request: English phrases are the keys, other languages a table."""

from __future__ import annotations

from collections.abc import Mapping

from aiops_core.text.report import Say, words

CHINESE: Mapping[str, str] = {
    "`/aiops explain` tells why the fix is as it is, `/aiops retry` tries the last wishes again, "
    "`/aiops stop` ends the conversation. Edited comments and quotes are not read.": (
        "`/aiops explain` 说明为什么这样修复，`/aiops retry` 重新处理最近的要求，"
        "`/aiops stop` 结束对话。编辑过的评论和引用的内容不会被读取。"
    ),
    "That is no command here. {commands}": "这里没有这个命令。{commands}",
    "No more changes will be made here, until somebody writes `/aiops retry`.": (
        "在有人写下 `/aiops retry` 之前，这里不会再有任何改动。"
    ),
    "Only comments of people who may push to this repository are acted on. This is said here once.": (
        "只处理有权向此仓库推送的人的评论。此说明只出现一次。"
    ),
    "Comments that were edited are not read. Write a new one, please. This is said here once.": (
        "编辑过的评论不会被读取，请写一条新评论。此说明只出现一次。"
    ),
    "This request has had all its rounds of changes ({rounds}). Push to the branch, "
    "or let the operator raise `review.rounds`. This is said here once.": (
        "此请求的各轮修改（{rounds}）已经用完。请直接向分支推送，或请运维人员调高 `review.rounds`。此说明只出现一次。"
    ),
    "There is a new fix for this incident, and it was not pushed: this branch holds commits of others or of "
    "its review, and those are never overwritten. Close this request, or merge it, "
    "for the next fix to get a branch of its own.": (
        "此事件有了新的修复，但没有推送：此分支上有他人的提交或审查中的提交，绝不会被覆盖。"
        "关闭或合并此请求之后，下一个修复会有自己的分支。"
    ),
    "Done in {commit}.": "已在 {commit} 中完成。",
    "Not done: {why}": "未执行：{why}",
    "Nothing was changed.": "没有任何改动。",
    "A change is ready, and waits for the operator's approval.": "改动已就绪，等待运维人员批准。",
    "the round was given up. The operator was told; /aiops retry tries again": (
        "本轮已放弃，并已通知运维人员；/aiops retry 可以再试一次"
    ),
    "There is no analysis on record for this request.": "此请求没有分析记录。",
    "**Root cause** ({confidence} sure)": "**根本原因**（置信度 {confidence}）",
    "Repair": "修复步骤",
    "Prevention": "预防措施",
    "No test ran on it.": "没有对它运行任何测试。",
    "Tests, {command}: {before} before, {after} after.": "测试 {command}：修复前 {before}，修复后 {after}。",
    "time limit": "超时",
    "1 failure": "1 个失败",
    "{count} failures": "{count} 个失败",
    "exit code {code}": "退出码 {code}",
    "A test now fails without this fix and passes with it, so the request is no longer marked as unverified.": (
        "现在有测试在没有此修复时失败、有此修复时通过，因此该请求不再标记为未验证。"
    ),
    "The error was not seen for {length}, without this fix. Close this request if it is not needed any more.": (
        "{length} 内没有再看到此错误，而此修复尚未合并。如果不再需要，请关闭此请求。"
    ),
    "0 in {length} (was {rate}/day). The error did not come back since this was deployed.": (
        "{length} 内 0 次（此前每天 {rate} 次）。部署之后错误没有再出现。"
    ),
    "The error is back: {events} of {release}, which has the fix {commit}. Its incident is open again.": (
        "错误再次出现：含有修复 {commit} 的 {release} 出现 {events}。对应的事件已重新打开。"
    ),
    "The error is back: {events} since the fix {commit} was merged. Its incident is open again.": (
        "错误再次出现：修复 {commit} 合并以来出现 {events}。对应的事件已重新打开。"
    ),
}


def review_words(language: str) -> Say:
    """Return the translator of a language for what is said in threads."""
    return words(language, CHINESE)

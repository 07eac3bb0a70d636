"""How the HTML report looks: inline styles for mail clients, a dark theme where they know one."""

from __future__ import annotations

from collections.abc import Mapping

from aiops_core.records import Severity

ACCENTS: Mapping[Severity, str] = {
    "critical": "#7a1128",
    "error": "#c4291c",
    "warning": "#a15c00",
    "info": "#175cd3",
}

_SANS = (
    "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,"
    "'PingFang SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif"
)
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono','Noto Sans Mono CJK SC',monospace"
_NOTE = "margin:12px 0;padding:10px 14px;border-radius:6px"
_TINY = "font-size:12px;font-weight:600;border-radius:10px;padding:2px 10px;white-space:nowrap"

STYLES: Mapping[str, str] = {
    "page": f"margin:0;padding:16px 8px;background-color:#f2f4f7;color:#1d2939;"
    f"font-family:{_SANS};font-size:15px;line-height:1.55;-webkit-text-size-adjust:100%",
    "card": "max-width:720px;margin:0 auto;padding:20px 20px 16px;background-color:#ffffff;"
    "border-radius:8px;overflow-wrap:anywhere;word-break:break-word",
    "badges": "margin:0 0 8px",
    "severity": f"{_TINY};color:#ffffff",
    "badge": f"{_TINY};color:#344054;background-color:#eaecf0",
    "title": "margin:0 0 12px;font-size:22px;line-height:1.3;font-weight:700;color:#101828",
    "heading": "margin:26px 0 6px;padding-top:14px;border-top:1px solid #eaecf0;font-size:13px;"
    "font-weight:600;letter-spacing:.04em;text-transform:uppercase;color:#667085",
    "text": "margin:8px 0",
    "notice": f"{_NOTE};background-color:#fff6e0;color:#6b4a00;border-left:4px solid #e0a100",
    "good": f"{_NOTE};background-color:#e7f6ee;color:#0b4f37;border-left:4px solid #12805c",
    "button": "display:inline-block;padding:11px 20px;border-radius:6px;background-color:#175cd3;"
    "color:#ffffff;font-weight:600;text-decoration:none",
    "link": "color:#175cd3",
    "list": "margin:8px 0;padding-left:24px",
    "item": "margin:4px 0",
    "facts": "width:100%;border-collapse:collapse;margin:8px 0;font-size:14px",
    "name": "padding:3px 14px 3px 0;vertical-align:top;white-space:nowrap;color:#667085;width:1%",
    "value": "padding:3px 0;vertical-align:top",
    "score": "margin:8px 0 4px;font-size:18px;font-weight:700;color:#101828",
    "track": "height:8px;border-radius:4px;background-color:#eaecf0;margin:0 0 12px;overflow:hidden",
    "bar": "height:8px;border-radius:4px",
    "label": "margin:12px 0 4px;font-size:13px;color:#667085",
    "code": f"margin:6px 0;padding:12px 14px;background-color:#f6f8fa;color:#1d2939;border-radius:6px;"
    f"font-family:{_MONO};font-size:12.5px;line-height:1.5;white-space:pre-wrap;"
    "overflow-wrap:anywhere;word-break:break-word",
    "span": f"font-family:{_MONO};font-size:.9em;background-color:#f0f2f5;border-radius:4px;padding:1px 5px",
    "added": "background-color:#dcf5e6;color:#0b4f37",
    "removed": "background-color:#fde4e1;color:#7a1712",
    "place": "color:#5b6475",
    "footer": "margin:24px 0 0;padding-top:12px;border-top:1px solid #eaecf0;font-size:12px;color:#667085",
}

DARK = (
    "@media (prefers-color-scheme: dark){"
    ".page{background-color:#0c111d!important;color:#d0d5dd!important}"
    ".card{background-color:#161b26!important}"
    ".strong{color:#f5f5f6!important}"
    ".quiet{color:#98a2b3!important;border-color:#2b3446!important}"
    ".badge{background-color:#2b3446!important;color:#d0d5dd!important}"
    ".notice{background-color:#3a2c06!important;color:#ffe3a0!important}"
    ".good{background-color:#0c3325!important;color:#b5f0d3!important}"
    ".link{color:#84adff!important}"
    ".track{background-color:#2b3446!important}"
    ".code{background-color:#0e131f!important;color:#d0d5dd!important}"
    ".span{background-color:#2b3446!important}"
    ".added{background-color:#0c3a27!important;color:#b5f0d3!important}"
    ".removed{background-color:#47191b!important;color:#ffd0cc!important}"
    ".place{color:#98a2b3!important}"
    "}"
)

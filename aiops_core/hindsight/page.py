"""The figures of a period as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape

from aiops_core.hindsight.figures import Figures
from aiops_core.text.phrases import counted
from aiops_core.text.sanitising import clean

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>aiops-core: {span}</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem }}
dt {{ opacity: .7 }}
dd {{ margin: 0; font-size: 1.6rem }}
svg {{ width: 100%; height: auto }}
rect {{ fill: #c2410c }}
text {{ font-size: 11px; fill: currentColor; opacity: .7 }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; overflow-wrap: anywhere }}
td:first-child {{ text-align: right; white-space: nowrap }}
</style>
</head>
<body>
<h1>aiops, {span}</h1>
<dl>{numbers}</dl>
<h2>Events by the hour</h2>
{plot}
<h2>Top incidents</h2>
<table><tr><th>events</th><th>incident</th><th>state</th></tr>{top}</table>
<h2>Work</h2>
<table>{work}</table>
</body>
</html>
"""
_WIDTH, _HEIGHT = 960, 160


def render_figures(figures: Figures) -> str:
    """Return the page; titles of incidents are untrusted text and stay text."""
    return _PAGE.format(
        span=f"{figures.start:%Y-%m-%d %H:%M} to {figures.end:%Y-%m-%d %H:%M} UTC",
        numbers="".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _numbers(figures)),
        plot=_bars(figures.by_hour, figures.start, figures.end),
        top="".join(
            f"<tr><td>{one.count:,}</td><td>#{one.incident.id} {_text(one.incident.title)}</td>"
            f"<td>{escape(one.incident.state)}</td></tr>"
            for one in figures.top
        ),
        work="".join(
            f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in _work(figures)
        ),
    )


def _numbers(figures: Figures) -> Sequence[tuple[str, str]]:
    return [
        ("events", f"{figures.events:,}"),
        ("incidents", f"{figures.incidents:,}"),
        ("new", f"{figures.new:,}"),
        *(
            (f"median time {name}", "–" if seconds is None else str(timedelta(seconds=round(seconds))))
            for name, seconds in (
                ("to detect", figures.to_detect),
                ("to tell", figures.to_tell),
                ("to resolve", figures.to_resolve),
            )
        ),
    ]


def _work(figures: Figures) -> Sequence[tuple[str, str]]:
    rows = [
        (name, ", ".join(f"{count} {key}" for key, count in counts.items()))
        for name, counts in (
            ("states", figures.states),
            ("severities", figures.severities),
            ("runs", figures.runs),
            ("actions", figures.outcomes),
            ("messages", figures.deliveries),
        )
        if counts
    ]
    for name, spent in figures.spent.items():
        cost = "cost unknown" if spent.cost is None else f"${spent.cost:.2f}"
        tokens = f"{spent.input_tokens:,} + {spent.output_tokens:,} tokens"
        rows.append((name, f"{counted(spent.answers, 'answer')}, {tokens}, {cost}"))
    return rows


def _bars(by_hour: Mapping[datetime, int], start: datetime, end: datetime) -> str:
    """Draw one bar for every hour of the period."""
    first = start.replace(minute=0, second=0, microsecond=0)
    hours = int((end - first) / timedelta(hours=1)) + 1
    most, width = max(by_hour.values(), default=1), _WIDTH / hours
    bars = "".join(
        f'<rect x="{int((hour - first) / timedelta(hours=1)) * width:.1f}" y="{_HEIGHT - count * _HEIGHT / most:.1f}" '
        f'width="{max(width * 0.9, 0.5):.1f}" height="{count * _HEIGHT / most:.1f}">'
        f"<title>{hour:%Y-%m-%d %H:00}: {count:,}</title></rect>"
        for hour, count in by_hour.items()
    )
    labels = (
        f'<text x="0" y="{_HEIGHT + 14}">{first:%m-%d %H:%M}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 14}" text-anchor="end">{end:%m-%d %H:%M}</text>'
        f'<text x="0" y="12">{most:,} an hour</text>'
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 20}" role="img" aria-label="events by the hour">{bars}{labels}</svg>'


def _text(text: str) -> str:
    return escape(clean(text, keep_newlines=False))

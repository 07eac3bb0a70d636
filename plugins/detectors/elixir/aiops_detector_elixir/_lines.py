"""The forms a line of an Elixir exception, or of an Erlang report, can take."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiops_core import lazy_pattern

LONGEST = 4096
Get = Callable[[int], str | None]
"""Return line n, or None where nothing is known."""

BANNER = lazy_pattern(
    r"(?P<indent>\s*)\*\* \((?P<type>EXIT from #PID<[\d.]+>|[A-Z][\w.]*|exit|throw|stop|:\w+)\)(?: (?P<text>.*))?$"
)
"""``** (RuntimeError) text``."""
ANNOUNCED = lazy_pattern(
    r".*?(?:\b(?:GenServer|GenStateMachine|State machine|Task|Agent|GenStage) .* terminating|Process (?:#PID<|:|\w).* (?:raised an exception|terminating)"
    r"|(?<![\w(])#PID<[\d.]+> (?:running .* terminated|.* terminating)|Ranch (?:listener|protocol) .* terminated|Child .* of Supervisor .* (?:terminated|failed to start|shut down|caused shutdown)"
    r"|Start Call|:gen_event handler .* terminating|Error in process #PID<)"
)
"""The line of a logger above an exception."""
BELOW_ANNOUNCED = lazy_pattern(r"(?:Server|Request|Connection|Host|Params): |\s*$")
CONTINUED = lazy_pattern(
    r"(?:Last message(?: \(from .*\))?|State|Function|Args|Client|Queue|Postponed|Pid|Start Call|Start Module|Initial Call|Ancestors|Messages?|Message Queue(?: Length)?|Links|Dictionary|Trapping Exits|Status"
    r"|Heap Size|Stack Size|Reductions|Neighbours|Restart|Shutdown|Type|Parent|Crash Report|Debug)\b.*:?|[)\]}>]"
)
FRAME = lazy_pattern(
    r"\s+(?:\((?P<app>[a-z]\w*)(?: (?P<version>[^()\s]+))?\) )?(?:(?P<file>[^\s:()]+\.(?:exs?|erl|eex|[hl]eex|hrl|yrl|xrl)|iex|nofile|\S+\.livemd(?:#\S+)?):(?P<line>\d+): (?P<function>\S.*?)|(?P<plain>(?::?\w+|[A-Z][\w.]*)\.(?:\"[^\"]+\"|[^\s(]+)(?:/\d+|\(.*\))|anonymous fn/\d+ in .*))\s*$"
)
COMPILING = lazy_pattern(r"== Compilation error in file (?P<file>.+?) ==")
REPORT = lazy_pattern(
    r"=(?P<kind>CRASH|ERROR|SUPERVISOR) REPORT====(?: |\s*$)|.*\b(?:CRASH|SUPERVISOR) REPORT:\s*$"
)
CRASHED = lazy_pattern(r"\s*crasher:\s*$")
"""The first line of a crash report whose title is of the logger's making."""
ERLANG = lazy_pattern(
    r"(?P<indent>\s*)(?:\*\* |escript: )?exception (?P<class>error|exit|throw): (?P<text>.*)$"
)
SERVER = lazy_pattern(
    r".*\*\* Generic (?:server|event handler|FSM)\b.*\bterminating|.*\*\* State machine .* terminating|.*\*\* gen_event handler .* crashed"
)
IN_PROCESS = lazy_pattern(r"(?:.*\b)?Error in process <[\d.]+>.* with exit value:?")
ENDED = lazy_pattern(r"(?:Kernel pid terminated \(|\{?\"?init terminating in (?:do_boot|start_it))")
CRASHER = lazy_pattern(r".*\bcrasher: initial call: (?P<call>.+?), pid: ")
CALL = lazy_pattern(
    r"\s+in (?:function |call from )\s?(?P<function>\S+?/\d+)(?: \((?P<file>[^\s(),]+), line (?P<line>\d+)\))?"
)
TUPLE = lazy_pattern(
    r"\{(?P<module>'[^']+'|\w+),(?P<function>'[^']+'|\w+),(?P<arity>\d+|\[.*?\]),\s*\[(?:\{file,\"(?P<file>[^\"]+)\"\},?)?\s*(?:\{line,(?P<line>\d+)\})?",
    re.DOTALL,
)
HEAD_OF_REPORT = lazy_pattern(r"=[A-Z]+ REPORT====(?: |\s*$)")
AFRESH = lazy_pattern(
    r"[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/.]\d\d[-/. ]\d|\d\d?:\d\d:\d\d|\d{10}(?:\d{3})?\b|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \w{3}|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d"
    r"|(?:level|time|ts)=|\{\"[\w@.-]{1,40}\":)|\[(?:debug|info|notice|warn|warning|error|critical|alert|emergency)\]"
)


def is_head(line: str) -> bool:
    """Say whether the line tells of a problem by itself."""
    line = line[:LONGEST]
    forms = (BANNER, COMPILING, REPORT, ERLANG, SERVER, IN_PROCESS, ENDED, CRASHER)
    return any(form.match(line) for form in forms)

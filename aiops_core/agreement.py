"""Find what the steps and rules of a pipeline file say that does not go together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from aiops_core.claims import port_claims
from aiops_core.document import Place
from aiops_core.errors import UserError
from aiops_core.host import claims_of
from aiops_core.left_out import short_name
from aiops_core.mistakes import near
from aiops_core.settings import PipelineConfig
from aiops_core.step import Step


def wrong_routes(config: PipelineConfig) -> Iterator[tuple[Place, str]]:
    """Yield where routes lead to notifiers there are none of; one that is left out is told nothing."""
    notifiers = [written.name or short_name(written.uses) for written in config.notifiers]
    for number, route in enumerate(config.routes):
        for key, names in (("to", route.to), ("fallback", [route.fallback]), ("escalate", route.escalate)):
            for wrong in (name for name in names if name and name not in notifiers):
                close = get_close_matches(wrong, notifiers, n=1)
                hint = f"Did you mean '{close[0]}'?" if close else "Name one of the notifiers above."
                yield ("routes", number, key), f"no notifier is called '{wrong}'. {hint}"


def wrong_grouping(
    config: PipelineConfig, steps: Sequence[Step], installed: Collection[str]
) -> Iterator[tuple[Place, str]]:
    """Yield where rules name detectors there are none of: such a rule would hold for nothing.

    One that is installed and not used here is no mistake: rules are shared between pipelines. An event that
    comes ready made may bear the name of its source.
    """
    detectors = {one.name or short_name(one.uses) for one in config.detectors} | set(installed)
    sources = {one.name or short_name(one.uses) for one in config.sources}
    known = detectors | sources | {step.name for step in steps}
    for number, rule in enumerate(config.grouping):
        if rule.detector and rule.detector not in known:
            hint = near(rule.detector, sorted(detectors))
            yield ("grouping", number, "detector"), f"no detector is called '{rule.detector}'. {hint}"


def double_claims(serve: str, sources: Iterable[tuple[str, Step]]) -> Iterator[tuple[str, Step, str]]:
    """Yield the sources, each with its pipeline, that want what another has, and what to say of it.

    ``serve`` is the address where the program itself answers.
    """
    host, _, port = serve.rpartition(":")
    taken = [(claim, "'serve'") for claim in port_claims("TCP", host.strip("[]"), int(port or 0))]
    for pipeline, step in sources:
        try:
            claims = claims_of(step.component)
        except UserError as error:
            yield pipeline, step, str(error)
            continue
        for claim in claims:
            holder = next((holder for other, holder in taken if other.meets(claim)), None)
            if holder is not None:
                text = f"{claim.what} is taken by {holder} already. Only one can have it: change or remove one of them"
                yield pipeline, step, text
            taken.append((claim, f"source {step.name} of {pipeline}"))

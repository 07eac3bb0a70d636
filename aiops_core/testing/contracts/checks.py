"""Which checks a component has to pass, and the test that runs them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiops_core.component import KINDS, Component
from aiops_core.testing.contracts import everything as every
from aiops_core.testing.contracts import kinds
from aiops_core.testing.contracts.bench import Place, Trial, set_up

Check = Callable[[Trial], None]

_EVERY: tuple[Check, ...] = (
    every.every_setting_is_documented,
    every.the_host_can_call_it,
    every.the_example_is_valid,
    every.it_starts_and_stops_in_any_order,
    every.two_instances_share_nothing,
    every.junk_does_not_break_it,
    every.what_it_is_given_stays_as_it_was,
    every.its_secrets_stay_secret,
    every.it_is_imported_fast_and_alone,
)
_OF_KIND: Mapping[str, tuple[Check, ...]] = {
    "sources": (
        kinds.what_it_yields_fits_together,
        kinds.its_positions_resume,
        kinds.strange_positions_do_not_break_it,
    ),
    "detectors": (
        kinds.it_finds_what_is_there,
        kinds.it_finds_nothing_where_nothing_is,
        kinds.it_finds_the_same_however_lines_arrive,
    ),
    "analyzers": (kinds.its_answer_holds,),
    "actions": (
        kinds.planning_touches_nothing,
        kinds.acting_twice_has_one_effect,
        kinds.a_crash_doubles_nothing,
    ),
    "notifiers": (kinds.it_tells_of_incidents_and_faults,),
    "extensions": (kinds.it_has_a_hook,),
}
CHECKS: Mapping[str, tuple[Check, ...]] = {kind: (*_EVERY, *own) for kind, own in _OF_KIND.items()}
"""The checks of each kind, in the order they run."""


def contract(
    component: type[Component[Any]],
    bench: Place = None,
    *,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    example: Path | None = None,
) -> Callable[..., None]:
    """Return a test that asks all of a component that its kind promises, a case for each check.

    ``bench`` says where it works: plain settings, or a function that takes a directory and yields a
    Bench. ``good`` and ``bad`` are for detectors: lines in which they find something, and nothing.
    ``example`` is the pipeline file that shows it: by itself ``example.yaml`` in the folder of the test
    or above, else beside the component's package.
    Raise TypeError for a class of no kind.
    """
    import pytest

    kind = next((kind for kind, base in KINDS.items() if issubclass(component, base)), None)
    if kind is None:
        raise TypeError(
            f"{component.__name__} is of no kind. Let it subclass Source, LogDetector, Analyzer …"
        )

    shown = example or _shown(Path(inspect.stack()[1].filename))

    @pytest.mark.parametrize("check", CHECKS[kind], ids=lambda check: str(check.__name__))
    def test_contract(check: Check, tmp_path: Path) -> None:
        with set_up(bench, tmp_path) as place:
            check(Trial(component, place, tmp_path / "trial", good, bad, shown))

    return test_contract


def _shown(test: Path) -> Path | None:
    places = (test.parent / "example.yaml", test.parent.parent / "example.yaml")
    return next((place for place in places if place.is_file()), None)

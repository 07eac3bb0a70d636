"""Check a document against the catalogue and build its pipelines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops_core import document
from aiops_core.agreement import double_claims, wrong_grouping, wrong_routes
from aiops_core.catalogue import Catalogue
from aiops_core.component import KINDS, Component, LogDetector
from aiops_core.context import Context
from aiops_core.document import Place, Text
from aiops_core.errors import AiopsError, UserError, is_interrupt
from aiops_core.handover import told
from aiops_core.host import (
    HOOKS,
    Host,
    check_component,
    check_triggers,
    default_config,
    make_component,
)
from aiops_core.left_out import LeftOut, short_name
from aiops_core.settings import Config, Document, Limits, PipelineConfig
from aiops_core.step import Step
from aiops_core.text.redaction import Redactor

if TYPE_CHECKING:
    from aiops_core.isolation import Nursery


class Pipeline:
    """One built pipeline: its steps by kind, in YAML order, on a plugin manager of its own."""

    def __init__(self, name: str, config: PipelineConfig, steps: Sequence[Step]) -> None:
        self.name = name
        self.config = config
        self.steps = tuple(steps)
        self.host = Host()
        for step in steps:
            self.host.register(step.component, name=f"{step.kind}/{step.name}")
        self.host.check_pending()
        self._make_callers()

    def _make_callers(self) -> None:
        for step in self.steps:
            for hook in HOOKS[step.kind]:
                others = self._others(step, hook)
                if others is not None:
                    step.let_call(hook, self.host.subset_hook_caller(hook, others))

    def _others(self, step: Step, hook: str) -> list[Component[Any]] | None:
        """Return whom a call of one step's hook passes by: all but it and those that wrap the hook; None without it."""
        found = getattr(self.host.hook, hook).get_hookimpls()
        plain = [each.plugin for each in found if not (each.wrapper or each.hookwrapper)]
        if step.component not in plain:
            return None
        return [each for each in plain if each is not step.component]

    def of_kind(self, kind: str) -> list[Step]:
        """Return the steps of one kind in YAML order."""
        return [step for step in self.steps if step.kind == kind]

    @property
    def only_records(self) -> bool:
        """Whether it only reads and detects: no model, repository or person learns of its incidents."""
        reads = {"sources", "detectors"}
        return self.config.repository is None and all(step.kind in reads for step in self.steps)

    def observe(
        self, hook: str, fault: Callable[[str, str], None], **arguments: Any
    ) -> list[tuple[str, Any]]:  # Any: as hooks
        """Call a hook of every extension that has it, each by itself, and return what they give, by step.

        ``fault`` is told the cause and the text of one that fails; nobody else is harmed by it.
        """
        given = []
        for step in self.of_kind("extensions"):
            if step.has(hook) and not step.is_off:
                try:
                    given.append((step.name, step.call(hook, **arguments)))
                except BaseException as error:
                    if is_interrupt(error):
                        raise
                    fault(f"extension {step.name}: {hook}", f"extension {step.name}{told(error)}")
        return given

    def step(self, kind: str, name: str) -> Step | None:
        """Return one step by kind and name, None when there is none."""
        return next((step for step in self.steps if step.kind == kind and step.name == name), None)


@dataclass(slots=True)
class Loaded:
    """A checked document with its built pipelines."""

    path: Path
    document: Document
    pipelines: tuple[Pipeline, ...]
    secrets: frozenset[str] = field(repr=False)

    @property
    def redactor(self) -> Redactor:
        """What takes secrets out, the values this file refers to among them, and what else the file says."""
        redaction = self.document.redaction
        return Redactor(self.secrets, also=redaction.also, patterns=redaction.patterns)

    @property
    def state(self) -> Path:
        """The state directory."""
        return (self.path.parent / Path(self.document.state).expanduser()).resolve()


@dataclass(slots=True)
class Surroundings:
    """What every component of one load shares."""

    stopping: threading.Event = field(default_factory=threading.Event)
    once: bool = False
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("aiops"))
    disabled: frozenset[str] = frozenset()
    """Names of steps, components and distributions that are left out."""


def load(
    path: Path,
    *,
    catalogue: Catalogue | None = None,
    surroundings: Surroundings | None = None,
    environment: Mapping[str, str] | None = None,
    needs_secrets: bool = True,
    is_thorough: bool = False,
) -> Loaded:
    """Read, check and build a pipeline file; raise DocumentError with every mistake at once.

    Without ``needs_secrets`` a word takes the place of each that is missing, for what sends nothing. With
    ``is_thorough`` components look at what their settings name, too, as they do when they start.
    """
    text = document.read(path, environment=environment, needs_secrets=needs_secrets)
    loader = _Loader(text, catalogue or Catalogue(), surroundings or Surroundings(), is_thorough=is_thorough)
    return loader.load()


class _Loader:
    def __init__(
        self, text: Text, catalogue: Catalogue, surroundings: Surroundings, *, is_thorough: bool
    ) -> None:
        self._text = text
        self._is_thorough = is_thorough
        self._catalogue = catalogue
        self._surroundings = surroundings
        self._left_out = LeftOut(surroundings.disabled, catalogue)
        self._directory = text.path.resolve().parent

    def load(self) -> Loaded:
        value = self._text.value
        if not isinstance(value, dict):
            self._text.problem((), "a pipeline file is a mapping. Start with 'pipelines:'")
            self._text.raise_problems()
        self._expand_steps(value)
        checked = document.check(Document, value, self._text, ())
        pipelines = [
            built
            for name, config in self._configs(checked, value)
            if (built := self._build(name, config)) is not None
        ]
        for text in self._left_out.unknown():
            self._text.problem((), text)
        if isinstance(checked, Document):
            self._check_claims(checked, pipelines)
        self._text.raise_problems()
        if not isinstance(checked, Document):
            raise AssertionError("a document with problems was raised above")
        state = (self._directory / Path(checked.state).expanduser()).resolve()
        for pipeline in pipelines:
            for step in pipeline.steps:
                step.component.context.scratch = state / "scratch" / pipeline.name / step.name
                step.component.context.mirrors = state / "mirrors"
        return Loaded(self._text.path.resolve(), checked, tuple(pipelines), frozenset(self._text.secrets))

    def _expand_steps(self, value: dict[str, Any]) -> None:
        """Let a bare name stand for a step without settings, and no ``with`` for an empty one."""
        pipelines = value.get("pipelines")
        for pipeline in pipelines.values() if isinstance(pipelines, dict) else ():
            if not isinstance(pipeline, dict):
                continue
            for kind in KINDS:
                steps = pipeline.get(kind)
                if not isinstance(steps, list):
                    continue
                for index, step in enumerate(steps):
                    if isinstance(step, str):
                        steps[index] = {"uses": step}
                    elif isinstance(step, dict) and step.get("with", {}) is None:
                        step["with"] = {}

    def _configs(self, checked: Any, value: dict[str, Any]) -> Iterator[tuple[str, PipelineConfig]]:
        """Yield the pipelines that can be looked into, so that one mistake does not hide others."""
        if isinstance(checked, Document):
            yield from checked.pipelines.items()
            return
        pipelines = value.get("pipelines")
        for name, raw in pipelines.items() if isinstance(pipelines, dict) else ():
            for kind in KINDS:
                steps = raw.get(kind) if isinstance(raw, dict) else None
                for index, step in enumerate(steps if isinstance(steps, list) else ()):
                    if isinstance(step, dict) and isinstance(step.get("uses"), str):
                        settings = step.get("with", {})
                        is_left_out = self._left_out.has(kind, step["uses"], str(step.get("name") or ""))
                        if not isinstance(settings, dict) or is_left_out:
                            continue
                        if step.get("isolation") == "process":
                            context = Context(pipeline=name, logger=self._surroundings.logger)
                            self._apart(kind, index, step["uses"], settings, Limits(), context)
                        else:
                            self._settings(name, kind, index, step["uses"], settings)

    def _build(self, name: str, config: PipelineConfig) -> Pipeline | None:
        count = len(self._text.problems)
        config = self._with_absolute_repository(config)
        steps: list[Step] = []
        for kind in KINDS:
            seen: set[str] = set()
            for index, written in enumerate(getattr(config, kind)):
                if self._left_out.has(kind, written.uses, written.name):
                    continue
                step = self._step(name, config, kind, index, written)
                if step is None:
                    continue
                if step.name in seen:
                    place = ("pipelines", name, kind, index)
                    self._text.problem(
                        place, f"another step is called '{step.name}'. Give one of them a 'name:'"
                    )
                seen.add(step.name)
                steps.append(step)
        if not config.detectors:
            steps.extend(self._installed_detectors(name, config))
        self._check_triggers(name, steps)
        self._check_agreement(name, config, steps)
        if config.sources and not any(step.kind == "sources" for step in steps) and self._left_out.found:
            self._text.problem(("pipelines", name), "--disable leaves it no source. Leave it one")
        return Pipeline(name, config, steps) if len(self._text.problems) == count else None

    def _check_triggers(self, pipeline: str, steps: list[Step]) -> None:
        """Note which detectors nobody can search for; leave those out that the pipeline does not name."""
        detectors = [step for step in steps if isinstance(step.component, LogDetector)]
        components = [step.component for step in detectors if isinstance(step.component, LogDetector)]
        written = self._text.value["pipelines"][pipeline].get("detectors") or []
        for index, error in check_triggers(components):
            step = detectors[index]
            at = next((at for at, one in enumerate(written) if one["uses"] == step.uses), None)
            if at is None:
                self._tell_of_left_out(pipeline, step.uses, error)
                steps.remove(step)
            else:
                place: Place = ("pipelines", pipeline, "detectors", at, "with")
                self._text.problem(place, str(error), where=_label("detectors", at, step.uses))

    def _check_agreement(self, pipeline: str, config: PipelineConfig, steps: Sequence[Step]) -> None:
        """Refuse rules that name what is not there."""
        known = self._catalogue.names("detectors")
        for place, text in (*wrong_routes(config), *wrong_grouping(config, steps, known)):
            self._text.problem(("pipelines", pipeline, *place), text)

    def _check_claims(self, document: Document, pipelines: Sequence[Pipeline]) -> None:
        """Refuse sources of which only one can have what they want; run by themselves, each could."""
        sources = [(one.name, step) for one in pipelines for step in one.of_kind("sources")]
        for pipeline, step, text in double_claims(document.serve, sources):
            written = [one.name or short_name(one.uses) for one in document.pipelines[pipeline].sources]
            index = written.index(step.name)
            place: Place = ("pipelines", pipeline, "sources", index)
            self._text.problem(place, text, where=_label("sources", index, step.uses))

    def _with_absolute_repository(self, config: PipelineConfig) -> PipelineConfig:
        """Let a relative path of the repository start at the pipeline file."""
        repository = config.repository
        if repository is None or not repository.url.startswith(("./", "../", "~")):
            return config
        url = str((self._directory / Path(repository.url).expanduser()).resolve())
        return config.model_copy(update={"repository": repository.model_copy(update={"url": url})})

    def _step(
        self, pipeline: str, config: PipelineConfig, kind: str, index: int, written: Any
    ) -> Step | None:
        name = written.name or short_name(written.uses)
        mode = getattr(written, "mode", "")
        if written.isolation == "process":
            context = self._context(pipeline, name, config)
            stand_in = self._apart(kind, index, written.uses, written.with_, written.limits, context)
            if stand_in is None:
                return None
            return Step(kind, name, written.uses, stand_in, mode, written.limits, is_apart=True)
        settings = self._settings(pipeline, kind, index, written.uses, written.with_)
        if settings is None:
            return None
        component_type, checked = settings
        place: Place = ("pipelines", pipeline, kind, index)
        try:
            component = make_component(component_type, checked, self._context(pipeline, name, config))
            if self._is_thorough:
                check_component(component)
        except UserError as error:
            self._text.problem((*place, "with"), str(error), where=_label(kind, index, written.uses))
            return None
        return Step(kind, name, written.uses, component, mode, written.limits)

    @cached_property
    def _nursery(self) -> Nursery:
        from aiops_core.isolation import Nursery

        return Nursery()

    def _apart(
        self, kind: str, index: int, uses: str, settings: Mapping[str, Any], limits: Limits, context: Context
    ) -> Component[Any] | None:
        """Let a process of its own look at a component and its settings; note what is wrong.

        Return what stands for the component.
        """
        from aiops_core.isolation import describe, isolated, make_order

        place: Place = ("pipelines", context.pipeline, kind, index)
        label = _label(kind, index, uses)
        if kind == "extensions":
            text = "an extension sees into the calls of others, and cannot be apart. Leave it out"
            self._text.problem((*place, "isolation"), text, where=f"{label}: isolation")
            return None
        below = (*place, "with")
        empty = {at[len(below) :]: name for at, name in self._text.empty.items() if at[: len(below)] == below}
        order = make_order(
            kind, uses, self._directory, settings, limits,
            label=label, empty=empty, is_thorough=self._is_thorough,
        )  # fmt: skip
        try:
            process, terms = describe(order, context, self._nursery)
        except AiopsError as error:
            self._text.problem((*place, "uses"), str(error), where=label)
            return None
        for mistake in terms.mistakes:
            self._text.problem((*place, mistake.key, *mistake.place), mistake.text, where=mistake.label)
        return None if terms.mistakes else isolated(kind, process, terms, limits)

    def _settings(
        self, pipeline: str, kind: str, index: int, uses: str, settings: Mapping[str, Any]
    ) -> tuple[type[Component[Any]], Config] | None:
        """Find the class and check its settings; note what is wrong."""
        place: Place = ("pipelines", pipeline, kind, index)
        label = _label(kind, index, uses)
        try:
            component_type = self._catalogue.load(kind, uses, self._directory)
        except AiopsError as error:
            self._text.problem((*place, "uses"), str(error), where=label)
            return None
        checked = document.check(
            component_type.config_type, settings, self._text, (*place, "with"), where=label
        )
        return (component_type, checked) if isinstance(checked, Config) else None

    def _installed_detectors(self, pipeline: str, config: PipelineConfig) -> Iterator[Step]:
        """Take every installed detector that needs no settings; a broken one, which nobody named, is left out."""
        for name in self._catalogue.unnamed_detectors():
            if self._left_out.has("detectors", name):
                continue
            try:
                component_type = self._catalogue.load("detectors", name, self._directory)
            except AiopsError as error:
                self._tell_of_left_out(pipeline, name, error)
                continue
            if (settings := default_config(component_type)) is None:
                continue
            context = self._context(pipeline, name, config)
            try:
                component = make_component(component_type, settings, context)
            except UserError as error:
                self._tell_of_left_out(pipeline, name, error)
                continue
            yield Step("detectors", name, name, component)

    def _tell_of_left_out(self, pipeline: str, detector: str, error: AiopsError) -> None:
        self._surroundings.logger.warning("%s: detector '%s' is left out: %s", pipeline, detector, error)

    def _context(self, pipeline: str, name: str, config: PipelineConfig) -> Context:
        return Context(
            pipeline=pipeline,
            name=name,
            logger=self._surroundings.logger.getChild(f"{pipeline}.{name}"),
            stopping=self._surroundings.stopping,
            once=self._surroundings.once,
            directory=self._directory,
            repository=config.repository,
            language=config.language,
        )


def _label(kind: str, index: int, uses: str) -> str:
    return f"{kind}[{index}] ({uses})"

"""What a child process must know to wire a processor as its worker would."""

from importlib import import_module
from typing import Any

from pydantic import SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from framework.app.discovery import Declarations, collect
from framework.app.modules import Found
from framework.app.selection import Selection
from framework.app.settings import Settings
from framework.declare.spec import ProcessorSpec
from framework.errors import DiscoveryError
from framework.worker.child_process import Wiring
from framework.worker.frames import Message


def wiring_of(spec: ProcessorSpec, declarations: Declarations, settings: Settings) -> Wiring:
    """Return what the children of a processor are told first."""
    facts = {
        "package": declarations.package,
        "modules": modules_of(declarations),
        "processor": spec.title,
        "settings": settings_facts(settings),
    }
    return Wiring(spec.title, spec.queue, Message("wire", facts))


def modules_of(declarations: Declarations) -> list[str]:
    """Return the modules that hold all declarations, in the order of their import."""
    if declarations.modules:
        return list(declarations.modules)
    targets = [one.target for one in declarations.processors]
    targets += [one.target for one in declarations.providers]
    return list(dict.fromkeys(target.__module__ for target in targets))


def rewire(facts: dict[str, Any]) -> tuple[ProcessorSpec, Declarations, Settings]:
    """Import what the worker imported; return the processor, all declarations, the settings.

    Raises:
        DeclarationError: Something cannot be declared here as it was there.
    """
    found = Found(tuple(import_module(name) for name in facts["modules"]))
    declarations = collect(found, Selection(facts["package"]))
    title = facts["processor"]
    for spec in declarations.processors:
        if spec.title == title:
            return spec, declarations, settings_from(facts["settings"])
    raise DiscoveryError(
        f"{title} is not there when its module is imported anew",
        fix="declare it at module level, under its own name and under no condition",
    )


def settings_facts(settings: Settings) -> dict[str, Any]:
    """Word settings with their secrets: they go through a socket pair and nowhere else."""
    kind = type(settings)
    values = reveal(settings.model_dump(exclude_unset=True))
    return {"kind": [kind.__module__, kind.__qualname__], "values": to_jsonable_python(values)}


def settings_from(facts: dict[str, Any]) -> Settings:
    """Return the settings that were worded."""
    module, name = facts["kind"]
    kind: type[Settings] = getattr(import_module(module), name)
    return kind(**facts["values"])


def reveal(value: object) -> Any:  # noqa: ANN401 - what the settings hold
    """Return a value with the secrets in it laid open."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, SecretBytes):
        return value.get_secret_value().decode()
    if isinstance(value, dict):
        return {key: reveal(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [reveal(each) for each in value]
    return value

"""What to say when a type is provided by no one, or by two."""

import difflib
from collections.abc import Iterable, Mapping

from framework.di.expression import candidates, origin_of, spell
from framework.errors import DependencyError

SIMILAR = 0.5  # of difflib's ratio: "Smtp" and "SmtpModule" count as near


def fix_for(
    wants: object,
    provided: Mapping[object, str],
    others: Iterable[object],
    seeds: Iterable[object] = (),
) -> str:
    """Return how to mend a missing provider.

    Args:
        wants: What nothing provides.
        provided: The place of each provider, by what it provides.
        others: What else can be asked for.
        seeds: What each run brings along, where this is asked for.
    """
    wanted = [wants, *candidates(wants)][-1]
    for seed in seeds:
        if are_kin(wanted, seed):
            return f"ask for {spell(seed)}: that is the one where this runs"
    for found, place in provided.items():
        if is_subclass(found, wanted):
            return (
                f"provided: {spell(found, full=True)} ({place}), a subclass; "
                f"annotate the provider's return type as {spell(wanted)}"
            )
    near = near_misses(wanted, [*provided, *others])
    hint = f"; near misses: {', '.join(near)}" if near else ""
    if isinstance(wanted, type) and wanted.__module__ == "builtins":
        return (
            f"give it a default, or ask for a type of your own: {wanted.__name__} does not say "
            f"which one{hint}"
        )
    return f"write a @provider function that returns it{hint}"


def are_kin(wanted: object, seed: object) -> bool:
    """Tell whether two types are of one package and one's name ends with the other's."""
    if not (isinstance(wanted, type) and isinstance(seed, type)):
        return False
    homes = {one.__module__.partition(".")[0] for one in (wanted, seed)}
    names = sorted((wanted.__name__, seed.__name__), key=len)
    return len(homes) == 1 and names[1].endswith(names[0])


def is_subclass(found: object, wanted: object) -> bool:
    """Tell whether ``found`` is a class below ``wanted``."""
    if not (isinstance(found, type) and isinstance(wanted, type)):
        return False
    try:
        return wanted is not object and found is not wanted and issubclass(found, wanted)
    except TypeError:  # a protocol that is not runtime_checkable
        return wanted in found.__mro__


def near_misses(wanted: object, known: Iterable[object]) -> list[str]:
    """Return the full spelling of what has a similar name, or arguments that differ."""
    by_name: dict[str, list[str]] = {}
    for one in known:
        by_name.setdefault(spell(origin_of(one)), []).append(spell(one, full=True))
    names = difflib.get_close_matches(spell(origin_of(wanted)), by_name, cutoff=SIMILAR)
    return [full for name in names for full in by_name[name] if full != spell(wanted, full=True)]


def twice(provides: object, first: str, second: str) -> DependencyError:
    """Word that two providers make the same type."""
    return DependencyError(
        f"{spell(provides, full=True)} has two providers: {first} and {second}",
        where=second,
        fix='remove one, or tell them apart: Annotated[…, "name"] in the return type and '
        "where it is asked for",
    )

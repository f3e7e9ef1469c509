"""Tells of which types a checked value can be written without a closer look.

pydantic warns while it writes a value that does not look like its type. To have it raise instead
takes several times as long as to write a number, and never says anything of a value that its own
check has just made.
"""

from collections.abc import Mapping
from typing import Any

SCALARS = frozenset(
    {
        *("none", "bool", "int", "float", "decimal", "str", "bytes", "literal", "uuid"),
        *("date", "time", "datetime", "timedelta"),
    }
)
HOLDERS = {"list": "items_schema", "set": "items_schema", "frozenset": "items_schema"}


def is_plain(schema: Mapping[str, Any]) -> bool:
    """Tell whether checking makes each value of a pydantic schema anew, as it is to be written.

    Not so where instances are taken as they are (models, dataclasses), where anything goes, or
    where somebody's own functions have a say.
    """
    if "serialization" in schema:
        return False
    kind = schema["type"]
    match kind:
        case "nullable":
            return is_plain(schema["schema"])
        case "dict":
            return all(map(is_plain, (schema["keys_schema"], schema["values_schema"])))
        case "tuple":
            return all(map(is_plain, schema["items_schema"]))
        case _ if kind in HOLDERS:
            return is_plain(schema[HOLDERS[kind]])
    return kind in SCALARS

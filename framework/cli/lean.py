"""Imports structlog without rich, for processes that show no tracebacks of rich's.

structlog takes along all of it where it is installed: a tenth of the time in which a worker
process begins, and 3 MB of its memory. Import this before anything that imports structlog.
"""

import sys
from importlib import import_module

RICH = "rich"

if RICH not in sys.modules:
    sys.modules[RICH] = None  # type: ignore[assignment]  # "not installed", to the import system
    try:
        import_module("structlog")
    finally:
        del sys.modules[RICH]

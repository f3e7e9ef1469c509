"""The ``framework`` command: it begins what a plain line asks for, or reads the line in full."""

import os
import sys
from pathlib import Path

from framework.cli.plain_run import read_plain_run


def main() -> None:
    """Run the command line."""
    # As `python -m` does: packages of the working directory can be imported.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    wanted = read_plain_run(sys.argv[1:], os.environ)
    if wanted is None:
        from framework.cli.commands import app

        app()
        return
    from framework.cli.endings import clear_endings
    from framework.cli.run import run_package

    with clear_endings():
        sys.exit(run_package(**wanted))


if __name__ == "__main__":
    main()

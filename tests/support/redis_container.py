"""A program that runs Redis in a container until its input ends.

Separate from the tests: it can be killed when it takes too long, and what its libraries warn
about is no concern of theirs.
"""

import os
import sys

from testcontainers.core.container import DockerContainer

PORT = 6379


def main() -> None:
    """Start the container, write its address, and wait."""
    image = os.environ.get("FRAMEWORK_TEST_IMAGE", "redis:7-alpine")
    with DockerContainer(image).with_exposed_ports(PORT) as container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(PORT)
        sys.stdout.write(f"redis://{host}:{port}/0\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()

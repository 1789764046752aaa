"""Waits on a listening socket, and becomes the server behind it when somebody connects.

`python -S on_demand.py FD COMMAND…`: the command gets `--fd FD`. It costs a stack that nobody asks for this
service no more than a sleeping process. Standard library only, and as little of it as there is.
"""

import os
import select
import sys

if __name__ == "__main__":
    descriptor, command = int(sys.argv[1]), sys.argv[2:]
    # The connection stays in the socket's queue for the server.
    select.select([descriptor], [], [])
    os.execv(command[0], [*command, "--fd", str(descriptor)])  # noqa: S606 - the launcher's own command

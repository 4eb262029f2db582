"""Ports that a test has to name before anybody listens at them."""
import errno
import random
import socket

# Below the range that the kernel gives out, so that no program beside takes it meanwhile.
FIRST, LAST = 10240, 32767


def free_port():
    while True:
        port = random.randint(FIRST, LAST)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError as err:
                if err.errno != errno.EADDRINUSE:
                    raise
            else:
                return port

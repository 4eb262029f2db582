"""What a test needs that runs something as another user than its own."""
import os

import pytest

NOBODY = 65534
takes_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to be another user")


def open_to_everybody(folder):
    """The folder and those above it, as far as they are ours."""
    while folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o002:
        folder.chmod(0o755)
        folder = folder.parent

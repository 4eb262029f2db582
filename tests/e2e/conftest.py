"""Fixtures of the end-to-end tests."""
import pytest

from awssim import Awssim


@pytest.fixture
def awssim(tmp_path):
    """A function that starts a simulated AWS with the given flags; ended after the test."""
    running = []

    def start(**flags):
        folder = tmp_path / f"awssim-{len(running)}"
        folder.mkdir()
        sim = Awssim(folder=folder, **flags).start()
        running.append(sim)
        return sim

    yield start
    codes = [sim.stop() for sim in running]
    assert all(code in (0, None) for code in codes), [sim.log.read_text() for sim in running]

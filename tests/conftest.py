"""Settings and fixtures common to all tests."""

from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# A shared machine is slow now and then: an example that takes long is not a failure.
hypothesis.settings.register_profile("clockwork", deadline=None)
hypothesis.settings.load_profile("clockwork")


@pytest.fixture(scope="session")
def root():
    """Path of the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared():
    """Path of ../shared, recorded outputs and real video beside the clone; skips where absent."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("needs the folder ../shared with recorded outputs and real data")
    return path

"""What all tests share: one torch thread, the hypothesis profile, skips for missing extras."""

import doctest
import os
import re

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports torch: one thread each, as the tests themselves run in parallel, and as
# two thread counts give different weights.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"

settings.register_profile(
    "glassclf",
    deadline=None,
    max_examples=10 if QUICK else 50,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("glassclf")

MISSING_EXTRA = re.compile(r'needs \S+: pip install "glassclf\[\w+\]"')


class SkipMissingExtras:
    """Skip a test that meets the message about a missing extra; with all extras none does."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        try:
            return (yield)
        except ImportError as error:
            skip_if_extra_is_missing(error)
            raise
        except doctest.UnexpectedException as error:
            skip_if_extra_is_missing(error.exc_info[1])
            raise


def skip_if_extra_is_missing(error):
    if isinstance(error, ImportError) and MISSING_EXTRA.search(str(error)):
        pytest.skip(str(error))


def pytest_configure(config):
    # As a plugin of its own it also sees the doctests of the installed package.
    config.pluginmanager.register(SkipMissingExtras(), "skip-missing-extras")

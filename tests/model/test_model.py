"""The whole HTTP API against a plain model of the contract: a Hypothesis state machine sends real requests to a real server.

A short walk, always the same, is part of `make test`. `make model MINUTES=10` walks at random, and shows what to do again.
"""

import os
import random
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from . import values
from .stories import Stories
from .tag_rules import TagRules
from .wire import Host

MINUTES = float(os.environ.get("MODEL_MINUTES", "0"))  # to walk at random; 0 for the short walks alone
SEED = os.environ.get("MODEL_SEED")  # of the first walks at random
BASE = settings(deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
SAME = settings(BASE, derandomize=True, database=None, max_examples=10, stateful_step_count=60)
RANDOM = settings(BASE, max_examples=40, stateful_step_count=60)
RESTARTS_ONE_IN = 30

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the server's processes in /proc")


class Walk(Stories, TagRules):
    """One workspace, from nothing on. What the rules do is in their own files; here is what may come between any two of them."""

    @rule(chance=st.sampled_from(range(RESTARTS_ONE_IN)))
    def kill_and_start(self, chance: int) -> None:
        if chance == RESTARTS_ONE_IN - 1:
            self.host.kill_and_start()
            self.comparison.everything(3)

    @rule(per_page=values.per_page)
    def compare(self, per_page: int) -> None:
        self.comparison.everything(per_page)

    @invariant()
    def totals(self) -> None:
        self.comparison.totals()

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.comparison.everything(2)
        finally:
            self.api.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("model")) as host:
        yield host


def walks() -> Iterator[tuple[settings, int | None]]:
    """The settings and the seed of each run. Where time is short a walk that fails is shown as it was, and not made shorter first."""
    ends_at = time.monotonic() + 60 * MINUTES
    yield (SAME, None) if MINUTES else (settings(SAME, phases=[Phase.generate]), None)
    number = int(SEED) if SEED else random.SystemRandom().randrange(1 << 32)
    while time.monotonic() < ends_at:
        print(f"{RANDOM.max_examples} walks of up to {RANDOM.stateful_step_count} steps; again: make model SEED={number}", flush=True)
        yield RANDOM, number
        number += 1


def test_the_server_answers_as_the_model_of_the_contract(host: Host) -> None:
    class Served(Walk):
        pass

    Served.host = host
    for chosen, number in walks():
        run_state_machine_as_test(Served if number is None else seed(number)(Served), settings=chosen)
    status, said = host.check()
    assert status == 0, said
    assert "Traceback" not in host.server.log.read_text("utf-8")

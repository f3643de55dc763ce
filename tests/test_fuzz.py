"""The corpus of the fuzzer and everything it ever found, given to the same functions again. `make fuzz` looks for more."""

import pytest

from fuzz.targets import CORPUS_MAX, FINDINGS, SIZE_MAX, TARGETS, saved

FINDINGS_MAX = 40  # of one target


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if not target.timed])
def test_what_the_fuzzer_keeps_does_no_harm(name: str) -> None:
    run, inputs = TARGETS[name].load(), list(saved(name))
    assert 0 < len(inputs) <= CORPUS_MAX + FINDINGS_MAX
    for each in inputs:
        data = each.read_bytes()
        assert len(data) <= SIZE_MAX
        run(data)


def test_every_finding_belongs_to_a_target() -> None:
    assert {each.name for each in FINDINGS.iterdir()} <= set(TARGETS)

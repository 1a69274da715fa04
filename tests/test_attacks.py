"""Every attack gets what it must get, learns nothing, leaves nothing, and harms nobody."""

from __future__ import annotations

import pytest

from tests.attacks.ground import Ground
from tests.attacks.harness import grade
from tests.attacks.suite import ATTACKS

JOBS = 4  # more than there are processors: much of the time an attack makes the grader wait
# The walls that stand in for the best one are tried with some attacks of every kind.
SAMPLE = (
    "input_transformer", "showtraceback", "cell_events", "patched_numpy", "equal_to_all", "lying_class", "nan",
    "os_exit", "kills_itself", "kills_group", "kills_a_stranger", "ptrace", "threads", "daemon_from_call",
    "subprocess_outlives", "endless_call", "reads_secret", "reads_environment", "open_descriptors", "writes_course",
    "shadow_numpy", "links", "forged_result", "forged_reply", "reply_pickle", "reply_records", "reply_from_daemon",
    "memory_in_cell", "memory_of_memfd", "disk", "stdout_flood", "tcp", "unix_socket", "abstract_socket",
    "new_namespaces", "rare_system_calls", "gains_privileges", "changed_points", "forged_verdicts",
    "memorises_public_cases", "tells_a_later_cell", "walks_objects", "collude_a", "collude_b",
)  # fmt: skip
SAMPLES = [attack for attack in ATTACKS if attack.name in SAMPLE]
WITHOUT_NAMESPACES = [attack for attack in SAMPLES if not attack.only_walls]


def name(attack) -> str:
    return attack.name


@pytest.fixture(scope="module")
def nested():
    with Ground(ATTACKS) as ground:
        yield grade(ground, sandbox="bwrap", wall="nested", jobs=JOBS, again=("collude_b",))


@pytest.fixture(scope="module")
def alone():
    with Ground(SAMPLES) as ground:
        yield grade(ground, sandbox="bwrap", wall="bwrap", jobs=JOBS, again=("collude_b",))


@pytest.fixture(scope="module")
def limits():
    with Ground(WITHOUT_NAMESPACES) as ground:
        yield grade(ground, sandbox="process", jobs=JOBS)


def test_there_are_many_attacks():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 45
    assert len(SAMPLES) == len(SAMPLE)


@pytest.mark.bubblewrap
@pytest.mark.parametrize("attack", ATTACKS, ids=name)
def test_attack(nested, attack):
    assert nested.against(attack) == []


@pytest.mark.bubblewrap
def test_the_class_and_the_machine_are_as_if_nobody_had_attacked(nested):
    assert nested.around() == []


@pytest.mark.bubblewrap
@pytest.mark.parametrize("attack", SAMPLES, ids=name)
def test_attack_on_a_sandbox_for_each_submission(alone, attack):
    assert alone.against(attack) == []


@pytest.mark.bubblewrap
def test_the_class_is_as_if_nobody_had_attacked_a_sandbox_for_each_submission(alone):
    assert alone.around() == []


@pytest.mark.parametrize("attack", WITHOUT_NAMESPACES, ids=name)
def test_attack_on_limits_alone(limits, attack):
    assert limits.against(attack) == []


def test_the_class_is_as_if_nobody_had_attacked_limits_alone(limits):
    assert limits.around() == []

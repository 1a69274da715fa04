"""Every attack gets what it must get, learns nothing, leaves nothing, and harms nobody."""

from __future__ import annotations

import pytest

from tests.attacks.ground import Ground
from tests.attacks.harness import grade
from tests.attacks.suite import ATTACKS

pytestmark = pytest.mark.bubblewrap


@pytest.fixture(scope="module")
def evidence():
    with Ground(ATTACKS) as ground:
        yield grade(ground, sandbox="bwrap", again=("collude_b",))


def test_there_are_many_attacks():
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 45


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(evidence, attack):
    assert evidence.against(attack) == []


def test_the_class_and_the_machine_are_as_if_nobody_had_attacked(evidence):
    assert evidence.around() == []

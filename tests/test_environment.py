"""PyTorch is made ready in the background where a learner works, and only there."""

import sys
import threading

import pytest

from course_utils import environment


@pytest.mark.parametrize(
    ("jupyter", "execution", "prepared"), [(True, "", True), (True, "autograde", False), (False, "", False)]
)
def test_pytorch_is_prepared_only_where_a_learner_works(monkeypatch, jupyter, execution, prepared):
    done = threading.Event()
    started = []

    class Watched(threading.Thread):
        def start(self):
            started.append(self)
            super().start()

    monkeypatch.setattr(environment, "in_jupyter", lambda: jupyter)
    monkeypatch.setenv("NBGRADER_EXECUTION", execution)
    monkeypatch.setattr(environment, "_prepare_torch", done.set)
    monkeypatch.setattr(environment.threading, "Thread", Watched)
    environment.warm_up()
    for thread in started:
        thread.join()
    assert done.is_set() == prepared
    assert all(thread.daemon for thread in started)  # never keeps a kernel from ending


def test_preparing_runs_a_backward_pass_from_a_given_gradient(monkeypatch):
    import torch

    given = []
    backward = torch.Tensor.backward

    def watched(tensor, gradient=None):
        given.append(gradient)
        return backward(tensor, gradient)

    monkeypatch.setattr(torch.Tensor, "backward", watched)
    environment._prepare_torch()
    assert len(given) == 1
    assert given[0] is not None


def test_preparing_without_pytorch_does_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    environment._prepare_torch()

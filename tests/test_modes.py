"""The modes of a thread: whether ops are recorded, and whether the first NaN stops the program."""

import inspect
import threading

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import AnomalyError
from lucidgrad.ops import Op, shapes
from lucidgrad.tensor import Tensor

# --- modes -------------------------------------------------------------------------------------------------------


def test_no_grad_and_enable_grad_nest():
    x = Tensor(1.0)
    with lg.no_grad():
        a = x * 2
        with lg.enable_grad():
            b = x * 2
            with lg.no_grad():
                c = x * 2
        d = x * 2
    e = x * 2
    assert [t.requires_grad for t in (a, b, c, d, e)] == [False, True, False, False, True]


def test_modes_are_put_back_when_something_goes_wrong():
    with pytest.raises(ZeroDivisionError), lg.no_grad():
        _ = 1 / 0
    assert (Tensor(1.0) * 2).requires_grad
    bad = Op("bad", lambda x: x * 1.0, shapes.elementwise, (lambda g, y, x: g * ()[x.size],))
    with pytest.raises(IndexError):
        bad(Tensor(1.0)).backward()
    assert (Tensor(1.0) * 2).requires_grad
    with lg.detect_anomaly(), pytest.raises(IndexError):
        bad(Tensor(1.0)).backward()
    with lg.detect_anomaly(), pytest.raises(AnomalyError):
        Tensor(0.0).log()


def test_one_switch_can_be_entered_twice():
    switch = lg.no_grad()
    with switch, switch:
        pass
    assert (Tensor(1.0) * 2).requires_grad


def test_modes_work_as_decorators_also_of_functions_that_call_themselves():
    @lg.no_grad()
    def count_down(x: Tensor, n: int) -> list[bool]:
        """Counts."""
        return [(x * 2).requires_grad, *(count_down(x, n - 1) if n else [])]

    @lg.enable_grad()
    def double(x: Tensor) -> Tensor:
        return x * 2

    assert count_down(Tensor(1.0), 2) == [False] * 3
    assert count_down.__doc__ == "Counts."
    with lg.no_grad():
        assert double(Tensor(1.0)).requires_grad
    assert (Tensor(1.0) * 2).requires_grad


def test_detach_cuts_the_history_and_shares_the_elements():
    x = Tensor(3.0)
    y = x * x
    z = y.detach()
    assert (z.requires_grad, z.raw is y.raw) == (False, True)
    (z * x).backward()
    assert x.grad.item() == 9


def test_grad_inside_of_no_grad_still_records_when_asked_to():
    x = Tensor(2.0)
    y = x**3
    with lg.no_grad():
        assert lg.grad(lg.grad(y, x), x).item() == 12


def test_threads_do_not_share_modes():
    seen: dict[str, bool] = {}
    inside, done = threading.Event(), threading.Event()

    @lg.no_grad()
    def in_a_decorated_function() -> None:
        inside.set()
        done.wait(10)
        seen["decorated"] = (Tensor(1.0) * 2).requires_grad

    def work() -> None:
        in_a_decorated_function()
        seen["after"] = (Tensor(1.0) * 2).requires_grad

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    seen["main"] = (Tensor(1.0) * 2).requires_grad
    with lg.no_grad():
        done.set()
        thread.join()
        seen["main inside"] = (Tensor(1.0) * 2).requires_grad
    assert seen == {"decorated": False, "after": True, "main": True, "main inside": False}


# --- anomalies ---------------------------------------------------------------------------------------------------


def line() -> int:
    """The number of the line it is called on."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_anomaly_mode_names_the_op_and_the_line_that_made_the_first_nan():
    x = Tensor([1.0, -1.0])
    here = line() + 2
    with lg.detect_anomaly(), pytest.raises(AnomalyError) as caught:
        (x * 2).log().exp()
    assert str(caught.value).startswith("log made NaN from finite numbers (in test_anomaly_mode_names_the_op_and")
    assert f"{__file__}, line {here})" in str(caught.value)


def test_anomaly_mode_tells_infinities_from_nan():
    with lg.detect_anomaly(), pytest.raises(AnomalyError, match="exp made an infinity"):
        Tensor(1000.0).exp()
    with lg.detect_anomaly():
        assert (Tensor(np.inf) * 2).item() == np.inf  # what went in was not finite already


def test_anomaly_mode_names_the_op_and_the_line_whose_gradient_is_not_finite():
    x = Tensor(0.0)
    with lg.detect_anomaly():
        here = line() + 1
        y = x.sqrt()
        with pytest.raises(AnomalyError) as caught:
            (y * 2).backward()
    message = str(caught.value)
    assert "the gradient of sqrt with respect to its input 0 is not finite" in message
    assert f"line {here})" in message


def test_anomaly_mode_knows_no_line_of_what_was_recorded_before():
    y = Tensor(0.0).sqrt()
    with lg.detect_anomaly(), pytest.raises(AnomalyError, match="recorded outside of detect_anomaly"):
        y.backward()


def test_anomaly_mode_does_not_stop_at_infinities_that_a_rule_covers():
    x, b = Tensor([0.0, 2.0]), Tensor([1.0, 2.0])
    with lg.detect_anomaly():
        dx, db = lg.grad((x**b).sum(), [x, b])
    assert dx.tolist() == [1, 4]
    assert db.numpy() == pytest.approx([0, 4 * np.log(2)])


def test_without_anomaly_mode_nan_passes_through_without_a_warning():
    x = Tensor([0.0, -1.0])
    y = x.log().sum()
    y.backward()
    assert np.isnan(y.item())
    assert x.grad.tolist() == [np.inf, -1]

"""Small problems drawn from a seed."""

import math

import numpy as np
import pytest

from lucidgrad.data import blobs, circles, moons, polynomial, sine, spirals, step, xor
from lucidgrad.errors import ArgumentError

CLASSES = [xor, moons, circles, spirals, blobs]
CURVES = [sine, step, polynomial]


@pytest.mark.parametrize("draw", CLASSES + CURVES)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(draw):
    (x, y), (x_again, y_again), (x_other, _) = draw(101, seed=3), draw(101, seed=3), draw(101, seed=4)
    assert x.tobytes() == x_again.tobytes()
    assert y.tobytes() == y_again.tobytes()
    assert x.tobytes() != x_other.tobytes()
    assert np.isfinite(x).all()


@pytest.mark.parametrize("draw", CLASSES)
def test_classes_are_even_and_mixed(draw):
    x, y = draw(120)
    assert (x.shape, x.dtype) == ((120, 2), np.float32)
    assert (y.shape, y.dtype) == ((120,), np.int64)
    sizes = np.bincount(y)
    assert sizes.max() - sizes.min() == 0
    # In order of class there would be one change from each class to the next.
    assert (np.diff(y) != 0).sum() > 20


@pytest.mark.parametrize("draw", CURVES)
def test_a_curve_has_one_feature_and_one_target(draw):
    x, y = draw(50)
    assert x.shape == y.shape == (50, 1)
    assert x.dtype == y.dtype == np.float32


@pytest.mark.parametrize("draw", CURVES)
def test_noise_has_the_spread_that_was_asked_for(draw):
    noise = draw(4000, noise=0.5, seed=1)[1] - draw(4000, noise=0, seed=1)[1]
    assert abs(noise.mean()) < 0.04
    assert noise.std() == pytest.approx(0.5, rel=0.05)


def test_no_line_parts_xor():
    # The best linear rule has three corners right.
    x, y = xor(400, noise=0, seed=0)
    w, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(400)]), y * 2 - 1, rcond=None)
    assert np.abs(w).max() < 1e-6
    assert np.array_equal(y, x[:, 0] != x[:, 1])


def test_moons_are_half_circles():
    x, y = moons(100, noise=0)
    upper, lower = x[y == 0], 1 - x[y == 1] - np.array([0, 0.5])
    for half in (upper, lower):
        assert np.allclose((half**2).sum(axis=1), 1, atol=1e-6)
        assert half[:, 1].min() > -1e-6


def test_circles_have_the_radii_that_were_asked_for():
    x, y = circles(101, noise=0, factor=0.3)
    radius = np.sqrt((x**2).sum(axis=1))
    assert np.allclose(radius, np.where(y == 1, 0.3, 1), atol=1e-6)
    assert (y == 0).sum() == 51


def test_spirals_wind_as_often_as_they_are_told():
    x, y = spirals(2000, classes=2, turns=2, noise=0)
    arm = x[y == 0]
    arm = arm[np.argsort((arm**2).sum(axis=1))]
    turned = np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))
    assert (turned[-1] - turned[0]) / (2 * math.pi) == pytest.approx(2 * 0.95, abs=0.01)


def test_samples_that_do_not_come_out_even_go_to_the_first_classes():
    assert np.bincount(spirals(11, classes=3)[1]).tolist() == [4, 4, 3]


def test_blobs_lie_around_the_centers_that_were_given():
    x, y = blobs(3000, centers=[[0, 0], [10, 5]], spread=0.5)
    assert np.allclose(x[y == 1].mean(axis=0), [10, 5], atol=0.06)
    assert x[y == 0].std() == pytest.approx(0.5, rel=0.05)


def test_blobs_of_a_number_lie_apart():
    x, y = blobs(300, centers=6, spread=0)
    middles = np.array([x[y == label][0] for label in range(6)])
    distances = np.sqrt(((middles[:, None] - middles) ** 2).sum(-1))
    assert distances[~np.eye(6, dtype=bool)].min() == pytest.approx(3, abs=1e-5)


def test_a_polynomial_takes_its_coefficients_from_the_constant_upwards():
    x, y = polynomial(20, coefficients=(1, 0, 3), noise=0)
    assert np.allclose(y, 1 + 3 * x.astype(np.float64) ** 2, atol=1e-6)


@pytest.mark.parametrize("draw", CLASSES + CURVES)
@pytest.mark.parametrize("n", [0, -3, 2.5, "10", True])
def test_a_number_of_samples_must_be_a_whole_number(draw, n):
    with pytest.raises(ArgumentError, match=rf"{draw.__name__}\(n\) expected a whole number"):
        draw(n)


@pytest.mark.parametrize("draw", CLASSES + CURVES)
@pytest.mark.parametrize("noise", [-0.1, math.nan, math.inf, "0.1", None])
def test_noise_must_be_a_number_from_0_upwards(draw, noise):
    name = "spread" if draw is blobs else "noise"
    with pytest.raises(ArgumentError, match=rf"{draw.__name__}\({name}\) expected a number from 0 upwards"):
        draw(10, **{name: noise})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: circles(10, factor=1.0), r"circles\(factor\) expected a radius between 0 and 1, got 1.0"),
        (lambda: circles(10, factor="a"), r"circles\(factor\)"),
        (lambda: spirals(10, classes=1), r"spirals\(classes\) expected a whole number of at least 2, got 1"),
        (lambda: spirals(2, classes=3), r"spirals\(n\) expected a whole number of at least 3, got 2"),
        (lambda: spirals(10, turns=0), r"spirals\(turns\) expected a positive number, got 0"),
        (lambda: spirals(10, turns=math.inf), r"spirals\(turns\)"),
        (lambda: blobs(10, centers=0), r"blobs\(centers\) expected a whole number of at least 1, got 0"),
        (lambda: blobs(10, centers=[1, 2]), r"blobs\(centers\) expected how many, or a finite array"),
        (lambda: blobs(10, centers=[[1, math.nan]]), r"blobs\(centers\) expected how many"),
        (lambda: blobs(10, centers=[[1], [1, 2]]), r"blobs\(centers\) expected how many"),
        (lambda: blobs(10, centers="many"), r"blobs\(centers\) expected how many"),
        (lambda: blobs(2, centers=3), r"blobs\(n\) expected a whole number of at least 3"),
        (lambda: polynomial(10, coefficients=()), r"polynomial\(coefficients\) expected finite numbers, got \(\)"),
        (
            lambda: polynomial(10, coefficients=3),
            r"polynomial\(coefficients\) expected finite numbers, got 3. Give one fo",
        ),
        (lambda: polynomial(10, coefficients=None), r"polynomial\(coefficients\) expected finite numbers, got None"),
        (lambda: polynomial(10, coefficients=[[1], [1, 2]]), r"polynomial\(coefficients\) expected finite numbers"),
        (lambda: polynomial(10, coefficients=np.ones((2, 2))), r"polynomial\(coefficients\) expected finite numbers"),
        (lambda: polynomial(10, coefficients=(1, math.inf)), r"polynomial\(coefficients\)"),
        (lambda: xor(10, seed=-1), "seed expected an integer"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()

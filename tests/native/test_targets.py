"""The bits of whole programs: on AVX-512, AVX2, baseline x86-64 and AArch64, and for any number of threads."""

from __future__ import annotations

import platform

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tests.native import aarch64
from tests.native.children import checked
from tests.native.targets import same_bits

x86_64 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="code for x86-64 runs on x86-64 only"
)


def agree(module, first, last):
    outcome = checked(module, first, last)
    assert outcome.failures == [], "\n\n".join(outcome.failures)
    assert outcome.checked == last - first


def test_zeros_of_different_sign_have_different_bits():
    assert same_bits(np.array([0.0, np.nan]), np.array([0.0, -np.nan]))
    assert not same_bits(np.array([0.0, 1.0]), np.array([-0.0, 1.0]))


@x86_64
@pytest.mark.parametrize("first", [10_000, 10_030, 10_060, 10_090])
def test_bits_depend_neither_on_the_machine_nor_on_the_number_of_threads(first):
    agree("tests.native.targets", first, first + 30)


@x86_64
@pytest.mark.parametrize("first", [0, 8])
def test_bits_of_whole_training_steps_depend_neither_on_the_machine_nor_on_the_number_of_threads(first):
    agree("tests.native.steps", first, first + 8)


@x86_64
@pytest.mark.long
@pytest.mark.parametrize("first", range(100, 400, 50))
def test_bits_of_many_training_steps_depend_neither_on_the_machine_nor_on_the_number_of_threads(first):
    agree("tests.native.steps", first, first + 50)


@x86_64
@pytest.mark.long
@pytest.mark.parametrize("first", range(11_000, 14_000, 300))
def test_bits_of_many_programs_depend_neither_on_the_machine_nor_on_the_number_of_threads(first):
    agree("tests.native.targets", first, first + 300)


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 40, 4))
def test_bits_are_those_of_aarch64(first):
    if aarch64.missing():
        pytest.skip(aarch64.missing())
    agree("tests.native.aarch64", first, first + 4)

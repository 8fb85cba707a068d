"""The random programs that compiled code is compared on: what they contain, and that a seed is all they depend on."""

import numpy as np

from lucidgrad.compiler import interpret
from lucidgrad.ops import TABLE
from tests.native.generate import program
from tests.native.programs import leaves


def test_every_row_of_the_op_table_occurs_in_random_programs():
    assert {step.op for seed in range(3 * len(TABLE)) for step in program(seed).steps} == set(TABLE)


def test_a_seed_draws_the_same_program_again():
    for seed in range(20):
        assert str(program(seed)) == str(program(seed))


def test_random_programs_give_the_same_bits_traced_and_interpreted():
    for seed in range(60):
        p = program(seed)
        tensors = p.tensors()
        got = interpret(p.graph(), *(t.numpy() for t in tensors))
        for g, t in zip(got, leaves(p(*tensors)), strict=True):
            assert (g.shape, g.dtype) == (t.shape, t.dtype)
            np.testing.assert_array_equal(g, t.numpy())

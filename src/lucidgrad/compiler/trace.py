"""Write a function of tensors down as a Graph, by running it on values that have shapes but no elements.

There is no second implementation of anything: the same ops, layers, losses and update rules record instructions
instead of computing, because a Tensor may hold a Value of a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucidgrad.graph import Graph
from lucidgrad.ops.op import Spec
from lucidgrad.tensor import Tensor


def trace(function: Callable[..., Any], *examples: Tensor) -> Graph:
    """The Graph of ``function``, for inputs of the shapes and dtypes of the examples.

    Parameters
    ----------
    function
        Takes as many Tensors as there are examples and returns a Tensor, or tensors in (nested) tuples, lists and
        dicts. Gradients taken inside of it are traced like anything else.
    examples
        Only their shapes, dtypes and ``requires_grad`` count.

    Returns
    -------
    Graph
        Its outputs are the returned tensors in the order ``flatten`` gives them.

    Raises
    ------
    TracingError
        Where the function asks for elements, such as in ``if x > 0``.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.compiler import trace
    >>> print(trace(lambda x: lg.grad(x * x, x), lg.Tensor(3.0)))
    inputs %0: float32[]
    %1: float32[] = multiply(%0, %0)
    %2: float32[] = multiply(constant float32[] 1.0, %0)
    %3: float32[] = multiply(constant float32[] 1.0, %0)
    %4: float32[] = add(%2, %3)
    outputs %4
    """
    graph = Graph()
    inputs = []
    for example in examples:
        traced = Tensor.wrap(graph.input(Spec(example.shape, example.dtype)))
        traced.requires_grad = example.requires_grad
        inputs.append(traced)
    graph.outputs = [t.raw for t in flatten(function(*inputs))]
    graph.verify()
    return graph


def flatten(tree: Any) -> list[Tensor]:
    """The tensors of nested tuples, lists and dicts, in order and in their shapes.

    Parameters
    ----------
    tree
        A Tensor, or any nesting of them.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.compiler.flatten({"a": lg.tensor(1.0), "b": [lg.tensor(2.0), lg.tensor(3.0)]})
    [Tensor(1.), Tensor(2.), Tensor(3.)]
    """
    if isinstance(tree, Tensor):
        return [tree]
    children = tree.values() if isinstance(tree, dict) else tree
    return [leaf for child in children for leaf in flatten(child)]

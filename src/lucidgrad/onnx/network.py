"""A network that was made elsewhere, as a Module: its nodes one after the other, its constants as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lucidgrad.errors import ArgumentError, LucidgradError, OnnxError, counted, explain
from lucidgrad.nn import Module
from lucidgrad.onnx.operators import OPERATORS, refusal
from lucidgrad.tensor import Tensor


@dataclass(frozen=True)
class Node:
    """One operator of a network: the names of what it takes and gives, "" for what is left out."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


class OnnxNetwork(Module):
    """An imported network. It is called with as many inputs as the file has, and trained as any Module.

    Parameters
    ----------
    nodes
        The operators of the file, in the order in which they are computed.
    weights
        The constants of the file, of any shape, by name. Arrays of floats are parameters; single numbers, integers,
        and the running statistics of BatchNormalization are buffers.
    input_names, output_names
        What the file calls them.

    Examples
    --------
    >>> from lucidgrad import Tensor
    >>> from lucidgrad.onnx import OnnxNetwork
    >>> from lucidgrad.onnx.network import Node
    >>> network = OnnxNetwork([Node("Mul", ("x", "w"), ("y",), {})], {"w": Tensor([3.0])}, ["x"], ["y"])
    >>> network([1.0, 2.0])
    Tensor([3., 6.])
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        weights: Mapping[str, Tensor],
        input_names: Sequence[str],
        output_names: Sequence[str],
    ) -> None:
        self._nodes = tuple(nodes)
        self.weights = dict(weights)
        self.input_names = tuple(input_names)
        self.output_names = tuple(output_names)

    def forward(self, *inputs: Tensor) -> Any:
        """One Tensor for each input → the output, or a tuple of outputs.

        Parameters
        ----------
        *inputs
            In the order of ``input_names``, of the shapes that the file was made for.

        Raises
        ------
        ArgumentError
            When there are more or fewer inputs than the file has.
        OnnxError
            When a node cannot be computed from what it is given; it is named.
        """
        if len(inputs) != len(self.input_names):
            raise ArgumentError(
                explain(
                    f"the imported network expected {counted(len(self.input_names), 'input')} "
                    f"({', '.join(self.input_names)})",
                    f"{len(inputs)}",
                    "Pass them in this order",
                )
            )
        known: dict[str, Any] = {"": None, **self.weights, **dict(zip(self.input_names, inputs, strict=True))}
        for node in self._nodes:
            known.update(zip(node.outputs, _run(node, [known[name] for name in node.inputs]), strict=False))
        outputs = tuple(known[name] for name in self.output_names)
        return outputs[0] if len(outputs) == 1 else outputs


def _run(node: Node, inputs: list[Any]) -> tuple[Tensor, ...]:
    problem = refusal(node.operator, inputs, node.attributes)
    if problem:
        raise OnnxError(explain("an imported network expected what lucidgrad computes", problem, "Export it otherwise"))
    try:
        result = OPERATORS[node.operator](inputs, node.attributes)
    except LucidgradError:
        raise
    except (ValueError, TypeError, IndexError, ArithmeticError) as error:
        raise OnnxError(
            explain(
                f"the node {node.outputs[0]!r} of an imported network expected inputs that {node.operator} can have",
                f"{', '.join('none' if x is None else f'{x.dtype}{x.shape}' for x in inputs)} ({error})",
                "Look at the shape of the input",
            )
        ) from error
    return result if isinstance(result, tuple) else (result,)

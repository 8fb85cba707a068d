"""What an op computes, and what it gives back to each of its inputs, in the symbols of one picture."""

from __future__ import annotations

from typing import Any

from lucidgrad.ops.op import Op
from lucidgrad.seeing.readable import number, shape_text

# The way forward: {0}, {1}, {2} are the inputs.
_FORWARD = {
    "add": "{0} + {1}",
    "subtract": "{0} − {1}",
    "multiply": "{0} ⊙ {1}",
    "divide": "{0} / {1}",
    "negative": "−{0}",
    "power": "{0}^{1}",
    "linear": "{0} {1}ᵀ + {2}",
    "matmul": "{0} {1}",
    "sqrt": "√{0}",
    "absolute": "|{0}|",
    "sum": "Σ {0}",
    "cross_entropy": "−log softmax({0})[{1}]",
}

# The way back of the ops whose rule is more than the gradient times a factor: {g} is the gradient after the output.
_BACKWARD = {
    "linear": ("{g} {1}", "{g}ᵀ {0}", "Σₙ {g}[n]"),
    "matmul": ("{g} {1}ᵀ", "{0}ᵀ {g}"),
    "softmax": ("{y} ⊙ ({g} − Σ {g} ⊙ {y})",),
    "log_softmax": ("{g} − softmax({0}) Σ {g}",),
    "reshape": ("reshape({g})",),
    "transpose": ("{g}ᵀ",),
    "broadcast_to": ("Σ {g}",),
    "getitem": ("put_back({g})",),
    "pad": ("cut({g})",),
    "cast": ("{g}",),
    "add": ("{g}", "{g}"),
    "subtract": ("{g}", "−{g}"),
    "negative": ("−{g}",),
    "sum": ("{g} · 1",),
}


def forward_formula(op: Op, names: dict[str, str], attrs: dict[str, Any]) -> str:
    """What an op computes: ``z₁ = x W₁ᵀ + b₁``.

    Parameters
    ----------
    names
        Of the inputs by their place, and of what comes out as ``"y"``.

    Examples
    --------
    >>> from lucidgrad.ops import TABLE
    >>> forward_formula(TABLE["tanh"], {"0": "z", "y": "a"}, {})
    'a = tanh(z)'
    """
    operands = [names.get(str(i), "·") for i in range(max(3, len(names)))]
    if op.name in _FORWARD:
        text = _FORWARD[op.name].format(*map(_grouped, operands))
    else:
        given = [names[key] for key in sorted(names) if key != "y"]
        text = f"{op.name}({', '.join(given)})"
    told = ", ".join(f"{k}={_plain(v)}" for k, v in attrs.items() if v not in (None, False) and k != "dtype")
    return f"{names['y']} = {text}" + (f"   ({told})" if told else "")


def backward_formula(op: Op, place: int, names: dict[str, str], factor: str, summed: bool) -> str:
    """What an op gives back to one input: ``∇z₁ = ∇a₁ ⊙ (1 − a₁²)``.

    Parameters
    ----------
    factor
        The factor of the chain rule on the edge, in symbols.
    summed
        Whether the input was stretched over axes, over which its gradient is added up.
    """
    g, source = f"∇{names['y']}", names.get(str(place), "·")
    forms = _BACKWARD.get(op.name, ())
    operands = [names.get(str(i), "·") for i in range(max(3, len(names)))]
    if place < len(forms):
        text = forms[place].format(*operands, g=g, y=names["y"])
    elif factor in ("1", ""):
        text = g if factor else f"{g} · ∂{names['y']}/∂{source}"
    else:
        text = f"{g} ⊙ {_grouped(factor)}"
    return f"∇{source} = " + (f"Σ ({text})" if summed and not text.startswith("Σ") else text)


def _grouped(text: str) -> str:
    """In brackets where it is a sum or a product, and not in brackets already."""
    plain = not any(c in text for c in " +−/") or text.startswith(("[", "∇")) or (text[0] == "−" and " " not in text)
    closed = text.endswith(")") and text.count("(") == 1 and " " not in text.partition("(")[0]
    return text if plain or closed else f"({text})"


def _plain(value: Any) -> str:
    if isinstance(value, tuple) and value and all(isinstance(v, int) for v in value):
        return shape_text(value)
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)

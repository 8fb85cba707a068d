"""``lucidgrad inspect``: what a model file holds, without running anything of it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from lucidgrad.files import container
from lucidgrad.io.measured_on import in_words
from lucidgrad.io.model_file import ModelFile, read_model
from lucidgrad.nn import Module


def inspect(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file: model.lucidgrad.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs instead of text.")] = False,
) -> None:
    """Show what a model file holds: layers, labels, metrics, and what it was written with. The file may be anyone's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = container.read(model)
    found = None if content.kind == "weights" else _read_again(model)
    report = {
        "file": str(model),
        "bytes": model.stat().st_size,
        "kind": content.kind,
        "written_with": content.written_with,
        "finite": not caught,
        **(_of_arrays(content) if found is None else _of_model(found)),
    }
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        print(_text(report, found))


def _read_again(path: Path) -> ModelFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NaN is told already
        return read_model(path)


def _of_arrays(content: container.Content) -> dict[str, Any]:
    return {
        "arrays": {name: {"dtype": x.dtype.name, "shape": list(x.shape)} for name, x in sorted(content.arrays.items())}
    }


def _of_model(found: ModelFile) -> dict[str, Any]:
    report: dict[str, Any] = {
        "labels": found.labels,
        "metrics": found.metrics,
        "measured_on": found.measured_on,
        "preprocessing": None if found.preprocessing is None else type(found.preprocessing).__name__,
    }
    if hasattr(found.model, "columns_"):
        classes = getattr(found.model, "classes_", None)
        report["target"] = found.model.target_name_
        report["classes"] = None if classes is None else classes.tolist()
        report["columns"] = {c.name: c.kind for c in found.model.columns_}
    if isinstance(found.model, Module):
        report["parameters"] = sum(p.data.size for p in found.model.parameters().values())
        report["layers"] = {path: type(module).__name__ for path, module in found.model.modules().items()}
    return report


def _text(report: dict[str, Any], found: ModelFile | None) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["written_with"].items())
    lines = [f"{report['file']}: {report['kind']}, {report['bytes']:,} bytes, written with {versions}"]
    if found is None:
        lines += [f"  {name}: {x['dtype']} {tuple(x['shape'])}" for name, x in report["arrays"].items()]
    else:
        lines += _of_found(report, found)
    if not report["finite"]:
        lines.append("warning: there is NaN or infinity among its numbers")
    return "\n".join(map(_printable, lines))


def _of_found(report: dict[str, Any], found: ModelFile) -> list[str]:
    lines = found.model.summary().splitlines() if isinstance(found.model, Module) else [repr(found.model)]
    if "columns" in report:
        classes = "" if report["classes"] is None else f": {', '.join(map(str, report['classes']))}"
        lines.append(f"predicts {report['target'] or 'its target'}{classes}")
        lines += [f"  {name}: {kind}" for name, kind in report["columns"].items()]
    if report["preprocessing"]:
        lines.append(f"preprocessing: {report['preprocessing']}")
    if found.labels is not None:
        lines.append(f"labels: {', '.join(map(str, found.labels))}")
    if found.metrics:
        lines.append("metrics: " + ", ".join(f"{name} {value:.6g}" for name, value in found.metrics.items()))
        lines.append(f"measured on {in_words(found.measured_on or {}) or 'rows that the file does not tell'}")
    return lines


def _printable(line: str) -> str:
    """A line that does to a terminal nothing but show: names in a file may hold its control characters."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)

"""Networks in the exchange format ONNX: exported to be run elsewhere, and imported to be run and trained here."""

from lucidgrad.onnx.export import Exportable as Exportable
from lucidgrad.onnx.export import export as export
from lucidgrad.onnx.load import load as load
from lucidgrad.onnx.network import OnnxNetwork as OnnxNetwork
from lucidgrad.onnx.pipeline import OPSET as OPSET
from lucidgrad.onnx.pipeline import Pipeline as Pipeline

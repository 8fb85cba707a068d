"""Plotting: what a run has measured and what a model has learned, as pictures.

Every function takes plain data (histories, matrices, images, a model) and gives a matplotlib ``Figure`` that belongs to
nobody: there is no current figure, nothing to close, and no window is needed. ``figure.savefig("loss.png")`` or
``save_png(figure, "loss.png")`` keeps it; a notebook shows it. Matplotlib is loaded at the first picture.
"""

# The names stand in the order of the story.
# isort: off

# What there is to learn
from lucidgrad.plot.images import images as images

# How it went
from lucidgrad.plot.curves import loss_curves as loss_curves
from lucidgrad.plot.curves import accuracy_curves as accuracy_curves
from lucidgrad.plot.weights import max_abs_weight as max_abs_weight
from lucidgrad.plot.layers import weights_over_epochs as weights_over_epochs
from lucidgrad.plot.layers import activations_over_epochs as activations_over_epochs
from lucidgrad.plot.depth import depth_series as depth_series
from lucidgrad.plot.learning_rate import learning_rate_curve as learning_rate_curve

# What was learned
from lucidgrad.plot.weights import first_layer_weights as first_layer_weights
from lucidgrad.plot.boundary import decision_boundary as decision_boundary
from lucidgrad.plot.boundary import boundary_panels as boundary_panels
from lucidgrad.plot.boundary import Boundary as Boundary
from lucidgrad.plot.recorder import BoundaryRecorder as BoundaryRecorder
from lucidgrad.plot.animation import boundary_animation as boundary_animation
from lucidgrad.plot.regression import regression_curves as regression_curves

# Where it is wrong
from lucidgrad.plot.mistakes import confusion_matrix as confusion_matrix
from lucidgrad.plot.mistakes import worst_mistakes as worst_mistakes
from lucidgrad.plot.calibration import calibration as calibration
from lucidgrad.plot.predicted import predicted_against_true as predicted_against_true
from lucidgrad.plot.importance import importances as importances

# What the compiler has made of it
from lucidgrad.plot.compiled import instructions_by_pass as instructions_by_pass
from lucidgrad.plot.compiled import kernel_times as kernel_times
from lucidgrad.plot.compiled import stage_timeline as stage_timeline

# Numbers of one's own
from lucidgrad.plot.series import lines as lines
from lucidgrad.plot.series import bars as bars

# In which language, and to a file
from lucidgrad.plot.language import set_language as set_language
from lucidgrad.plot.style import LineStyle as LineStyle
from lucidgrad.plot.style import save_png as save_png
from lucidgrad.plot.style import png_bytes as png_bytes

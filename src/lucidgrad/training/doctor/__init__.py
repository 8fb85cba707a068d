"""The doctor: looks at a run, and says what is wrong with it, on which evidence, and what helps. A family a file."""

from lucidgrad.training.doctor.checks import CHECKS as CHECKS
from lucidgrad.training.doctor.checks import Check as Check
from lucidgrad.training.doctor.examine import doctor as doctor
from lucidgrad.training.doctor.verdict import Diagnosis as Diagnosis
from lucidgrad.training.doctor.verdict import Verdict as Verdict

"""The small handwritten digits that come with scikit-learn: the default, as they are always at hand."""

from __future__ import annotations

import numpy as np

from lucidgrad.data.dataset import Dataset
from lucidgrad.data.split import split_indices


def digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 pixels, a fifth of them held back for testing.

    Returns
    -------
    Dataset
        ``x`` float32 (n, 64) from 0 (white) to 1 (black), ``y`` int64 (n,) from 0 to 9; 1,438 samples to train on and
        359 to test, each digit in proportion. The parts are the same at every call.

    Examples
    --------
    >>> from lucidgrad.data import digits
    >>> digits()
    Dataset('digits': 1,438 train + 359 test samples, 64 features (8x8 images), 10 classes, float32)
    """
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    x, y = (pixels / 16.0).astype(np.float32), labels.astype(np.int64)
    train, test = split_indices(len(y), 0.2, seed=0, stratify=y)
    return Dataset(
        name="digits",
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        feature_names=tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
        class_names=tuple("0123456789"),
        image_shape=(8, 8),
        description=(
            "Handwritten digits of 43 people, counted down to 8 x 8 pixels of 17 greys; the test part of Alpaydin and "
            "Kaynak, Optical Recognition of Handwritten Digits (1998), as scikit-learn ships it."
        ),
    )

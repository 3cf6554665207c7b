"""Natural frequencies, damping and mode shapes from accelerations alone, with nobody measuring the force.

Covariance-driven stochastic subspace identification: B. Peeters, G. De Roeck,
Reference-based stochastic subspace identification for output-only modal
analysis, Mechanical Systems and Signal Processing 13(6), 1999, pp. 855-878.
"""

import numpy as np


def covariances(accelerations, lags):
    """Give the covariance matrices of the outputs at lags 1 to 2 lags - 1 samples: one (sensors, sensors) matrix each."""
    samples, sensors = accelerations.shape
    centred = accelerations - accelerations.mean(axis=0)
    # Through the spectrum, padded so that nothing wraps around.
    padded = 1 << (samples + 2 * lags - 1).bit_length()
    spectrum = np.fft.rfft(centred, padded, axis=0)
    found = np.empty((2 * lags, sensors, sensors))
    for column in range(sensors):
        product = spectrum * spectrum[:, [column]].conj()
        found[:, :, column] = np.fft.irfft(product, padded, axis=0)[: 2 * lags] / samples
    return found[1:]


def poles(accelerations, sample_rate, *, order, lags):
    """Give frequencies in Hz, damping ratios and complex mode shapes (columns) of a model of the given order."""
    sensors = accelerations.shape[1]
    covariance = covariances(accelerations, lags)
    toeplitz = np.block([[covariance[lags - 1 + row - column] for column in range(lags)] for row in range(lags)])
    left, singular, _ = np.linalg.svd(toeplitz, full_matrices=False)
    observability = left[:, :order] * np.sqrt(singular[:order])
    transition = np.linalg.lstsq(observability[:-sensors], observability[sensors:], rcond=None)[0]
    values, vectors = np.linalg.eig(transition)
    continuous = np.log(values.astype(complex)) * sample_rate
    kept = continuous.imag > 0
    continuous, shapes = continuous[kept], (observability[:sensors] @ vectors)[:, kept]
    return np.abs(continuous) / (2 * np.pi), -continuous.real / np.abs(continuous), shapes


def assurance(one, other):
    """Modal assurance criterion of two shapes, 0 to 1 (R. J. Allemang, D. L. Brown, 1982)."""
    return abs(np.vdot(one, other)) ** 2 / (np.vdot(one, one).real * np.vdot(other, other).real)


def identify(accelerations, sample_rate, expected_frequencies, expected_shapes, *, order=40, lags=60):
    """Give (frequency in Hz, damping ratio, assurance) for each expected mode; nan where none is found.

    A pole counts for a mode when it lies within 15 % of the expected frequency,
    is damped like a structure, and moves like the mode; the best of them is taken.
    """
    frequencies, damping, shapes = poles(accelerations, sample_rate, order=order, lags=lags)
    found = []
    for expected, shape in zip(expected_frequencies, expected_shapes.T):
        close = (np.abs(frequencies / expected - 1) < 0.15) & (damping > 0) & (damping < 0.08)
        candidates = [(assurance(shapes[:, pole], shape), pole) for pole in np.flatnonzero(close)]
        if not candidates or max(candidates)[0] < 0.8:
            found.append((np.nan, np.nan, 0.0))
            continue
        best, pole = max(candidates)
        found.append((frequencies[pole], damping[pole], best))
    return np.array(found)

"""Learn by how much a turbine's power differs from physics, with an interval; keep that as ONNX and predict from it alone.

The interval is conformalised quantile regression: Y. Romano, E. Patterson,
E. Candes, Conformalized Quantile Regression, NeurIPS 2019. Two models learn the
5 % and 95 % quantiles, and what they miss on data they have not seen widens them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

QUANTILES = {"lower": 0.05, "median": 0.5, "upper": 0.95}
COVERAGE = 0.9
FEATURES = ("wind", "density", "turbulence")


@dataclass(frozen=True)
class Interval:
    """Predictions in W: the 5 % quantile, the median, the 95 % quantile."""

    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray

    def holds(self, values):
        return (self.lower <= values) & (values <= self.upper)

    def above(self, values):
        """Shift the interval by what physics predicts."""
        return Interval(self.lower + values, self.median + values, self.upper + values)


def train(features, excess, folder, *, seed):
    """Learn the excess over physics in W, write the model into a folder; give by how much ONNX and scikit-learn differ at most, in W."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingRegressor

    order = np.random.default_rng(seed).permutation(len(excess))
    learnt_from, kept_back = np.split(order, [2 * len(excess) // 3])
    folder.mkdir(parents=True, exist_ok=True)
    estimates = {}
    for name, quantile in QUANTILES.items():
        model = GradientBoostingRegressor(
            loss="quantile",
            alpha=quantile,
            n_estimators=150,
            max_depth=3,
            min_samples_leaf=20,
            learning_rate=0.08,
            random_state=seed,
        )
        model.fit(features[learnt_from], excess[learnt_from])
        estimates[name] = model.predict(features[kept_back])
        (folder / f"{name}.onnx").write_bytes(to_onnx(model, features[:1].astype(np.float32)).SerializeToString())
    missed = np.maximum(estimates["lower"] - excess[kept_back], excess[kept_back] - estimates["upper"])
    rank = min(1.0, np.ceil(COVERAGE * (len(missed) + 1)) / len(missed))
    widening = float(np.quantile(missed, rank, method="higher"))
    (folder / "model.json").write_text(json.dumps({"features": FEATURES, "widening": widening, "rows": len(excess)}))
    onnx = predict(features[kept_back], folder)
    return float(np.abs(onnx.median - estimates["median"]).max())


def predict(features, folder):
    """Predict with the ONNX files alone; raises FileNotFoundError before the first training."""
    import onnxruntime

    widening = json.loads((Path(folder) / "model.json").read_text())["widening"]
    found = {}
    for name in QUANTILES:
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
        values = session.run(None, {session.get_inputs()[0].name: features.astype(np.float32)})[0]
        found[name] = values[:, 0].astype(float)
    # Quantiles that are learnt apart may cross; sorted they are still as right as before.
    lower, median, upper = np.sort([found["lower"] - widening, found["median"], found["upper"] + widening], axis=0)
    return Interval(lower, median, upper)

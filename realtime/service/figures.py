"""Figures of the service for the monitor; no label holds anything that people chose."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram

MESSAGES: Final = Counter("twinhub_realtime_messages", "Messages of devices that are on disk")
REFUSED: Final = Counter(
    "twinhub_realtime_messages_refused", "Messages that could not be written, by what hindered it", ["code"]
)
WRITING: Final = Histogram(
    "twinhub_realtime_frame_duration_seconds",
    "Time until the broker had a frame of messages on disk",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0),
)
OUTPUTS: Final = Counter("twinhub_realtime_outputs", "Outputs of models that were given on")

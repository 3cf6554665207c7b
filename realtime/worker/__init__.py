"""The process that holds instances of one model: reads the stream, runs handlers, answers, keeps snapshots."""

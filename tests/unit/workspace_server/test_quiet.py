"""No token gets into a workspace's log."""

import io
import logging

from workspace_server.quiet import redact


def test_tokens_are_left_out_of_every_line() -> None:
    """Addresses of WebSockets may carry one, and tools log addresses."""
    log, text = logging.Logger("server"), io.StringIO()
    log.addHandler(logging.StreamHandler(text))
    redact(log)
    log.info("to %s?a=1&token=%s&b=2", "ws://localhost/x", "s3cret")
    log.info("GET /x?TOKEN=s3cret HTTP/1.1 'token=s3cret'")
    log.info("tokens: %d", 3)
    assert "s3cret" not in text.getvalue()
    assert "a=1&token=[secret]&b=2" in text.getvalue()
    assert "tokens: 3" in text.getvalue()

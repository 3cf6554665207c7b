"""Tables over HTTP, small and large."""

import threading

from tests.unit.lifecycle.server.jupyter_process import Server

LARGE_ROWS = 200_000


def test_a_table_is_described_and_shown(server: Server) -> None:
    """The page first learns the columns, then draws."""
    server.make_twin("plotted", execute="exit 0")
    results = server.workspace / "data" / "plotted" / "run 1"
    results.mkdir(parents=True)
    (results / "o.csv").write_text("time,a,state\n0,1,on\n1,,off\n2,3,on\n")
    about = server.ask("GET", "plotted/outputs/run%201/o.csv/series")
    assert about["columns"] == [
        {"name": "time", "kind": "number"},
        {"name": "a", "kind": "number"},
        {"name": "state", "kind": "text"},
    ]
    assert (about["rows_total"], about["x_column"], about["x_range"]) == (3, "time", [0.0, 2.0])
    found = server.ask("GET", "plotted/outputs/run%201%2Fo.csv/series?columns=a&from=0&to=5")
    assert (found["x"], found["series"]) == ([0.0, 1.0, 2.0], {"a": {"values": [1.0, None, 3.0]}})
    assert server.refused("GET", "plotted/outputs/run%201/o.csv/series?columns=state") == (409, "column_not_numeric")
    assert server.refused("GET", "plotted/outputs/run%201/o.csv/series?columns=b") == (404, "column_not_found")
    assert server.refused("GET", "plotted/outputs/o.csv/series") == (404, "output_not_found")


def test_a_large_table_is_prepared_once_however_many_ask(server: Server) -> None:
    """Two tabs open the same plot, and others go on working meanwhile."""
    server.make_twin("large", execute="exit 0")
    results = server.workspace / "data" / "large"
    results.mkdir(parents=True)
    (results / "o.csv").write_text("time,a\n" + "".join(f"{row},{row % 9}\n" for row in range(LARGE_ROWS)))
    rows: list[int] = []

    def ask() -> None:
        rows.append(server.ask("GET", "large/outputs/o.csv/series?columns=a&points=100")["rows_total"])

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    assert server.ask("GET", "runs?limit=1")
    for asker in askers:
        asker.join(60)
    assert rows == [LARGE_ROWS] * 4


def test_what_a_process_refuses_is_said(server: Server) -> None:
    """The refusal comes from another process, and must be the same words."""
    server.make_twin("zipped", execute="exit 0")
    results = server.workspace / "data" / "zipped"
    results.mkdir(parents=True)
    (results / "o.csv").write_bytes(b"PK\x03\x04" + bytes(3_000_000))
    assert server.refused("GET", "zipped/outputs/o.csv/series") == (409, "not_a_table")

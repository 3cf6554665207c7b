"""Simulated fleets: the same seed gives the same run, and a run says what would happen."""

import asyncio
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from realtime import Context, Message, Mock, Twin, on_message, on_timer
from realtime.cli import main
from realtime.simulate import Fleet, Outcome, compare, load_file, read_states, run_here, run_together, simulations_of
from realtime.simulate.feeds import MOST_BYTES, MOST_MESSAGES, encode_batches
from realtime.simulate.live import Drive
from realtime.simulate.local import StatesRefused
from realtime.simulate.websocket import TEXT, frame
from realtime.simulation import Chance, Clock, Simulation

DEMOS = Path(__file__).parents[3] / "examples" / "realtime"


class Beat(Message):
    """One beat."""

    value: float


class Pulse(Twin):
    """Counts beats; answers each tenth; alerts when there is none for a minute."""

    beats: int = 0
    total: float = 0.0

    @on_message(Beat)
    def beat(self, message: Beat, context: Context) -> None:
        self.beats += 1
        self.total += message.value
        context.start_timer("silence", 60)
        if self.beats % 10 == 0:
            context.reply({"slower": 2})

    @on_timer("silence")
    def miss(self, context: Context) -> None:
        context.raise_alert("silence", "no beat")


class Heart(Simulation):
    """Beats each second; slower when told."""

    model = Pulse
    every_s: float = 1.0
    beats: int = 1_000_000

    def step(self, clock: Clock) -> Iterator[Message]:
        self.beats -= 1
        if self.beats:
            clock.again_in(self.every_s)
        yield Beat(value=clock.random.gauss(0, 1))

    def hear(self, reply: Any, clock: Clock) -> tuple[Message, ...]:
        self.every_s *= reply["slower"]
        return ()


def run(count: int = 20, duration_s: float = 300, **options: Any) -> Outcome:
    return run_here([Fleet(Heart, count, **options)], [Pulse], duration_s)


def test_the_same_seed_gives_the_same_states_and_another_one_does_not() -> None:
    """What was found in a run has to be found again."""
    first, second, other = run(seed=5), run(seed=5), run(seed=6)
    assert first == second
    assert first.messages > 900
    assert first.states != other.states


def test_a_device_does_the_same_in_a_larger_fleet() -> None:
    """Each has its own stream of chance, so adding devices changes none of those that were there."""
    small, large = run(3, seed=5).states["Pulse"], run(40, seed=5).states["Pulse"]
    assert {name: large[name] for name in small} == small


def test_devices_hear_their_twins() -> None:
    """Without what comes back a simulation of a control loop would be open."""
    deaf = run_here([Fleet(Heart, 1, tick_s=0.001)], [Pulse], 100)
    assert deaf.replies == 3
    # 10 beats at 1 s, 10 at 2 s, 10 at 4 s and what is left of 100 s at 8 s.
    assert deaf.states["Pulse"]["heart-0"].beats in range(30, 38)


def test_timers_run_to_the_end_of_the_simulated_time() -> None:
    """A device that died must be missed even when nothing else happens."""
    outcome = run(5, duration_s=200, parameters={"beats": 3})
    assert [alert.key for alert in outcome.alerts] == ["silence"] * 5
    assert outcome.time_s == 200


def test_a_run_goes_on_from_states_and_leaves_them_as_they_are() -> None:
    """A what-if run must not change what it started from."""
    before = {"heart-0": Pulse(beats=100, total=7.0)}
    outcome = run_here([Fleet(Heart, 1)], [Pulse], 30, states={Pulse: before})
    assert outcome.states["Pulse"]["heart-0"].beats > 100
    assert before["heart-0"] == Pulse(beats=100, total=7.0)


@pytest.mark.parametrize(
    "data",
    [
        b'{"id": "a", "beats": 3, "total": 1}\n\n{"id": "b"}\n',
        b'{"total": 2, "instances": [{"id": "a", "fields": {"beats": 3, "total": 1}}, {"id": "b"}]}',
        b'{"instances": [{"id": "a", "beats": 3, "total": 1.0}, {"id": "b"}]}',
    ],
)
def test_states_are_read_as_the_service_lists_them(data: bytes) -> None:
    """What is printed is what a run begins with."""
    assert read_states(Pulse, data) == {"a": Pulse(beats=3, total=1.0), "b": Pulse()}


@pytest.mark.parametrize(
    "data", [b"{", b"[1]", b'{"beats": 3}', b'{"id": "a", "beats": "many"}', b"\xff", b'{"instances": [1]}']
)
def test_states_that_are_none_are_refused(data: bytes) -> None:
    """A file of something else must not become an empty fleet."""
    with pytest.raises(StatesRefused, match="State 1 of 'Pulse'"):
        read_states(Pulse, data)


def test_two_settings_are_compared_by_what_differs() -> None:
    """People ask what a change brings, not for two lists."""
    slow, fast = run(parameters={"every_s": 10}), run(parameters={"every_s": 5})
    table = compare({"slow": slow, "fast": fast})
    assert table["messages"]["fast"] > table["messages"]["slow"]
    assert "Pulse.instances" not in table


def test_fleets_go_together_in_the_order_of_time() -> None:
    """Parts and wholes run on one clock."""
    batches = [*run_together([Fleet(Heart, 3, seed=1), Fleet(Heart, 3, seed=2)], 100)]
    times = [batch.time_s for batch in batches]
    assert times == sorted(times)
    assert len({id(batch.fleet) for batch in batches}) == 2


def test_a_parameter_that_is_none_is_refused_by_name() -> None:
    """A typing error in a setting would compare a run with itself."""
    with pytest.raises(ValueError, match="no parameter 'evry_s'; it has: beats, every_s"):
        Fleet(Heart, 1, parameters={"evry_s": 3})


def test_chance_is_even_and_as_wide_as_its_methods_need() -> None:
    """A stream of 64 bits serves all that `random` has."""
    chance = Chance()
    chance.use(42)
    values = [chance.random() for _ in range(20_000)]
    assert abs(sum(values) / len(values) - 0.5) < 0.01
    assert {chance.randrange(6) for _ in range(200)} == set(range(6))
    assert chance.getrandbits(200).bit_length() > 150
    assert isinstance(chance, random.Random)
    assert abs(sum(chance.gauss(0, 1) for _ in range(20_000))) / 20_000 < 0.03


def test_two_demos_have_modules_of_one_name() -> None:
    """Every demo has a model.py; loading one must not give another one's."""
    first = load_file(DEMOS / "gas_sensor" / "model.py")
    simulation = simulations_of(DEMOS / "wind_turbine" / "simulator.py")[0]
    assert first.GasSensor.__name__ == "GasSensor"
    assert simulation.model is load_file(DEMOS / "wind_turbine" / "model.py").WindTurbine
    assert load_file(DEMOS / "gas_sensor" / "model.py") is first


def test_messages_of_many_arrive_in_the_mock_together() -> None:
    """A fleet's moment is one frame, as it is in the service."""
    mock = Mock(Pulse)
    mock.send_all([("a", Beat(value=1)), ("b", Beat(value=2)), ("a", Beat(value=3))], at_s=5)
    assert {name: state.total for name, state in mock.states().items()} == {"a": 4.0, "b": 2.0}


def test_a_fleet_of_a_hundred_thousand_begins_within_seconds() -> None:
    """A million devices is what a machine carries; making them must not take minutes."""
    fleet = Fleet(Heart, 100_000, seed=1)
    first = fleet.take()
    assert first.items
    assert fleet.next_s() is not None


def test_batches_are_no_larger_than_a_service_takes() -> None:
    """One that is too large would be refused whole."""
    many = [*encode_batches([("d", Beat(value=1.0))] * (MOST_MESSAGES * 2 + 1))]
    assert [count for count, _ in many] == [MOST_MESSAGES, MOST_MESSAGES, 1]
    assert json.loads(many[-1][1]) == [{"id": "d", "message": {"type": "Beat", "value": 1.0}}]
    large = [*encode_batches([("d" * 150_000, Beat(value=1.0))] * 5)]
    assert [count for count, _ in large] == [2, 2, 1]
    assert all(len(data) <= MOST_BYTES for _, data in large)


@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536, 70_001])
def test_frames_of_the_websocket_are_masked_as_the_standard_has_it(size: int) -> None:
    """A server closes the connection of a client that does not."""
    data = bytes(number % 251 for number in range(size))
    found = frame(TEXT, data)
    assert found[0] == 0x81
    assert found[1] & 0x80
    length, start = found[1] & 0x7F, 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(found[2:start], "big")
    mask, content = found[start : start + 4], found[start + 4 :]
    assert length == size
    assert bytes(byte ^ mask[at % 4] for at, byte in enumerate(content)) == data


def test_a_run_at_a_pace_takes_its_time() -> None:
    """Rules that wait for minutes can only be watched at the pace of a clock."""

    class Sink:
        refused = 0
        sent = 0

        async def send(self, model: str, batch: bytes) -> None:
            self.sent += len(json.loads(batch))

        async def close(self) -> None:
            return None

    sink = Sink()
    drive = Drive([Fleet(Heart, 3, seed=1)], start_s=0.0, pace=200.0)
    load = asyncio.run(drive.run(sink, 100.0))
    assert load.messages == sink.sent > 100
    assert 0.5 <= load.seconds < 60


def test_the_command_says_what_differs_between_two_settings() -> None:
    """The shortest way from a question to its answer."""
    simulator = str(DEMOS / "gas_sensor" / "simulator.py")
    words = [
        "simulate",
        simulator,
        "-n",
        "30",
        "--hours",
        "2",
        "--set",
        "leaks_per_day=20",
        "--compare",
        "grows_by_ppm=50",
    ]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "leaks_per_day=20" in result.output
    assert "alerts.GasSensor.air" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "leeks=1"], "no parameter 'leeks'"),
        (["--set", "every_s=fast"], "does not fit"),
        (["--set", "every_s"], "NAME=VALUE"),
        (["--to", "rest", "--compare", "every_s=1"], "stay here"),
    ],
)
def test_the_command_refuses_in_words(words: list[str], said: str) -> None:
    """Nobody reads a traceback."""
    result = CliRunner().invoke(main, ["simulate", str(DEMOS / "gas_sensor" / "simulator.py"), "-n", "2", *words])
    assert result.exit_code == 2
    assert said in result.output


def test_a_run_begins_with_states_out_of_a_file(tmp_path: Path) -> None:
    """What the service lists is what a what-if run starts from."""
    states = tmp_path / "states.ndjson"
    states.write_text('{"id": "old", "ppm": 7, "events": 41}\n')
    words = ["simulate", str(DEMOS / "gas_sensor" / "simulator.py"), "-n", "1", "--hours", "0.1", "--json"]
    result = CliRunner().invoke(main, [*words, "--states", str(states)])
    assert json.loads(result.output)["GasSensor.instances"] == 2
    assert json.loads(result.output)["GasSensor.events"] == 41

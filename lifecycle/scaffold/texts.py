"""The programs and pages that a new twin begins with; from then on they are their owner's."""

from __future__ import annotations

from typing import Final

CLEAN: Final = '''\
#!/usr/bin/env python3
"""Remove the results."""

import this_twin

for name in ({names}):
    (this_twin.outputs() / name).unlink(missing_ok=True)
print("The results are gone; lifecycle/execute makes them again.")
'''

COOLING: Final = '''\
#!/usr/bin/env python3
"""Simulate how a cup cools down, and write time and temperature to outputs.csv."""

import csv
import math

import this_twin

STEPS = 200


def temperature_after(seconds, start, room, time_constant):
    """Newton's law of cooling, dT/dt = (room - T) / time_constant, solved for T."""
    return room + (start - room) * math.exp(-seconds / time_constant)


def main():
    values = this_twin.parameters()
    results = this_twin.outputs() / "outputs.csv"
    with results.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["time", "temperature"])
        for count in range(STEPS + 1):
            time = values["end"] * count / STEPS
            temperature = temperature_after(time, values["start"], values["room"], values["time_constant"])
            writer.writerow([time, temperature])
            if count % (STEPS // 10) == 0:
                this_twin.progress(count / STEPS, f"{temperature:.1f} degrees after {time:.0f} s")
    print(f"results: {results}")


main()
'''

COOLING_PARAMETERS: Final = """\
parameters:
  start: {type: real, unit: degC, default: 80.0, description: Temperature at the beginning}
  room: {type: real, unit: degC, default: 20.0, description: Temperature of the room}
  time_constant: {type: real, unit: s, default: 600.0, range: [1, null], description: How slowly it cools}
  end: {type: real, unit: s, default: 3600.0, range: [1, null], description: Simulated time}
"""

ANALYZE: Final = '''\
#!/usr/bin/env python3
"""Print what the columns of outputs.csv hold, and plot them over the first one to plot.png."""

import csv
import datetime
import sys

import matplotlib
import this_twin

matplotlib.use("Agg")
from matplotlib import pyplot


def read_columns(file):
    """Give every column by name, and the separator: a comma, a semicolon or a tab."""
    with file.open(newline="", encoding="utf-8-sig") as stream:
        separator = max(",;\\t", key=stream.readline().count)
        stream.seek(0)
        rows = csv.reader(stream, delimiter=separator)
        names = next(rows, [])
        columns = {name: [] for name in names}
        for row in rows:
            for name, text in zip(names, row):
                columns[name].append(text.strip())
    return columns, separator


def number(text, separator):
    """Give a number, 1 and 0 for true and false; a comma may be a decimal comma where it separates nothing."""
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        return float(text if separator == "," else text.replace(",", "."))
    except ValueError:
        return float("nan")


def times(texts):
    """Give the times, or where they are none, the numbers of the rows."""
    try:
        return [datetime.datetime.fromisoformat(text) for text in texts]
    except ValueError:
        return list(range(1, len(texts) + 1))


def main():
    results = this_twin.outputs() / "outputs.csv"
    if not results.exists():
        there = ", ".join(sorted(file.name for file in results.parent.iterdir())) or "nothing"
        sys.exit(f"There is no {results} to analyze; run lifecycle/execute first. In that folder is: {there}.")
    texts, separator = read_columns(results)
    columns = {name: [number(text, separator) for text in column] for name, column in texts.items()}
    columns = {name: values for name, values in columns.items() if any(value == value for value in values)}
    if not columns:
        sys.exit(f"{results} holds no numbers.")
    over = next(iter(texts))
    x = columns.pop(over) if over in columns else times(texts[over])
    others = columns.items()
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for name, values in others:
        known = [value for value in values if value == value]
        print(f"{name}: from {min(known):.6g} to {max(known):.6g}, mean {sum(known) / len(known):.6g}, last {known[-1]:.6g}")
        axes.plot(x, values, label=name)
    axes.set_xlabel(over)
    axes.grid(alpha=0.3)
    if 0 < len(others) <= 12:
        axes.legend()
    plot = results.with_name("plot.png")
    figure.savefig(plot, dpi=110)
    print(f"plot: {plot}")


main()
'''

COSIMULATE: Final = '''\
#!/usr/bin/env python3
"""Co-simulate cosim.json with the parameters of this run, and write outputs.csv."""

import json
import os
import sys

import this_twin


def main():
    folder, outputs, values = this_twin.folder(), this_twin.outputs(), this_twin.parameters()
    model = json.loads((folder / "cosim.json").read_text(encoding="utf-8"))
    model["algorithm"]["size"] = values["step"]
    model["endTime"] = values["end"]
    for address in model["parameters"]:
        name = address.partition("}.")[2]
        model["parameters"][address] = values.get(name, model["parameters"][address])
    model["fmus"] = {name: str((folder / path).resolve()) for name, path in model["fmus"].items()}
    stated = outputs / "cosim.json"
    stated.write_text(json.dumps(model, indent=2), encoding="utf-8")
    try:
        os.execvp("cosim", ["cosim", "run", str(stated), "--output", str(outputs)])
    except FileNotFoundError:
        sys.exit("The command cosim is not on this machine; ask who keeps the workspace's image.")


main()
'''

RUN_PROGRAM: Final = '''\
#!/usr/bin/env python3
"""Run the program named below; what it writes into its working directory goes to this twin's outputs."""

import os
import sys

import this_twin

program = this_twin.asset({asset!r})
# The program may ask this_twin too, and stands elsewhere.
facts = {{"TWIN_FOLDER": this_twin.folder(), "TWIN_WORKSPACE": this_twin.workspace(), "TWIN_OUTPUTS": this_twin.outputs()}}
os.environ.update({{name: str(place) for name, place in facts.items()}})
os.chdir(this_twin.outputs())
os.execv(sys.executable, [sys.executable, str(program), *sys.argv[1:]])
'''

COPY_DATA: Final = '''\
#!/usr/bin/env python3
"""Read the table named below and write its rows to outputs.csv: put your own model between the two."""

import csv

import this_twin

source = this_twin.asset({asset!r})
results = this_twin.outputs() / "outputs.csv"
with source.open(newline="", encoding="utf-8-sig") as rows, results.open("w", newline="", encoding="utf-8") as stream:
    writer = csv.writer(stream)
    count = 0
    for count, row in enumerate(csv.reader(rows)):
        writer.writerow(row)
print(f"{{count}} rows")
print(f"results: {{results}}")
'''

README: Final = """\
# {title}

{about}

    twin explore {name}           # is everything there
    twin run {name} execute       # writes {outputs}/
    twin run {name} analyze       # prints what came out, and writes plot.png beside it
    twin run {name} clean         # removes the results

Parameters, limits and the assets that it uses are in `twin.yaml`; `twin check {name}` looks whether that is well written.
{more}"""

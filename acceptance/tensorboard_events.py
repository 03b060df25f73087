"""Compares event files with the log of the same training; see tensorboard.sh.
Usage: python tensorboard_events.py EVENTS LOG.jsonl
"""
import collections
import glob
import json
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

events, log = sys.argv[1:]
wanted = {}
with open(log, encoding="utf-8") as file:
    for line in map(json.loads, file):  # a step that was repeated has the same numbers
        if line["event"] == "step":
            wanted["train/loss", line["step"]] = line["loss"]
            wanted["train/learning_rate", line["step"]] = line["learning_rate"]
        elif line["event"] == "evaluation":
            for name, value in line["validation"].items():
                if isinstance(value, float):
                    wanted["validation/" + name, line["step"]] = value

accumulator = EventAccumulator(events, size_guidance={"scalars": 0})
accumulator.Reload()
shown = collections.Counter()
values = {}
for tag in accumulator.Tags()["scalars"]:
    for scalar in accumulator.Scalars(tag):
        shown[tag, scalar.step] += 1
        values[tag, scalar.step] = scalar.value
stored = collections.Counter(
    (value.tag, event.step) for path in sorted(glob.glob(events + "/*")) for event in EventFileLoader(path).Load() for value in event.summary.value)

single = lambda number: struct.unpack("f", struct.pack("f", number))[0]
wrong = [key for key, value in wanted.items() if values.get(key) != single(value)]
twice = [key for key, count in (shown + stored).items() if count != 2]  # once shown and once stored
print(f"{len(glob.glob(events + '/*'))} files, {len(stored)} scalars of {len(set(tag for tag, _ in stored))} tags, steps 1 to {max(step for _, step in stored)}: "
      f"{len(wanted)} numbers of the log, {len(wrong)} differ; {len(twice)} are not there once")
sys.exit(bool(wrong or twice))

"""Somebody's plain script: it knows nothing of Runyard."""

import argparse
import json
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--out")
options = parser.parse_args()
print("training with", options.lr)
if options.lr > 1:
    sys.exit("the learning rate is too large")
if options.out:
    with open(options.out, "w") as file:
        json.dump({"loss": options.lr * 2}, file)
print(json.dumps({"accuracy": 1 - options.lr}))

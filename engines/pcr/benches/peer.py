#!/usr/bin/env python3
"""Baton beside LinRegPCR on the same RDML file, in one run: microseconds per curve of each, and their ratio.

    python3 -m venv ~/peer && ~/peer/bin/pip install rdmlpython==1.7.2 "numpy<2"
    ~/peer/bin/python engines/pcr/benches/peer.py FILE.rdml --baton target/release/baton

Both get the file already parsed and in memory and use one thread; both times are processor time of the middle pass, since the
machine may be shared. rdmlpython 1.7.2 opens RDML up to 1.3.
"""

import argparse
import json
import subprocess
import time


def peer_us_per_curve(path, passes):
    import rdmlpython

    document = rdmlpython.Rdml(path)
    runs = [run for experiment in document.experiments() for run in experiment.runs()]
    curves = sum(len(run.getreactjson()["reacts"]) and sum(len(react["datas"]) for react in run.getreactjson()["reacts"]) for run in runs)
    times = []
    for _ in range(passes):
        start = time.process_time()
        for run in runs:
            run.linRegPCR(updateRDML=False, saveResultsList=True)
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2] * 1e6 / curves, curves


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file")
    arguments.add_argument("--baton", default="target/release/baton")
    arguments.add_argument("--passes", type=int, default=3)
    given = arguments.parse_args()
    ours = json.loads(subprocess.run([given.baton, "pcr", "bench", given.file], check=True, capture_output=True, text=True).stdout)
    peer, curves = peer_us_per_curve(given.file, given.passes)
    ratio = peer / ours["us_per_curve"]
    print(f"baton       {ours['us_per_curve']:12.2f} us per curve, {ours['curves']} curves")
    print(f"rdmlpython  {peer:12.2f} us per curve, {curves} curves")
    print(f"ratio       {ratio:12.0f}")


if __name__ == "__main__":
    main()

"""Runs a peer on one file for so many CPU seconds, to be compared with examples/routes and examples/jobshop (`60c`).

    python3 -m venv venv && venv/bin/pip install pyvrp ortools
    venv/bin/python peers.py pyvrp  <file.vrp|file.vrptw> <CPU seconds> [seed]    one thread
    venv/bin/python peers.py cp-sat <job shop file>       <CPU seconds> [seed]    two workers

CPU time, not wall time: a busy machine starves whoever runs second. Same distances as the engine's: truncated to one decimal.
"""

import sys
import threading
import time


def vrplib(path):
    headers, sections, section = {}, {}, None
    for line in map(str.strip, open(path)):
        if line.endswith("_SECTION"):
            section = sections.setdefault(line, [])
        elif section is not None and line and line != "EOF":
            section.append([float(cell) for cell in line.split()])
        elif ":" in line:
            key, value = line.split(":", 1)
            headers[key.strip()] = value.strip()
    return headers, sections


def run_pyvrp(path, seconds, seed):
    import numpy
    import pyvrp

    headers, sections = vrplib(path)
    points = numpy.array([row[1:] for row in sections["NODE_COORD_SECTION"]])
    demands = [int(row[1]) for row in sections["DEMAND_SECTION"]]
    windows = [(int(10 * row[1]), int(10 * row[2])) for row in sections["TIME_WINDOW_SECTION"]]
    lengths = numpy.floor(10 * numpy.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))).astype(int)
    service = 10 * int(headers["SERVICE_TIME"])
    locations = [pyvrp.Location(int(x), int(y)) for x, y in points]
    clients = [
        pyvrp.Client(at, delivery=[demands[at]], service_duration=service, tw_early=windows[at][0], tw_late=windows[at][1])
        for at in range(1, len(points))
    ]
    fleet = pyvrp.VehicleType(int(headers["VEHICLES"]), [int(headers["CAPACITY"])], 0, 0, tw_early=windows[0][0], tw_late=windows[0][1])
    data = pyvrp.ProblemData(locations, clients, [pyvrp.Depot(0)], [fleet], [lengths], [lengths])
    start = time.process_time()
    result = pyvrp.solve(data, stop=lambda _: time.process_time() - start > seconds, seed=seed, display=False)
    print(f"PyVRP {headers['NAME']}: cost {result.cost() / 10}, {result.best.num_routes()} routes, feasible {result.is_feasible()}")


def run_cp_sat(path, seconds, seed):
    from ortools.sat.python import cp_model

    rows = [list(map(int, line.split())) for line in open(path) if line.strip() and not line.startswith("#")]
    jobs = [list(zip(row[::2], row[1::2])) for row in rows[1:]]
    horizon = sum(duration for job in jobs for _, duration in job)
    model = cp_model.CpModel()
    makespan = model.new_int_var(0, horizon, "makespan")
    machines = {}
    for job in jobs:
        free = 0
        for machine, duration in job:
            start = model.new_int_var(0, horizon, "")
            machines.setdefault(machine, []).append(model.new_fixed_size_interval_var(start, duration, ""))
            model.add(start >= free)
            free = start + duration
        model.add(makespan >= free)
    for intervals in machines.values():
        model.add_no_overlap(intervals)
    model.minimize(makespan)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = seed
    start = time.process_time()

    def watch():
        while time.process_time() - start < seconds:
            time.sleep(0.05)
        solver.stop_search()

    threading.Thread(target=watch, daemon=True).start()
    status = solver.status_name(solver.solve(model))
    print(f"CP-SAT {path}: makespan {int(solver.objective_value)}, bound {int(solver.best_objective_bound)}, {status}")


if __name__ == "__main__":
    peer, path, seconds, *seed = sys.argv[1:]
    {"pyvrp": run_pyvrp, "cp-sat": run_cp_sat}[peer](path, float(seconds), int(seed[0]) if seed else 1)

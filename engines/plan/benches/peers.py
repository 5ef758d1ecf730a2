"""Runs a peer on one file for so many CPU seconds, to be compared with `baton plan`, or with the example `measure` on the same CPU seconds.

    python3 -m venv venv && venv/bin/pip install pyvrp ortools
    venv/bin/python peers.py pyvrp  <file.vrp|file.vrptw> <CPU seconds> [seed]    one thread
    venv/bin/python peers.py cp-sat <job shop file>       <CPU seconds> [seed]    two workers
    venv/bin/python peers.py cp-sat-roster <roster file>  <CPU seconds> [seed]    two workers

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
    print(f"CP-SAT {path}: {minimized(cp_model, model, seconds, seed)}")


def minimized(cp_model, model, seconds, seed):
    """Searches with two workers for so many CPU seconds, and says what came out."""
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
    if status not in ("OPTIMAL", "FEASIBLE"):
        return f"nothing found, {status}"
    return f"{int(solver.objective_value)}, bound {int(solver.best_objective_bound)}, {status}, {time.process_time() - start:.1f} CPU-s"


def run_cp_sat_roster(path, seconds, seed):
    """The plain model: a Boolean per person, day and shift; runs of days by clauses; too few and too many at the cover as slacks, which only the
    objective holds down: the figure is an upper bound of what the roster costs."""
    from ortools.sat.python import cp_model

    sections, section = {}, None
    for line in map(str.strip, open(path)):
        if line.startswith("SECTION_"):
            section = sections.setdefault(line, [])
        elif line and not line.startswith("#"):
            section.append(line.split(","))
    days = range(int(sections["SECTION_HORIZON"][0][0]))
    shifts = {row[0]: (int(row[1]), [one for one in row[2].split("|") if one]) for row in sections["SECTION_SHIFTS"]}
    model, cost, works, works_day = cp_model.CpModel(), [], {}, {}
    for name, most, *limits in sections["SECTION_STAFF"]:
        minutes_max, minutes_min, run_max, run_min, rest_min, weekends_max = map(int, limits)
        for day in days:
            works_day[name, day] = model.new_bool_var("")
            for shift in shifts:
                works[name, day, shift] = model.new_bool_var("")
            model.add(sum(works[name, day, shift] for shift in shifts) == works_day[name, day])
        for day in days[:-1]:
            for shift, (_, banned) in shifts.items():
                for other in banned:
                    model.add_bool_or(~works[name, day, shift], ~works[name, day + 1, other])
        for shift, limit in (one.split("=") for one in most.split("|")):
            model.add(sum(works[name, day, shift] for day in days) <= int(limit))
        minutes = sum(shifts[shift][0] * works[name, day, shift] for day in days for shift in shifts)
        model.add_linear_constraint(minutes, minutes_min, minutes_max)
        row = [works_day[name, day] for day in days]
        for day in days[: len(days) - run_max]:
            model.add_bool_or(~one for one in row[day : day + run_max + 1])
        for length in range(1, max(run_min, rest_min)):
            for day in days[1 : len(days) - length]:
                inside, ends = row[day : day + length], [row[day - 1], row[day + length]]
                if length < run_min:
                    model.add_bool_or(ends + [~one for one in inside])
                if length < rest_min:
                    model.add_bool_or([~one for one in ends] + inside)
        weekends = [model.new_bool_var("") for _ in range(len(days) // 7)]
        for week, worked in enumerate(weekends):
            model.add_implication(row[7 * week + 5], worked)
            model.add_implication(row[7 * week + 6], worked)
        model.add(sum(weekends) <= weekends_max)
    for name, *off in sections["SECTION_DAYS_OFF"]:
        for day in off:
            model.add(works_day[name, int(day)] == 0)
    for name, day, shift, weight in sections["SECTION_SHIFT_ON_REQUESTS"]:
        cost.append(int(weight) * (1 - works[name, int(day), shift]))
    for name, day, shift, weight in sections["SECTION_SHIFT_OFF_REQUESTS"]:
        cost.append(int(weight) * works[name, int(day), shift])
    staff = [row[0] for row in sections["SECTION_STAFF"]]
    for day, shift, wanted, under, over in sections["SECTION_COVER"]:
        less, more = (model.new_int_var(0, len(staff) + int(wanted), "") for _ in range(2))
        model.add(sum(works[name, int(day), shift] for name in staff) + less - more == int(wanted))
        cost.append(int(under) * less + int(over) * more)
    model.minimize(sum(cost))
    print(f"CP-SAT {path}: {minimized(cp_model, model, seconds, seed)}")


if __name__ == "__main__":
    peer, path, seconds, *seed = sys.argv[1:]
    run = {"pyvrp": run_pyvrp, "cp-sat": run_cp_sat, "cp-sat-roster": run_cp_sat_roster}[peer]
    run(path, float(seconds), int(seed[0]) if seed else 1)

"""Events per CPU-second of SimPy on the tandem of speed.rs: simpy_tandem.py ENTITIES."""
import random
import sys
import time

import simpy

SERVERS = [3, 6, 4, 8, 5, 12, 6, 3]


def entity(environment, stations, draw):
    for station, mean in stations:
        with station.request() as request:
            yield request
            yield environment.timeout(draw.expovariate(1 / mean))


def source(environment, stations, draw, entities):
    for _ in range(entities):
        yield environment.timeout(draw.expovariate(10))
        environment.process(entity(environment, stations, draw))


entities = int(sys.argv[1])
draw = random.Random(1)
environment = simpy.Environment()
stations = [(simpy.Resource(environment, capacity=servers), servers * 0.085) for servers in SERVERS]
begun = time.process_time()
environment.process(source(environment, stations, draw, entities))
environment.run()
print(entities * (1 + len(SERVERS)) / (time.process_time() - begun))

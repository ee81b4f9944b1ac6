"""What every yardstick shares: it takes steps when it is asked and says how long they took."""
import json
import sys
import time


def serve(step, **versions):
    """Prints the versions, then reads numbers of steps, a line each, and answers with seconds a step."""
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter()
        for _ in range(count):
            step()
        print((time.perf_counter() - start) / count, flush=True)

"""Fuzz a target by hand: `python tests/fuzz/run_fuzz.py TARGET [-max_total_time=600] [-seed=1] [CORPUS FOLDER]`.

With atheris (`pip install atheris`), guided by coverage of the package, and the options are libFuzzer's. Without it, by
random bytes and mutations of the corpus, with these two options. Either stops at the first input that breaks a law, or
takes more than 5 seconds of the processor, and says how to add it to the corpus. Memory is limited to 2 GB.
"""

import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
SECONDS, BYTES = 5, 2 << 30
sys.path[:0] = [str(HERE.parents[1]), str(HERE), str(HERE.parent / "common")]
os.environ.setdefault("MICROGRADLIB_CACHE_DIR", "off")
os.environ.setdefault("MICROGRADLIB_BACKEND", "numpy")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def mutated(rng, corpus):
    """Return random bytes, or an entry of the corpus with some bytes changed, inserted, removed or from another one."""
    if not corpus or rng.random() < 0.3:
        return rng.randbytes(rng.choice((8, 30, 80, 200, 400)))
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 2:
            del data[at : at + rng.randint(1, 8)]
        else:
            data[at:] = rng.choice(corpus)[at:]
    return bytes(data)


def by_chance(target, corpus, seconds, seed):
    """Run the target on random inputs until the time is over."""
    rng, end, runs = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutated(rng, corpus)
        runs += 1
        try:
            target(data)
        except Exception:
            print(f"after {runs} runs this input breaks a law: bytes.fromhex({data.hex()!r})")
            raise
    print(f"{runs} runs")


def limited(target):
    """Return the target with a limit on its processor time: a machine that is busy or asleep is not counted.

    libFuzzer's own limit, by the clock, needs SIGALRM, which is left to it: it ends native code that hangs.
    """

    def stop(*_):
        message = f"more than {SECONDS} seconds of the processor"
        raise TimeoutError(message)

    signal.signal(signal.SIGPROF, stop)

    def run(data):
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            target(data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    return run


def main():
    """Fuzz the target that the command line names."""
    name, *options = sys.argv[1:] or [""]
    try:
        import atheris  # noqa: PLC0415  an optional tool

        with atheris.instrument_imports(include=["microgradlib"]):
            from targets import TARGETS  # noqa: PLC0415
    except ImportError:
        atheris = None
        from targets import TARGETS  # noqa: PLC0415
    if name not in TARGETS:
        sys.exit(f"name a target: {', '.join(TARGETS)}")
    folder = HERE / "corpus" / name
    corpus = [path.read_bytes() for path in sorted(folder.glob("*"))] if folder.is_dir() else []
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    target = limited(TARGETS[name])
    if atheris is not None:
        seeds = [str(folder)] * folder.is_dir()
        atheris.Setup(
            [sys.argv[0], "-timeout=20", "-rss_limit_mb=2048", "-max_len=2000", "-len_control=0", *options, *seeds],
            target,
        )
        atheris.Fuzz()
        return
    given = dict(option.lstrip("-").split("=", 1) for option in options if "=" in option)
    by_chance(target, corpus, float(given.get("max_total_time", 600)), int(given.get("seed", 1)))


if __name__ == "__main__":
    main()

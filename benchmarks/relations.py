"""Relations beside DuckDB, clingo, networkx and scipy: the same graphs, int arrays in, a count out, equal counts asserted.

    python benchmarks/relations.py [--rounds 3] [--seconds 60] [--only NAME]

Each system runs in a process of its own that imports and builds its input first; the clock runs over putting the array in, deriving and
counting. Medians of the rounds. A system that is not installed, that passes the time limit, or that has no way to say the query is left
out. scipy stands twice: by sparse products (squaring until nothing is new), and by condensation to strongly connected components, which
is an algorithm for closures only and knows the result's blocks without deriving any pair.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from statistics import median

import numpy as np

LIMIT = 60


# --- inputs -----------------------------------------------------------------------------------------------------------


def chain(length: int) -> np.ndarray:
    return np.stack([np.arange(length), np.arange(1, length + 1)], 1)


def gnp(nodes: int, share: float) -> np.ndarray:
    return np.argwhere(np.random.default_rng(0).random((nodes, nodes)) < share)


def tree(depth: int) -> np.ndarray:
    children = np.arange(2, 2**depth)
    return np.stack([children, children // 2], 1)


def pointers(variables: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)

    def pairs(count: int, most: int) -> np.ndarray:
        return np.unique(np.stack([random.integers(variables, size=count), random.integers(most, size=count)], 1), axis=0)

    half = variables // 2
    return {
        "new": pairs(half, half),
        "assign": pairs(half, variables),
        "load": pairs(variables // 8, variables),
        "store": pairs(half, variables),
    }


CASES = {
    "closure of chain-400": ("closure", lambda: {"edge": chain(400)}),
    "closure of G(1000, .01)": ("closure", lambda: {"edge": gnp(1000, 0.01)}),
    "closure of G(5000, .001)": ("closure", lambda: {"edge": gnp(5000, 0.001)}),
    "closure of G(5000, .01)": ("closure", lambda: {"edge": gnp(5000, 0.01)}),
    "same generation, tree of depth 11": ("same_generation", lambda: {"up": tree(11)}),
    "points-to, 2000 variables": ("points_to", lambda: pointers(2000)),
}

RULES = {
    "closure": (("path",), "path(x, y) <- edge(x, y)\npath(x, z) <- path(x, y), edge(y, z)"),
    "same_generation": (("sg",), "sg(x, y) <- up(x, p), up(y, p), x != y\nsg(x, y) <- up(x, a), sg(a, b), up(y, b)"),
    "points_to": (
        ("pt", "heap"),
        "pt(v, o) <- new(v, o)\npt(v, o) <- assign(v, w), pt(w, o)\n"
        "heap(p, o) <- store(x, y), pt(x, p), pt(y, o)\npt(v, o) <- load(v, x), pt(x, p), heap(p, o)",
    ),
}


# --- systems ----------------------------------------------------------------------------------------------------------


def tlc(kind: str, data: dict[str, np.ndarray]):
    import tensorlogic as tl

    heads, rules = RULES[kind]
    program = "".join(f"relation {name}(int, int)\n" for name in data) + rules + "\n"
    module = tl.compile(program)

    def run() -> list[int]:
        knowledge = module._loaded.names["knowledge"]
        for name, array in data.items():
            knowledge.put(name, array)
        return [knowledge.count(head, (None, None)) for head in heads]

    return run


def duckdb(kind: str, data: dict[str, np.ndarray]):
    import duckdb as db

    if kind == "points_to":
        return None  # mutual recursion of two relations is no recursive CTE

    def run() -> list[int]:
        connection = db.connect()
        name, array = next(iter(data.items()))
        x, y = (np.ascontiguousarray(array[:, at]) for at in (0, 1))
        connection.register("source", {"x": x, "y": y})
        connection.execute(f"create table {name} as select x, y from source")
        query = {
            "closure": "with recursive path(x, y) as (select x, y from edge union select p.x, e.y from path p join edge e on p.y = e.x) "
            "select count(*) from path",
            "same_generation": "with recursive sg(x, y) as (select a.x, b.x from up a join up b on a.y = b.y where a.x <> b.x union "
            "select a.x, b.x from sg s join up a on a.y = s.x join up b on b.y = s.y) select count(*) from sg",
        }[kind]
        return [connection.execute(query).fetchall()[0][0]]

    return run


def clingo(kind: str, data: dict[str, np.ndarray]):
    import clingo as asp

    heads, rules = RULES[kind]
    named = {name: name.upper() for name in "vwxyzpoab"}
    text = []
    for line in rules.splitlines():
        head, body = line.split(" <- ")
        text.append("".join(_variables(part, named) for part in (head, " :- ", body)) + ".")
    program = "\n".join(text)

    def run() -> list[int]:
        control = asp.Control(["--warn=none"])
        facts = "".join(f"{name}({x},{y})." for name, array in data.items() for x, y in array.tolist())
        control.add("base", [], program + facts)
        control.ground([("base", [])])
        return [sum(1 for _ in control.symbolic_atoms.by_signature(head, 2)) for head in heads]

    return run


def _variables(text: str, named: dict[str, str]) -> str:
    return re.sub(r"\b[a-z]\b(?!\()", lambda match: named.get(match[0], match[0]), text)


def networkx(kind: str, data: dict[str, np.ndarray]):
    import networkx as nx

    if kind != "closure":
        return None

    def run() -> list[int]:
        graph = nx.DiGraph()
        graph.add_edges_from(data["edge"].tolist())
        return [nx.transitive_closure(graph).number_of_edges()]

    return run


def scipy(kind: str, data: dict[str, np.ndarray]):
    """Sparse products: squaring a closure, one product on each side for a generation, and rounds over all rules for points-to."""
    from scipy.sparse import csr_matrix

    size = 1 + max(int(array.max()) for array in data.values())

    def matrix(array: np.ndarray):
        found = csr_matrix((np.ones(len(array), dtype=bool), (array[:, 0], array[:, 1])), shape=(size, size))
        found.sum_duplicates()
        return found

    def closure() -> list[int]:
        known = matrix(data["edge"])
        while True:
            more = known + known @ known
            if more.nnz == known.nnz:
                return [int(more.nnz)]
            known = more

    def same_generation() -> list[int]:
        up = matrix(data["up"])
        known = new = (up @ up.T).tolil()
        known.setdiag(False)
        known = new = known.tocsr()
        known.eliminate_zeros()
        while new.nnz:
            new = up @ new @ up.T
            more = known + new
            if more.nnz == known.nnz:
                break
            known = more
        return [int(known.nnz)]

    def points_to() -> list[int]:
        new, assign, load, store = (matrix(data[name]) for name in ("new", "assign", "load", "store"))
        pt, heap = new, matrix(data["new"][:0])
        while True:
            more_heap = heap + pt.T @ (store @ pt)
            more = pt + assign @ pt + load @ (pt @ more_heap)
            if (more.nnz, more_heap.nnz) == (pt.nnz, heap.nnz):
                return [int(pt.nnz), int(heap.nnz)]
            pt, heap = more, more_heap

    return {"closure": closure, "same_generation": same_generation, "points_to": points_to}[kind]


def condensation(kind: str, data: dict[str, np.ndarray]):
    """Strongly connected components, the closure of the much smaller graph between them, and sizes multiplied."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    if kind != "closure":
        return None

    def run() -> list[int]:
        edge = data["edge"]
        size = 1 + int(edge.max())
        graph = csr_matrix((np.ones(len(edge), dtype=bool), (edge[:, 0], edge[:, 1])), shape=(size, size))
        count, label = connected_components(graph, connection="strong")
        between = np.unique(label[edge], axis=0)
        known = csr_matrix((np.ones(len(between), dtype=bool), (between[:, 0], between[:, 1])), shape=(count, count))
        while True:
            more = known + known @ known
            if more.nnz == known.nnz:
                break
            known = more
        sizes = np.bincount(label)
        pairs = more.tocoo()
        return [int((sizes[pairs.row] * sizes[pairs.col]).sum())]

    return run


SYSTEMS = {
    "tlc": tlc,
    "DuckDB": duckdb,
    "clingo": clingo,
    "networkx": networkx,
    "scipy products": scipy,
    "scipy condensation": condensation,
}


# --- measuring --------------------------------------------------------------------------------------------------------


def measure(case: str, system: str, rounds: int) -> dict:
    """In a process of its own: median seconds and the counts."""
    kind, make = CASES[case]
    run = SYSTEMS[system](kind, make())
    if run is None:
        return {}
    if system == "tlc":
        SYSTEMS[system]("closure", {"edge": chain(3)})()  # torch starts its threads once per process
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        counts = run()
        times.append(time.perf_counter() - start)
    return {"seconds": median(times), "counts": counts}


def in_process(case: str, system: str, rounds: int, seconds: float) -> dict | str:
    command = [sys.executable, __file__, "--measure", case, system, "--rounds", str(rounds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds * rounds + 30)
    except subprocess.TimeoutExpired:
        return f"> {seconds:.0f} s"
    if done.returncode:
        missing = "ModuleNotFoundError" in done.stderr
        return (
            "not installed"
            if missing
            else f"failed: {done.stderr.strip().splitlines()[-1][:60] if done.stderr.strip() else done.returncode}"
        )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=LIMIT, help="time limit of one round")
    parser.add_argument("--only", default="", help="a part of a case's name")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure, options.rounds)))
        return
    for case in (name for name in CASES if options.only in name):
        report(case, options.rounds, options.seconds)


def report(case: str, rounds: int, seconds: float) -> None:
    found = {system: in_process(case, system, rounds, seconds) for system in SYSTEMS}
    done = {system: result for system, result in found.items() if isinstance(result, dict) and result}
    counts = {tuple(result["counts"]) for result in done.values()}
    assert len(counts) == 1, (case, {system: result["counts"] for system, result in done.items()})
    peers = [result["seconds"] for system, result in done.items() if system not in ("tlc", "scipy condensation")]
    print(f"{case}: {', '.join(f'{count:,}' for count in next(iter(counts)))} facts", flush=True)
    for system, result in found.items():
        shown = f"{result['seconds'] * 1000:10.1f} ms" if isinstance(result, dict) and result else (result or "cannot say it")
        print(f"  {system:20} {shown}")
    if peers and "tlc" in done:
        print(f"  best peer / tlc      {min(peers) / done['tlc']['seconds']:10.2f}", flush=True)


if __name__ == "__main__":
    main()

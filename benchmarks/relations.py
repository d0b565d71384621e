"""Relations beside DuckDB, clingo, networkx and scipy: the same graphs, int arrays in, a count out, equal counts asserted.

    python benchmarks/relations.py [--rounds 3] [--seconds 20] [--threads 1] [--only NAME]

Each system runs in a process of its own that imports and builds its input first; the clock runs over putting the array in, deriving and
counting. Each may use as many threads as are given; clingo, networkx and scipy's sparse products have one in any case.
Medians of the rounds, of fewer where those pass the time limit. A system that is not installed, that passes the limit in its
first round, or that has no way to say the query is left out. scipy stands twice: by sparse products (squaring until nothing is new), and
by condensation to strongly connected components, which is an algorithm for closures only and knows the result's blocks without deriving
any pair. Shortest paths are scipy's and networkx's Dijkstra, and DuckDB's recursion that keeps the best row of a key.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from statistics import median

import numpy as np

LIMIT = 20
TUPLES = ("DuckDB", "clingo")
APART = ("tlc", "scipy condensation")  # what a case is not measured against


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


def roads(nodes: int, edges: int) -> dict[str, np.ndarray]:
    """Every node has a way of no length to itself; the other lengths are eighths, which float32 adds exactly."""
    random = np.random.default_rng(2)
    pairs = np.unique(random.integers(nodes, size=(edges, 2)), axis=0)
    pairs = np.concatenate((pairs[pairs[:, 0] != pairs[:, 1]], np.arange(nodes)[:, None].repeat(2, 1)))
    length = np.where(pairs[:, 0] == pairs[:, 1], 0.0, random.integers(8, 800, size=len(pairs)) / 8)
    return {"road": np.concatenate((pairs, length[:, None]), 1)}


CASES = {
    "closure of chain-400": ("closure", lambda: {"edge": chain(400)}),
    "closure of G(1000, .01)": ("closure", lambda: {"edge": gnp(1000, 0.01)}),
    "closure of G(5000, .001)": ("closure", lambda: {"edge": gnp(5000, 0.001)}),
    "closure of G(5000, .01)": ("closure", lambda: {"edge": gnp(5000, 0.01)}),
    "same generation, tree of depth 11": ("same_generation", lambda: {"up": tree(11)}),
    "points-to, 2000 variables": ("points_to", lambda: pointers(2000)),
    "shortest paths from one of 10,000 nodes": ("from_one", lambda: roads(10_000, 50_000)),
    "shortest paths of all pairs of 1,000 nodes": ("all_pairs", lambda: roads(1000, 5000)),
}
DENSE = "closure of G(5000, .01)"  # must be 3 times as fast as the tuple engines

FAR = "far(x, z) min= road(x, z)\nfar(x, z) min= far(x, y), road(y, z)"
RULES = {
    "from_one": (("far",), FAR),
    "all_pairs": (("far",), FAR),
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
    from tensorlogic.runtime.relations import Known

    heads, rules = RULES[kind]
    weight = ": float32" if "road" in data else ""
    program = "".join(f"relation {name}(int, int){weight}\n" for name in data) + rules + "\n"
    module = tl.compile(program)
    start = Known(0) if kind == "from_one" else None

    def run() -> list[int]:
        knowledge = module._loaded.names["knowledge"]
        for name, array in data.items():
            knowledge.put(name, array)
        return [knowledge.count(head, (start, None)) for head in heads]

    return run


def duckdb(kind: str, data: dict[str, np.ndarray]):
    import duckdb as db

    if kind not in QUERIES:
        return None

    def run() -> list[int]:
        connection = db.connect(config={"threads": int(os.environ.get("OMP_NUM_THREADS", "1"))})
        name, array = next(iter(data.items()))
        columns = {column: np.ascontiguousarray(array[:, at]) for at, column in enumerate(("x", "y", "w")[: array.shape[1]])}
        connection.register("source", columns)
        connection.execute(f"create table {name} as select * from source")
        return [connection.execute(QUERIES[kind]).fetchall()[0][0]]

    return run


# mutual recursion of two relations is no recursive common table expression
QUERIES = {
    "closure": "with recursive path(x, y) as (select x, y from edge union select p.x, e.y from path p join edge e on p.y = e.x) "
    "select count(*) from path",
    "same_generation": "with recursive sg(x, y) as (select a.x, b.x from up a join up b on a.y = b.y where a.x <> b.x union "
    "select a.x, b.x from sg s join up a on a.y = s.x join up b on b.y = s.y) select count(*) from sg",
    "from_one": "with recursive far(z, d) using key (z) as (select y, w from road where x = 0 union select e.y, min(f.d + e.w) "
    "from far f join road e on f.z = e.x left join recurring.far k on k.z = e.y group by e.y, k.d "
    "having k.d is null or min(f.d + e.w) < k.d) select count(*) from far",
    "all_pairs": "with recursive far(x, z, d) using key (x, z) as (select x, y, w from road union select f.x, e.y, min(f.d + e.w) "
    "from far f join road e on f.z = e.x left join recurring.far k on k.x = f.x and k.z = e.y group by f.x, e.y, k.d "
    "having k.d is null or min(f.d + e.w) < k.d) select count(*) from far",
}


def clingo(kind: str, data: dict[str, np.ndarray]):
    import clingo as asp

    heads, rules = RULES[kind]
    if "min=" in rules:
        return None
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

    def closure() -> list[int]:
        graph = nx.DiGraph()
        graph.add_edges_from(data["edge"].tolist())
        return [nx.transitive_closure(graph).number_of_edges()]

    def graph():
        found = nx.DiGraph()
        found.add_weighted_edges_from((int(x), int(y), w) for x, y, w in data["road"].tolist())
        return found

    def from_one() -> list[int]:
        return [len(nx.single_source_dijkstra_path_length(graph(), 0))]

    def all_pairs() -> list[int]:
        return [sum(len(found) for _, found in nx.all_pairs_dijkstra_path_length(graph()))]

    return {"closure": closure, "from_one": from_one, "all_pairs": all_pairs}.get(kind)


def scipy(kind: str, data: dict[str, np.ndarray]):
    """Sparse products: squaring a closure, one product on each side for a generation, and rounds over all rules for points-to."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    size = 1 + max(int(array[:, :2].max()) for array in data.values())

    def lengths():
        x, y, w = data["road"].T
        return csr_matrix((w, (x.astype(np.int64), y.astype(np.int64))), shape=(size, size))

    def from_one() -> list[int]:
        return [int(np.isfinite(dijkstra(lengths(), indices=0)).sum())]

    def all_pairs() -> list[int]:
        return [int(np.isfinite(dijkstra(lengths())).sum())]

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
        pairs = (up @ up.T).tolil()
        pairs.setdiag(False)
        known = new = pairs.tocsr()
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

    runs = {"closure": closure, "same_generation": same_generation, "points_to": points_to, "from_one": from_one, "all_pairs": all_pairs}
    return runs[kind]


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


def measure(case: str, system: str, rounds: int, seconds: float) -> dict:
    """In a process of its own: median seconds and the counts."""
    kind, make = CASES[case]
    run = SYSTEMS[system](kind, make())
    if run is None:
        return {}
    if system == "tlc":
        SYSTEMS[system]("closure", {"edge": chain(3)})()  # torch starts its threads once per process
    times: list[float] = []
    while len(times) < rounds and sum(times) < seconds:
        start = time.perf_counter()
        counts = run()
        times.append(time.perf_counter() - start)
    return {"seconds": median(times), "counts": counts}


def in_process(case: str, system: str, rounds: int, seconds: float, threads: int) -> dict | str:
    command = [sys.executable, __file__, "--measure", case, system, "--rounds", str(rounds), "--seconds", str(seconds)]
    try:
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, env=environment)
    except subprocess.TimeoutExpired:
        return f"> {seconds:.0f} s"
    if "ModuleNotFoundError" in done.stderr:
        return "not installed"
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1][:60] if done.stderr.strip() else done.returncode}"
    return json.loads(done.stdout.splitlines()[-1]) or "cannot say it"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=LIMIT, help="time limit of one system on one case")
    parser.add_argument("--threads", type=int, default=1, help="of each system that can use them")
    parser.add_argument("--only", default="", help="a part of a case's name")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        case, system = options.measure
        print(json.dumps(measure(case, system, options.rounds, options.seconds)))
        return
    verdicts = [report(case, options.rounds, options.seconds, options.threads) for case in CASES if options.only in case]
    print("\n".join(("", *verdicts)))


def report(case: str, rounds: int, seconds: float, threads: int) -> str:
    """Prints what each system takes; the verdict in a line."""
    found = {system: in_process(case, system, rounds, seconds, threads) for system in SYSTEMS}
    done = {system: result for system, result in found.items() if isinstance(result, dict)}
    counts = {tuple(result["counts"]) for result in done.values()}
    assert len(counts) == 1, (case, {system: result["counts"] for system, result in done.items()})
    print(f"{case}: {', '.join(f'{count:,}' for count in next(iter(counts)))} facts")
    for system, result in found.items():
        print(f"  {system:20} {result['seconds'] * 1000:10.1f} ms" if isinstance(result, dict) else f"  {system:20} {result}", flush=True)
    return f"verdict {case}: {verdict(case, found, done, seconds)}"


def verdict(case: str, found: dict[str, dict | str], done: dict[str, dict], seconds: float) -> str:
    if "tlc" not in done:
        return f"NO RESULT, {found['tlc']}"
    own = done["tlc"]["seconds"]
    best, peer = min(
        ((result["seconds"], system) for system, result in done.items() if system not in APART), default=(seconds, "the limit")
    )
    text = f"{best / own:.2f} x as fast as the best peer ({peer})"
    if "scipy condensation" in done:
        text += f", {done['scipy condensation']['seconds'] / own:.2f} x as condensation"
    if "shortest" in case:
        return text + ", no target"
    good = best >= own
    if case == DENSE:
        tuples = min(
            (done[name]["seconds"] if name in done else seconds for name in TUPLES if found[name] != "not installed"), default=seconds
        )
        text += f", at least {tuples / own:.1f} x as the tuple engines (target 3)"
        good = good and tuples >= 3 * own
    return ("good, " if good else "TOO SLOW, ") + text


if __name__ == "__main__":
    main()

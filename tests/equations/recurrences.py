"""Random recurrences that need each other, and their states one after the other in numpy."""

from random import Random

import numpy as np

WIDTH = 2


class RecurrenceCase:
    """Some tensors `S0, S1, ...` with one or two first states, and some `Z0, ...` between them; each a sum of what it may read."""

    def __init__(self, seed: int):
        random = self.random = Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.name, self.steps = f"f{seed}", random.choice([0, 1, 4])
        self.backward = self.steps > 0 and random.random() < 0.3
        self.lag = random.choice([1, 1, 2])
        self.states = [f"S{n}" for n in range(random.randint(1, 3))]
        self.between = [f"Z{n}" for n in range(random.randint(0, 2))] if self.lag == 1 and not self.backward else []
        self.tensors: dict[str, np.ndarray] = {}
        self.reads: dict[str, list[tuple[str, int, str]]] = {}
        for at, name in enumerate(self.between):
            self.reads[name] = [self._read(random.choice(self.states), 0), *((z, 0, self._weight()) for z in self.between[:at][:1])]
        for at, name in enumerate(self.states):
            known = [
                self._read(other, random.randrange(self.lag)) for other in random.sample(self.states, random.randint(1, len(self.states)))
            ]
            known += [(z, 0, self._weight()) for z in self.between]
            if at and random.random() < 0.5:
                known.append((self.states[at - 1], self.lag, self._weight()))
            self.reads[name] = known
        self.firsts = {name: [self._tensor("h", (WIDTH,)) for _ in range(self.lag)] for name in self.states}
        self.inputs = {name: self._tensor("X", (self.steps, WIDTH)) for name in (*self.states, *self.between)}

    def _read(self, name: str, added: int) -> tuple[str, int, str]:
        return name, added, self._weight()

    def _weight(self) -> str:
        return self._tensor("W", (WIDTH, WIDTH))

    def _tensor(self, kind: str, shape: tuple[int, ...]) -> str:
        name = f"{kind}{len(self.tensors)}"
        self.tensors[name] = self.numbers.uniform(-0.5, 0.5, shape)
        return name

    def result(self) -> list[np.ndarray]:
        """All states of each tensor, from place 0 on."""
        known = {name: [self.tensors[first] for first in self.firsts[name]] for name in self.states} | {name: [] for name in self.between}
        for step in range(self.steps):
            for name in (*self.between, *self.states):
                place = self.steps - 1 - step if self.backward else step
                value = np.tanh(self.tensors[self.inputs[name]][place])
                for other, added, weight in self.reads[name]:
                    value = value + self.tensors[weight] @ known[other][step + added]
                known[name].append(value)
        return [np.array(known[name]).reshape(-1, WIDTH)[:: -1 if self.backward else 1] for name in (*self.states, *self.between)]

    def function(self) -> str:
        lines = [line for name in self.states for line in self._first_lines(name)]
        steps = [self._line(name) for name in (*self.between, *self.states)]
        self.random.shuffle(steps)
        types = [f"{name}: f64[{', '.join(map(str, value.shape))}]" for name, value in self.tensors.items()]
        count = self.steps + self.lag
        results = [f"f64[{count}, {WIDTH}]"] * len(self.states) + [f"f64[{self.steps}, {WIDTH}]"] * len(self.between)
        names = [*self.states, *self.between]
        body = "".join(f"    {line}\n" for line in (*lines, *steps))
        shape, value = (f"({', '.join(results)})", f"({', '.join(names)})") if len(names) > 1 else (results[0], names[0])
        return f"fn {self.name}({', '.join(types)}) -> {shape} {{\n{body}    return {value}\n}}\n"

    def _first_lines(self, name: str) -> list[str]:
        last = self.steps + self.lag - 1
        places = [f"{last + 1} - {at + 1}" if self.backward else str(at) for at in range(self.lag)]
        return [f"{name}[{place}, i] = {first}[i]" for place, first in zip(places, self.firsts[name], strict=True)]

    def _line(self, name: str) -> str:
        own = self.lag if name in self.states else 0
        parts = [f"tanh({self.inputs[name]}[t, i])"]
        for at, (other, added, weight) in enumerate(self.reads[name]):
            parts.append(f"{weight}[i, j{at}] {other}[{self._place(added)}, j{at}]")
        self.random.shuffle(parts)
        return f"{name}[{self._place(own)}, i] = {' + '.join(parts)}"

    def _place(self, added: int) -> str:
        """Going back, `t` is the place that is written in front of the states that are known."""
        added = self.lag - added if self.backward else added
        return "t" if not added else f"t + {added}"

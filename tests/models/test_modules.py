"""Models are modules like any other, both those that the compiler gives and those of the Python that `tlc build` writes: whatever PyTorch
does with a module written by hand, it does with them, and comes to the same."""

import io
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import tensorlogic as tl

TEXT = """
model Block(D: int) {
    norm: LayerNorm(D)
    up: Linear(D, 2 * D)
    down: Linear(2 * D, D, bias: false)
    fn forward(x: f32[...B, D]) -> f32[...B, D] { return x + down(gelu(up(norm(x)))) }
}
model Net(V: int, D: int, L: int) where D % 2 == 0 {
    table: Embedding(V, D)
    blocks: [Block(D); L]
    mix: Conv1d(D, D, 3, padding: 1)
    seen: BatchNorm1d(D)
    memory: LSTM(D, D)
    param scale: f32[D] = ones()
    buffer calls: f32[] = zeros()
    fn forward(ids: int64[B, T]) -> f32[B, V] {
        let x = table(ids)
        for block in blocks { x = block(x) }
        if training { calls = calls + 1.0 }
        let y = seen(mix(x.transpose(1, 2))).transpose(1, 2)
        return memory(y * scale)[:, -1] @ table.weight.transpose(0, 1)
    }
}
"""
SIZES = {"V": 11, "D": 8, "L": 2}
IDS = torch.tensor([[1, 5, 1, 0], [3, 2, 10, 4]])


class Block(nn.Module):
    def __init__(self, D: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(D), nn.Linear(D, 2 * D), nn.Linear(2 * D, D, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(F.gelu(self.up(self.norm(x))))


class ByHand(nn.Module):
    """What the text above says, as one writes it."""

    def __init__(self, V: int, D: int, L: int) -> None:
        super().__init__()
        self.table = nn.Embedding(V, D)
        self.blocks = nn.ModuleList(Block(D) for _ in range(L))
        self.mix, self.seen = nn.Conv1d(D, D, 3, padding=1), nn.BatchNorm1d(D)
        self.memory = nn.LSTM(D, D, batch_first=True)
        self.scale = nn.Parameter(torch.ones(D))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.table(ids)
        for block in self.blocks:
            x = block(x)
        if self.training:
            self.calls += 1.0
        y = self.seen(self.mix(x.transpose(1, 2))).transpose(1, 2)
        return self.memory(y * self.scale)[0][:, -1] @ self.table.weight.T


def compiled(folder: Path) -> type:
    return tl.compile(TEXT).Net  # type: ignore[return-value]


def built(folder: Path) -> type:
    (folder / "net.tl").write_text(TEXT)
    tl.build(str(folder / "net.tl"), folder / "net_py.py")
    names: dict[str, type] = {}
    exec(compile((folder / "net_py.py").read_text(), "net_py.py", "exec"), names)  # type: ignore[arg-type]
    return names["Net"]


@pytest.fixture(scope="module", params=[compiled, built], ids=["compiled", "built"])
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], nn.Module]:
    kind = request.param(tmp_path_factory.mktemp("model"))

    def made() -> nn.Module:
        torch.manual_seed(0)
        return kind(**SIZES)

    return made


def by_hand() -> nn.Module:
    torch.manual_seed(0)
    return ByHand(**SIZES)


def same(ours: nn.Module, other: nn.Module) -> None:
    torch.testing.assert_close(ours.state_dict(), other.state_dict())


def test_names_and_first_values(make: Callable[[], nn.Module]) -> None:
    ours, other = make(), by_hand()
    for names in ("named_parameters", "named_buffers"):
        assert {n: t.shape for n, t in getattr(ours, names)()} == {n: t.shape for n, t in getattr(other, names)()}
    assert [n for n, _ in ours.named_children()] == [n for n, _ in other.named_children()]
    torch.testing.assert_close(ours.state_dict(), dict(other.state_dict()), rtol=0.0, atol=0.0)


OPTIMIZERS = {
    name: kind
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and name not in ("Optimizer", "SparseAdam", "LBFGS", "Muon")
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(make: Callable[[], nn.Module], name: str) -> None:
    models = make(), by_hand()
    for model in models:
        optimizer = OPTIMIZERS[name](model.parameters(), lr=1e-3)
        for _ in range(2):
            optimizer.zero_grad()
            F.cross_entropy(model(IDS), IDS[:, 0]).backward()
            optimizer.step()
    same(*models)


def test_lbfgs_calls_the_model_itself(make: Callable[[], nn.Module]) -> None:
    models = make(), by_hand()
    for model in models:
        optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)

        def closure(model: nn.Module = model, optimizer: torch.optim.Optimizer = optimizer) -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(IDS), IDS[:, 0])
            loss.backward()
            return loss

        optimizer.step(closure)
    same(*models)


def test_saved_and_loaded(make: Callable[[], nn.Module]) -> None:
    ours, other = make(), by_hand()
    ours(IDS)
    file = io.BytesIO()
    torch.save(ours.state_dict(), file)
    file.seek(0)
    assert other.load_state_dict(torch.load(file, weights_only=True), strict=True).missing_keys == []
    assert torch.equal(ours.eval()(IDS), other.eval()(IDS)) and other.calls.item() == 1.0
    fresh = make()
    fresh.load_state_dict(other.state_dict(), strict=True)
    assert torch.equal(fresh.eval()(IDS), ours(IDS))
    with pytest.raises(RuntimeError, match="Missing key"):
        fresh.load_state_dict({}, strict=True)


def test_copies_are_apart(make: Callable[[], nn.Module]) -> None:
    ours = make().eval()
    copy, before = deepcopy(ours), ours(IDS)
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.zero_()
    assert torch.equal(ours(IDS), before) and not copy(IDS).any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_other_dtypes(make: Callable[[], nn.Module], dtype: torch.dtype) -> None:
    """The argument of this model is ids, so the dtype of its weights is its own affair."""
    ours, other = make().to(dtype).eval(), by_hand().to(dtype).eval()
    assert {t.dtype for t in ours.parameters()} == {dtype}
    assert ours(IDS).dtype == dtype
    torch.testing.assert_close(ours(IDS), other(IDS))
    torch.testing.assert_close(make().half().float().eval()(IDS), by_hand().half().float().eval()(IDS))


def test_hooks_run(make: Callable[[], nn.Module]) -> None:
    ours, seen = make().eval(), []
    for name, module in ours.named_modules():
        module.register_forward_hook(lambda _, given, result, name=name: seen.append(name))
    ours(IDS)
    blocks = [f"blocks.{n}{part}" for n in (0, 1) for part in (".norm", ".up", ".down", "")]
    assert seen == ["table", *blocks, "mix", "seen", "memory", ""]
    ours.register_forward_pre_hook(lambda _, given: (given[0].flip(1),))
    assert torch.equal(ours(IDS), make().eval()(IDS.flip(1)))


def test_functional_calls_and_transforms(make: Callable[[], nn.Module]) -> None:
    ours, other = make().eval(), by_hand().eval()
    other.load_state_dict({name: 0.5 * tensor for name, tensor in ours.state_dict().items()})
    halves = dict(other.state_dict())
    torch.testing.assert_close(torch.func.functional_call(ours, halves, (IDS,)), other(IDS))

    def loss(parameters: dict[str, Tensor], model: nn.Module) -> Tensor:
        return torch.func.functional_call(model, parameters, (IDS,)).square().mean()

    mine, others = (torch.func.grad(loss)(dict(model.named_parameters()), model) for model in (ours, by_hand().eval()))
    torch.testing.assert_close(mine, others)


def test_compiled_by_pytorch(make: Callable[[], nn.Module]) -> None:
    torch.compiler.reset()
    ours, plain = make(), make()
    fast = torch.compile(ours, fullgraph=True, backend="aot_eager")
    for ids in (IDS, IDS[:, :3]):
        torch.testing.assert_close(fast(ids), plain(ids))
    fast(IDS).sum().backward()
    plain(IDS).sum().backward()
    torch.testing.assert_close({n: p.grad for n, p in ours.named_parameters()}, {n: p.grad for n, p in plain.named_parameters()})
    same(ours, plain)


def test_exported(make: Callable[[], nn.Module]) -> None:
    ours = make().eval()
    open_batch = {"ids": {0: torch.export.Dim("B", min=2)}}  # PyTorch unrolls an LSTM: the length is fixed
    exported = torch.export.export(ours, (IDS,), dynamic_shapes=open_batch)
    more = torch.randint(0, 11, (3, 4))
    torch.testing.assert_close(exported.module()(more), ours(more))
    assert set(exported.state_dict) == set(ours.state_dict())


def test_parts_of_other_modules(make: Callable[[], nn.Module]) -> None:
    whole, other = nn.Sequential(make(), nn.Linear(11, 2)), nn.Sequential(by_hand(), nn.Linear(11, 2))
    other.load_state_dict(whole.state_dict())
    torch.testing.assert_close(whole(IDS), other(IDS))
    assert list(dict(whole.named_parameters()))[-1] == "1.bias" and "0.blocks.1.up.weight" in whole.state_dict()
    whole.requires_grad_(False).apply(lambda module: module.eval())
    assert not any(parameter.requires_grad for parameter in whole.parameters()) and not whole[0].blocks[0].norm.training


def test_what_is_built_needs_pytorch_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(__file__).resolve().parents[2] / "examples" / "lib" / "gpt2.tl"
    torch.manual_seed(0)
    ours = tl.compile(source).GPT(V=11, C=8, D=8, H=2, L=1).eval()
    tl.build(source, tmp_path / "gpt2_py.py")
    with monkeypatch.context() as patched:
        for name in [name for name in sys.modules if name.partition(".")[0] == "tensorlogic"]:
            patched.setitem(sys.modules, name, None)  # importing it is now an error
        names: dict[str, type] = {}
        exec(compile((tmp_path / "gpt2_py.py").read_text(), "gpt2_py.py", "exec"), names)  # type: ignore[arg-type]
        torch.manual_seed(0)
        alone = names["GPT"](V=11, C=8, D=8, H=2, L=1).eval()
        assert torch.equal(alone(IDS), ours(IDS))

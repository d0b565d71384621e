"""Where the checker and PyTorch differ: what the language specifies, and the few faults of PyTorch itself."""

from dataclasses import dataclass

from tensorlogic.types.types import AnyTensor, Fn, Library


@dataclass(frozen=True, slots=True)
class Row:
    """Calls of these builtins (`*`: all) about which this is said. `cites` is a sentence of LANGUAGE.md, or for a fault PyTorch's own."""

    builtins: tuple[str, ...]
    said: str  # the code of the refusal and how its message begins, or a part of what PyTorch says
    cites: str

    def is_about(self, name: str) -> bool:
        return self.builtins == EVERY or name in self.builtins

    def matches(self, said: str) -> bool:
        return said.startswith(self.said) if self.said.startswith("TL") else self.said in said


EVERY = ("*",)
_OWN = ("rope", "tt_ranks", "tt_reconstruct", "tt_svd", "tucker", "tucker_reconstruct", "khatri_rao", "attention_mask")
_HEADS = "groups heads when `G` divides `H`"
# What LANGUAGE.md demands and PyTorch does not. The tests assert that the refusal has this code and that PyTorch accepts.
SPECIFIED = (
    *(Row(EVERY, f"must have {kind} dtype, found", "kinds `float int number any`") for kind in ("a float", "an integer", "a number")),
    Row(("tolist",), "TL0302 `x` must have a real dtype", "Host types: `int float bool string void`"),
    Row(EVERY, "TL0302", "Two tensors of different float dtypes do not mix"),
    Row(EVERY, "TL0303", "the lower-rank operand must broadcast *into* the other"),
    Row(("chunk",), "TL0309", "`chunk(x, n)` needs `n` to divide (`TL0309`)"),
    Row(("split",), "TL0306", "an int there is `TL0306` with advice"),
    Row(("diff",), "TL0310 a size of the result", "Derived sizes must be >= 0"),
    Row(("cross_entropy", "nll_loss"), "TL0301", "`cross_entropy(logits[...B, C], targets[...B])` has the\n  classes last"),
    Row(("cross_entropy", "nll_loss"), "TL0304", "`cross_entropy(logits[...B, C], targets[...B])` has the\n  classes last"),
    *(Row(("attention",), said, _HEADS) for said in ("TL0301", "TL0304 `q`", "TL0304 `k`", "TL0304 `v`", "TL0311")),
    # what PyTorch does not have is what its declaration says
    *(Row(_OWN, said, "the declarations behind it are the contract for the library's names") for said in ("TL0301", "TL0304", "TL0311")),
)
# What PyTorch itself does wrong, refuses although its documentation has it, or takes although its documentation refuses it.
FAULTS = (
    Row(
        ("attention",),
        "TL0304 the mask",
        "takes a mask of one dim for some ranks: 'Dimension out of range (expected to be in range of [-1, 0])'",
    ),
    Row(("batch_norm", "instance_norm"), "_norm` has another number of dims", "counts the elements of parameters, documented as [C]"),
    Row(("bilinear",), "of `bilinear` has another number of dims", "compares the first size of its bias only, which is documented as [O]"),
    Row(("adaptive_avg_pool2d",), "TL0304 the input", "takes other ranks than 3 and 4 where the output is 1 x 1, which is a mean then"),
    Row(("logsumexp",), "doesn't match the broadcast shape", "takes an empty list of axes only of scalars: 'output with shape []'"),
    Row(("pad",), "not implemented for 'Bool'", "'replication_pad1d not implemented for Bool'"),
    Row(("linear",), "TL0304", "takes some biases with other numbers of dims than the documented (out_features) or ()"),
    Row(
        ("conv_transpose2d",),
        "TL0310 the result of the window",
        "'Output size is too small' of an empty result, unless another axis is not",
    ),
    Row(EVERY, "not implemented for 'Float8", "'nonzero_count_cpu not implemented for Float8_e5m2'"),
    Row(
        EVERY,
        "must have a real dtype",
        "'cummax_cpu not implemented for ComplexFloat', but takes a scalar or no elements, which it does not compare",
    ),
)
# Builtins whose result depends on values, so that its type says less than PyTorch gives.
LOOSE = {
    "arange": "the number of steps between floats",
    "bincount": "the largest number",
    "masked_select": "how many are true",
    "nonzero": "how many are not zero",
    "unique": "how many are different",
    "pad_sequences": "the longest list",
}
# Builtins that PyTorch cannot run without data: they run on the CPU only.
DATA = ("bincount", "equal", "item", "masked_select", "nonzero", "tolist", "unique")
# Modules of the library whose builtins are about more than one call of PyTorch; they have tests of their own.
ELSEWHERE = {
    "data": "records, batches and windows: host values",
    "training": "optimizers, schedules and gradients of the operations before",
    "weights": "models on disk",
}
# Types of parameters for which nothing is drawn, so that the overloads which need one are left out.
NOT_DRAWN = {
    AnyTensor: "block-quantized tensors, which PyTorch does not have",
    Library: "devices, models, optimizers: objects of a run",
    Fn: "functions of the program",
}

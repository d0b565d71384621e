"""All passes in their order, from the IR of a checked program to the IR that becomes Python."""

from tensorlogic.ir.ir import Module
from tensorlogic.passes.contract_logarithms import contract_logarithms
from tensorlogic.passes.fuse_affine import fuse_affine
from tensorlogic.passes.recognize_attention import recognize_attention
from tensorlogic.passes.recognize_cross_entropy import recognize_cross_entropy
from tensorlogic.passes.recognize_logarithms import recognize_logarithms

PASSES = (recognize_attention, recognize_logarithms, contract_logarithms, recognize_cross_entropy, fuse_affine)


def optimized(module: Module) -> Module:
    for change in PASSES:
        module = change(module)
    return module

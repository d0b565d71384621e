"""Builtins that read and write models on disk. What is known of a file's header is the checker's affair."""

from tensorlogic.stdlib.costs import FREE
from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin
from tensorlogic.types.mistakes import WrongType
from tensorlogic.types.types import AnyTensor, Bool, Float, Int, Library, List, String, Struct, Tensor, Tuple, Type


@builtin(
    "load_model<T: any>(path: string, dtype: DType<T> = none) -> Model",
    infer=lambda call: call.model(call.types["path"], call.types.get("dtype")),
    effect="file",
    cost=FREE,
)
def load_model(path, dtype=None):
    """A model file (.safetensors, .gguf), or a folder in Hugging Face layout. Its tensors keep their types unless `dtype` is given."""
    return runtime.weights.load_model(path, dtype=dtype)


def _names(call) -> Type:
    """Of a file whose header was read they are known."""
    model = call.types["model"]
    header = model.header if isinstance(model, Library) else None
    return List(String(), tuple(String(name) for name in header)) if header else call.result


@builtin("tensor_names(model: Model) -> [string]", infer=_names, effect="file", cost=FREE)
def tensor_names(model):
    """The names of the tensors of a model or of a model file, as `m["name"]` takes them and `save_model` writes them."""
    return runtime.weights.tensor_names(model)


def _saved(call) -> Type:
    """What has no names for its tensors is no model."""
    found = call.types["model"]
    if isinstance(found, Int | Float | Bool | String | List | Tuple | Tensor | AnyTensor | Struct):
        call.need.fail(WrongType("`model` of `save_model`", "a model", found, "declare the tensors as `param` or `buffer` of a `model`"))
    return call.result


@builtin(
    "load(model: Model, path: string, rename: [(string, string)] = none, transpose: [string] = none) -> void",
    effect="file",
    cost=FREE,
)
def load(model, path, rename=None, transpose=None):
    """Fill a model from a file, by name: `rename` maps parts of the file's names to the model's, `transpose` lists patterns of names."""
    return runtime.weights.load(model, path, rename, transpose)


@builtin("save_model(model: any, path: string, dtype: any = none) -> void", infer=_saved, effect="file", cost=FREE)
def save_model(model, path, dtype=None):
    """Write the tensors of a model; the suffix of the path says how: .safetensors, .gguf, or a folder."""
    return runtime.weights.save_model(model, path, dtype=dtype)

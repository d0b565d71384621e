"""Builtins that read and write models on disk. What is known of a file's header is the checker's affair."""

from tensorlogic.stdlib.lazy import runtime
from tensorlogic.stdlib.registry import builtin


@builtin(
    "load_model<T: any>(path: string, dtype: DType<T> = none) -> Model",
    infer=lambda call: call.model(call.types["path"]),
    effect="file",
)
def load_model(path, dtype=None):
    """A model file (.safetensors, .gguf), or a folder in Hugging Face layout. Its tensors keep their types unless `dtype` is given."""
    return runtime.weights.load_model(path, dtype=dtype)


@builtin("save_model(model: any, path: string, dtype: any = none) -> void", effect="file")
def save_model(model, path, dtype=None):
    """Write the tensors of a model; the suffix of the path says how: .safetensors, .gguf, or a folder."""
    return runtime.weights.save_model(model, path, dtype=dtype)

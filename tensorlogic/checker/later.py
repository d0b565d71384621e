"""Names of the library that the language has and this version does not yet: a clear message instead of "unknown name"."""

LATER = frozenset(
    [
        "RNN",
        "LSTM",
        "GRU",
        "TTLinear",
        "TuckerLinear",
        "LoRALinear",
        "train",
        "eval",
        "params",
        "sgd",
        "adam",
        "adamw",
        "backward",
        "grad",
        "batches",
        "windows",
        "mean_loss",
        "every",
        "load",
        "load_tokenizer",
        "generate",
        "lora",
        "save_adapter",
        "load_adapter",
        "warmup_cosine",
        "embed",
        "apply",
    ]
)

"""Names of the library that the language has and this version does not yet: a clear message instead of "unknown name"."""

LATER = frozenset(
    [
        "RNN",
        "LSTM",
        "GRU",
        "TTLinear",
        "TuckerLinear",
        "LoRALinear",
        "batches",
        "windows",
        "load_tokenizer",
        "generate",
        "embed",
        "apply",
    ]
)

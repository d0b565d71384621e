"""Where the checker and PyTorch differ on purpose, each with its reason. `*` stands for every builtin."""

_NO_VECTOR = "a scalar is no vector"
_RANK = "the signature says the number of dims, where PyTorch takes others in some cases"
_ONES = "sizes of one name are equal, where PyTorch would broadcast a 1"
_BATCH = {"TL0304": _RANK, "TL0301": _ONES}

# Codes (and how the messages begin) with which the checker refuses what PyTorch takes.
STRICTER: dict[str, dict[str, str]] = {
    "*": {
        "TL0302": "two float dtypes do not mix, where PyTorch promotes (LANGUAGE.md section 2)",
        "TL0303": "the accidental broadcast of a lower rank (LANGUAGE.md section 2)",
        "TL0310 the list of axes is empty": "PyTorch's functions do not agree whether that is all axes or none",
        "TL0310 an axis is named twice": "always a slip",
        "TL0310 axis 0 is out of range for []": "a scalar has no axis",
        "TL0310 axis -1 is out of range for []": "a scalar has no axis",
    },
    "chunk": {"TL0309": "the number must divide (LANGUAGE.md section 3)"},
    "split": {"TL0306": "an int there is refused with advice (LANGUAGE.md section 3)"},
    "reshape": {"TL0308": "a -1 beside a size of 0"},
    "view": {"TL0308": "a -1 beside a size of 0"},
    "one_hot": {"TL0310": "-1 counts the classes when the program runs: the type would not say how many"},
    "adaptive_avg_pool2d": {"TL0304": "PyTorch takes other ranks only where the output is 1"},
    "attention": {
        "TL0301": "a mask of one dim, of which PyTorch takes some",
        "TL0304": "a mask of one dim, of which PyTorch takes some",
        "TL0311": "the heads of keys divide those of queries, also where one head of queries would broadcast",
    },
    "rope": {"TL0311": "pairs of the last axis: it is even", "TL0301": "one position for each row", "TL0304": "one position for each row"},
    "batch_norm": {"TL0304": _NO_VECTOR},
    "tt_svd": {"TL0310": "a rank of 0 or below means nothing"},
    "roll": {"TL0304": "as many shifts as axes"},
    "dequantize": {"TL0306": "only what is quantized"},
    **dict.fromkeys(("linear", "bilinear", "addmm", "baddbmm", "khatri_rao", "lstsq", "solve", "solve_triangular"), _BATCH),
    **dict.fromkeys(("attention_mask", "cross_entropy", "nll_loss", "instance_norm"), {"TL0304": _RANK}),
    **dict.fromkeys(("tucker_reconstruct", "tt_reconstruct"), _BATCH),
    **dict.fromkeys(("pairwise_distance", "triplet_margin_loss"), _BATCH),
    **dict.fromkeys(
        ("meshgrid", "prelu", "gather", "scatter", "scatter_add", "scatter_reduce", "index_add", "index_copy", "index_fill")
        + ("index_select",),
        {"TL0304": _NO_VECTOR},
    ),
}
# What PyTorch says when it refuses, for its values or its device, what the checker takes by its type.
LAXER: dict[str, dict[str, str]] = {
    "*": {
        "ZeroDivisionError": "division by zero depends on the values",
        "could not convert string": "what a text spells is a value",
        "invalid literal for int": "what a text spells is a value",
        "negative integer powers": "the sign of an exponent is a value",
        "Expected more than 1 value per channel": "`training` is a bool, known when the program runs",
    },
    "arange": {"upper bound and lower bound": "two floats are compared when the program runs"},
    "batch_norm": {"must be defined in evaluation mode": "`training` is a bool, known when the program runs"},
    "bincount": {"minlength should be >= 0": "an int that is no size"},
    "conv_transpose1d": {"Output size is too small": "an empty result is refused for some ranks only"},
    "conv_transpose2d": {"Output size is too small": "an empty result is refused for some ranks only"},
    "hardtanh": {"min_val cannot be greater": "two floats are compared when the program runs"},
    "histc": {
        "max must be larger than min": "two floats are compared when the program runs",
        "bins must be > 0": "an int may be zero where a size may",
    },
    "interpolate": {"modes": "the mode is a text", "align_corners": "the mode is a text"},
    "multinomial": {"n_sample <= 0": "an int may be zero where a size may"},
    "one_hot": {"Class values must be smaller": "what the classes are"},
    "pad": {"doesn't take in value argument": "a value beside a mode"},
    "range": {"must not be zero": "the step of a range is a value"},
    "randint": {"expects 'from' to be less than 'to'": "two ints are compared when the program runs"},
    "tt_ranks": {"tuple index out of range": "the type of a list of tensors of different ranks says nothing about their ranks"},
}
# The same, only where a tensor has fewer than 32 bits: which kernels exist for them differs between devices and versions.
NARROW = (
    "not implemented for",
    "Low precision dtypes not supported",
    "other than float and double",
    "expected a tensor with 2 or more",
    "either float or double",
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

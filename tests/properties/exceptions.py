"""Where the checker and PyTorch differ on purpose, each with its reason. `*` stands for every builtin."""

# Codes (and how the messages begin) with which the checker refuses what PyTorch takes.
STRICTER = {
    "*": {
        "TL0302": "two float dtypes do not mix, where PyTorch promotes (LANGUAGE.md section 2)",
        "TL0310 the list of axes is empty": "PyTorch's functions do not agree whether that is all axes or none",
        "TL0303": "the accidental broadcast of a lower rank (LANGUAGE.md section 2)",
    },
    "chunk": {"TL0309": "the number must divide (LANGUAGE.md section 3)"},
    "split": {"TL0306": "an int there is refused with advice (LANGUAGE.md section 3)"},
    "reshape": {"TL0308": "a -1 beside a size of 0"},
    "adaptive_avg_pool2d": {"TL0304": "PyTorch takes other ranks only where the output is 1"},
    "scatter_add": {"TL0304": "a scalar is no vector"},
    "scatter": {"TL0304": "a scalar is no vector"},
    "attention": {"TL0301": "a mask of one dim, of which PyTorch takes some", "TL0304": "a mask of one dim, of which PyTorch takes some"},
    "dequantize": {"TL0306": "only what is quantized"},
    "rope": {"TL0311": "pairs of the last axis: it is even", "TL0301": "one position for each row, also where one row would broadcast"},
    "attention_mask": {"TL0304": "ids are a batch of sequences"},
    "meshgrid": {"TL0304": "a scalar is no vector"},
    "prelu": {"TL0304": "a scalar is no vector"},
    "gather": {"TL0304": "a scalar is no vector"},
    "index_add": {"TL0304": "a scalar is no vector", "TL0310": "a scalar has no axis to write along"},
    "index_copy": {"TL0304": "a scalar is no vector", "TL0310": "a scalar has no axis to write along"},
    "cosine_similarity": {"TL0310": "a scalar has no axis"},
    "pairwise_distance": {"TL0304": "rows against rows; `cdist` and `norm` for the rest"},
    "triplet_margin_loss": {"TL0301": "three times the same rows"},
    "tucker_reconstruct": {"TL0304": "one factor for each axis"},
}
# What PyTorch says when it refuses, for its values or its device, what the checker takes by its type.
LAXER = {
    "*": {
        "ZeroDivisionError": "division by zero depends on the values",
        "could not convert string": "what a text spells is a value",
        "invalid literal for int": "what a text spells is a value",
        "negative integer powers": "the sign of an exponent is a value",
    },
    "histc": {"max must be larger than min": "two floats are compared when the program runs"},
    "batch_norm": {"must be defined in evaluation mode": "`training` is a bool, known when the program runs"},
    "randint": {"expects 'from' to be less than 'to'": "two ints are compared when the program runs"},
    "tt_ranks": {"tuple index out of range": "the type of a list of tensors of different ranks says nothing about their ranks"},
}
# The same, only where a tensor has fewer than 32 bits: which kernels exist for them differs between devices and versions.
NARROW = ("not implemented for", "Low precision dtypes not supported", "other than float and double", "expected a tensor with 2 or more", "either float or double")
# Builtins whose result depends on values, so that its type says less than PyTorch gives.
LOOSE = {
    "arange": "the number of steps between floats",
    "bincount": "the largest number",
    "masked_select": "how many are true",
    "nonzero": "how many are not zero",
    "unique": "how many are different",
    "tt_svd": "the inner ranks are at most what the tensor has",
    "pad_sequences": "the longest list",
}

"""gather with an index of lower rank

Both say that the ranks differ; here also what to do.
"""

import torch

logprobs, ids = torch.ones(2, 5, 100), torch.ones(2, 5, dtype=torch.int64)
logprobs.gather(-1, ids)

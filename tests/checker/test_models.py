"""Names that no field of a model can have are those of torch.nn.Module."""

import torch

from tensorlogic.checker.models import MODULE_NAMES


def test_names_of_every_module() -> None:
    public = {name for name in (*dir(torch.nn.Module), *vars(torch.nn.Module())) if not name.startswith("_")}
    assert public - {"forward"} == MODULE_NAMES

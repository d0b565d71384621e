"""Loading models: the values of the format's own library, converted only where asked, and errors that name the tensor."""

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize
from safetensors.torch import save_file

from tensorlogic.diagnostics.diagnostic import TensorLogicError
from tensorlogic.formats.dtypes import QUANTIZED
from tensorlogic.runtime.quantized import QuantizedTensor, quantize
from tensorlogic.runtime.weights import load_model, save_model
from tensorlogic.runtime.weights.dtypes import ALL_DTYPES, dtype_name, torch_dtype

EVERY = [name for name in ALL_DTYPES if name != "complex128"]


def example(name):
    return torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]]).to(ALL_DTYPES[name])


def code_of(action, *args, **kwargs):
    with pytest.raises(TensorLogicError) as caught:
        action(*args, **kwargs)
    return caught.value.diagnostics[0].code


def test_every_dtype_of_safetensors(tmp_path):
    tensors = {name: example(name) for name in EVERY} | {"scalar": torch.tensor(3.0), "empty": torch.zeros(0, 4)}
    save_file(tensors, tmp_path / "a.safetensors")
    model = load_model(tmp_path / "a.safetensors")
    for name, tensor in tensors.items():
        found = model[name]
        assert found.dtype == tensor.dtype and found.shape == tensor.shape
        assert torch.equal(found.reshape(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))
    assert sorted(model.names()) == sorted(tensors) and len(model) == len(tensors) and model.shapes["empty"] == (0, 4)
    assert "scalar" in model and set(model) == set(model.state_dict())


def test_unaligned_data(tmp_path):
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} '
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + np.float32([1, 2]).tobytes())
    assert load_model(tmp_path / "a.safetensors")["a"].tolist() == [1, 2]


def test_writing_into_a_tensor_does_not_reach_the_file(tmp_path):
    save_file({"a": torch.ones(4)}, tmp_path / "a.safetensors")
    load_model(tmp_path / "a.safetensors")["a"].zero_()
    assert load_model(tmp_path / "a.safetensors")["a"].eq(1).all()


def test_real_model_in_two_formats(shared):
    folder = shared / "data/stories260k"
    model, reader, hf = load_model(folder / "stories260K.gguf"), GGUFReader(folder / "stories260K.gguf"), load_model(folder / "hf_f32")
    assert all(np.array_equal(tensor.data, model[tensor.name].numpy()) for tensor in reader.tensors)
    assert torch.equal(model["token_embd.weight"], hf["model.embed_tokens.weight"])
    assert torch.equal(model["output.weight"], hf["model.embed_tokens.weight"])
    # the GGUF's q and k rows alternate the two halves of each head
    q = hf["model.layers.0.self_attn.q_proj.weight"].reshape(8, 2, 4, 64).transpose(1, 2).reshape(64, 64)
    assert torch.equal(model["blk.0.attn_q.weight"], q)
    assert torch.equal(model["blk.3.ffn_down.weight"], hf["model.layers.3.mlp.down_proj.weight"])


def test_conversions_at_load(tmp_path):
    save_file(
        {"f": torch.tensor([1.5, 2.25]), "i": torch.tensor([1, 2]), "c": torch.zeros(2, dtype=torch.complex64)}, tmp_path / "a.safetensors"
    )
    model = load_model(tmp_path / "a.safetensors")
    for name in ("float16", "bf16", torch.float64, "float8_e5m2"):
        assert model.get_tensor("f", name).dtype == torch_dtype(name)
    assert model.get_tensor("i", "int64").dtype == torch.int64
    for name, wanted in (("i", "float32"), ("i", "int32"), ("f", "int64"), ("f", "q8_0"), ("c", "float32"), ("f", "complex64")):
        assert code_of(model.get_tensor, name, wanted) == "TL0302"
    assert code_of(model.get_tensor, "f", "float7") == "TL0201"


def test_dtype_of_a_whole_model(tmp_path):
    weights = {"w": torch.randn(2, 32), "i": torch.arange(3), "q": quantize(torch.randn(2, 32), "q8_0")}
    save_model(weights, tmp_path / "a.gguf")
    model = load_model(tmp_path / "a.gguf", dtype="float16", device="cpu")
    assert (model["w"].dtype, model["i"].dtype, model["q"].dtype) == (torch.float16, torch.int64, "q8_0")
    assert code_of(load_model, tmp_path / "a.gguf", dtype="int8") == "TL0302"
    assert code_of(load_model, tmp_path / "a.gguf", dtype="q8_0") == "TL0305"


def test_missing_tensor(tmp_path):
    save_file({"layer.0.weight": torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(TensorLogicError) as caught:
        load_model(tmp_path / "a.safetensors")["layer.0.weigth"]
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "TL0602" and diagnostic.help == ("did you mean `layer.0.weight`?",)


def test_refused_files(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"PK\x03\x04" + bytes(50))
    assert code_of(load_model, tmp_path / "a.pt") == "TL0605"
    assert code_of(load_model, tmp_path / "b.gguf") == "TL0606"
    (tmp_path / "c.gguf").write_bytes(b"GGUF")
    assert code_of(load_model, tmp_path / "c.gguf") == "TL0604"


def test_what_torch_saves_is_refused_under_any_name(tmp_path):
    state = {"w": torch.ones(2)}
    for zipped in (True, False):
        for name in ("model.pt", "pytorch_model.bin", "model.safetensors", "model.gguf", "model"):
            torch.save(state, tmp_path / name, _use_new_zipfile_serialization=zipped)
            assert code_of(load_model, tmp_path / name) == "TL0605"


def test_file_that_changes_its_size(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(4), "b": torch.ones(4)}, path)
    unread, used = load_model(path), load_model(path)
    assert used["a"].sum() == 4
    data = path.read_bytes()
    path.write_bytes(data[:-4])
    assert code_of(unread.get_tensor, "a") == "TL0604" and code_of(used.get_tensor, "b") == "TL0604"
    path.unlink()
    assert code_of(load_model(save(tmp_path)).get_tensor, "gone") == "TL0602"


def save(folder):
    save_file({"a": torch.ones(1)}, folder / "other.safetensors")
    return folder / "other.safetensors"


def write_gguf(path, arrays):
    writer = GGUFWriter(path, "test")
    for name, (raw, kind) in arrays.items():
        writer.add_tensor(name, raw, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def random_blocks(kind, rows=3):
    from gguf import GGML_QUANT_SIZES

    return np.random.default_rng(kind).integers(0, 60, (rows, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)


def test_quantized_tensors_stay_quantized(tmp_path):
    kinds = {name: GGMLQuantizationType[name.upper()] for name in QUANTIZED}
    arrays = {name: (random_blocks(kind), kind) for name, kind in kinds.items()}
    write_gguf(tmp_path / "a.gguf", arrays)
    model = load_model(tmp_path / "a.gguf")
    for name, (raw, kind) in arrays.items():
        q = model[name]
        assert isinstance(q, QuantizedTensor) and q.dtype == name and np.array_equal(q.blocks.numpy(), raw)
        assert torch.equal(model.get_tensor(name, "float32"), torch.from_numpy(dequantize(raw, kind)))
        assert model.get_tensor(name, "bf16").dtype == torch.bfloat16 and model.get_tensor(name, name).dtype == name


def test_other_block_types_become_float32(tmp_path, capsys):
    kinds = {name.lower(): GGMLQuantizationType[name] for name in ("IQ4_NL", "MXFP4", "IQ2_XS", "TQ1_0")}
    arrays = {name: (random_blocks(kind), kind) for name, kind in kinds.items()}
    write_gguf(tmp_path / "a.gguf", arrays)
    model = load_model(tmp_path / "a.gguf")
    for name, (raw, kind) in arrays.items():
        assert model.header.entries[name].dtype == name
        assert torch.equal(model[name], torch.from_numpy(dequantize(raw, kind)))
        assert f"`{name}` is {name}; loaded as float32" in capsys.readouterr().err


def test_block_types_nobody_knows(tmp_path):
    kind = GGMLQuantizationType.Q8_K
    write_gguf(tmp_path / "a.gguf", {"w": (random_blocks(kind), kind)})
    assert code_of(load_model(tmp_path / "a.gguf").get_tensor, "w") == "TL0305"


def test_names_of_dtypes():
    assert dtype_name("f16") == "float16" and dtype_name(torch.bfloat16) == "bfloat16" and dtype_name("q4_k") == "q4_k"
    assert torch_dtype("i8") == torch.int8
    for odd in ("__class__", "nn", "Tensor", "load"):
        assert code_of(torch_dtype, odd) == "TL0201"

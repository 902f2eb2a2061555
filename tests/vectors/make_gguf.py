"""GGUF files as the `gguf` package writes them, and what it makes of their values: python make_gguf.py

gguf/types.gguf: one tensor of every type that is read, of quantized values or, where the package cannot quantize, of random blocks with
finite scales; keys of every type. gguf/types-expected.safetensors: the values, and under `source.` what was quantized.
gguf/micro-f32.gguf, micro-q5_1.gguf: the decoder of wavtokenizer/micro-folded.safetensors under llama.cpp's names."""
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, quants
from safetensors.numpy import load_file

from store import HERE, save

OUT = HERE / 'gguf'
ARCHITECTURE = 'wavtokenizer-dec'
BLOCK_BYTES = {Type.Q2_K: 84, Type.Q3_K: 110, Type.Q4_K: 144, Type.Q5_K: 176, Type.Q6_K: 210}
# where the blocks of these hold their halves
HALVES = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}
QUANTIZED = (Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0)
INTEGERS = (np.int8, np.int16, np.int32, np.int64)


def random_blocks(kind: Type, count: int, generator: np.random.Generator) -> np.ndarray:
    blocks = generator.integers(0, 256, (count, BLOCK_BYTES[kind]), dtype=np.uint8)
    for at in HALVES[kind]:
        halves = generator.normal(0, 0.02, (count, 1)).astype(np.float16)
        halves[0] = 6e-8  # the smallest there is
        blocks[:, at : at + 2] = halves.view(np.uint8)
    return blocks


def types() -> None:
    generator = np.random.default_rng(8)
    writer = GGUFWriter(OUT / 'types.gguf', 'none')
    expected = {}
    writer.add_custom_alignment(64)
    writer.add_uint8('key.u8', 255)
    writer.add_int8('key.i8', -128)
    writer.add_uint16('key.u16', 65535)
    writer.add_int16('key.i16', -32768)
    writer.add_int32('key.i32', -(2**31))
    writer.add_float32('key.f32', 1e-6)
    writer.add_float64('key.f64', 0.1)
    writer.add_uint64('key.u64', 2**64 - 1)
    writer.add_int64('key.i64', -(2**63))
    writer.add_bool('key.bool', True)
    writer.add_string('key.text', 'größer: 音')
    writer.add_array('key.numbers', [1, 2, 3])
    writer.add_array('key.texts', ['one', '', 'three'])
    writer.add_array('key.nested', [[1, 2], [3]])
    writer.add_string('wavtok.family', 'nothing')
    for kind in QUANTIZED:
        values = generator.normal(0, 1, (3, 64)).astype(np.float32)
        values[0, :32] = 0
        values[1, 5] = -40
        values[2, :32] = np.float32(np.round(values[2, :32] * 4) / 4)  # ties
        data = quants.quantize(values, kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        expected[kind.name] = quants.dequantize(data, kind)
        expected[f'source.{kind.name}'] = values
    for kind in BLOCK_BYTES:
        blocks = random_blocks(kind, 6, generator)
        writer.add_tensor(kind.name, blocks.reshape(3, -1), raw_dtype=kind)
        expected[kind.name] = quants.dequantize(blocks, kind).reshape(3, 512)
    writer.add_tensor('F32', generator.normal(0, 1, (2, 3, 5)).astype(np.float32))
    expected['F32'] = writer.tensors[0]['F32'].tensor.copy()
    doubles = generator.normal(0, 1, 7)
    writer.add_tensor('F64', doubles)
    expected['F64'] = doubles.astype(np.float32)
    for dtype in INTEGERS:
        integers = generator.integers(-100, 100, (3, 4)).astype(dtype)
        name = f'I{8 * integers.itemsize}'
        writer.add_tensor(name, integers)
        expected[name] = integers.astype(np.float32)
    write(writer)
    save(OUT / 'types-expected.safetensors', expected, {'script': 'make_gguf.py', 'gguf': '0.19.0', 'seed': '8'})


def llamas_names(folded: dict) -> dict:
    """The decoder's tensors as llama.cpp's converter names and shapes them; row 0 of the norms' tables."""
    tensors = {'token_embd.weight': folded['feature_extractor.encodec.quantizer.vq.layers.0._codebook.embed']}
    column = lambda value: value[:, None]
    copy = lambda to, source: tensors.update({f'{to}.weight': folded[f'{source}.weight'], f'{to}.bias': folded[f'{source}.bias']})
    convolution = lambda to, source: tensors.update({f'{to}.weight': folded[f'{source}.weight'], f'{to}.bias': column(folded[f'{source}.bias'])})
    norm = lambda to, source: tensors.update({f'{to}.weight': column(folded[f'{source}.weight']), f'{to}.bias': column(folded[f'{source}.bias'])})
    frozen = lambda to, source: tensors.update({f'{to}.weight': folded[f'{source}.scale.weight'][0], f'{to}.bias': folded[f'{source}.shift.weight'][0]})
    convolution('conv1d', 'backbone.embed')
    for i in (0, 1, 3, 4):
        for part in ('1', '2'):
            norm(f'posnet.{i}.norm{part}', f'backbone.pos_net.{i}.norm{part}')
            convolution(f'posnet.{i}.conv{part}', f'backbone.pos_net.{i}.conv{part}')
    norm('posnet.2.attn_norm', 'backbone.pos_net.2.norm')
    for to, source in (('q', 'q'), ('k', 'k'), ('v', 'v'), ('output', 'proj_out')):
        convolution(f'posnet.2.attn_{to}', f'backbone.pos_net.2.{source}')
    norm('posnet.5.attn_norm', 'backbone.pos_net.5')
    frozen('token_embd_norm', 'backbone.norm')
    for i in range(sum(name.endswith('.gamma') for name in folded)):
        block = f'backbone.convnext.{i}'
        convolution(f'convnext.{i}.dw', f'{block}.dwconv')
        frozen(f'convnext.{i}.norm', f'{block}.norm')
        copy(f'convnext.{i}.pw1', f'{block}.pwconv1')
        copy(f'convnext.{i}.pw2', f'{block}.pwconv2')
        tensors[f'convnext.{i}.gamma.weight'] = folded[f'{block}.gamma']
    copy('output_norm', 'backbone.final_layer_norm')
    copy('output', 'head.out')
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()}


def type_of(name: str, value: np.ndarray, wanted: Type) -> Type:
    """As llama.cpp's tools choose: small things stay as they are, and what does not divide into blocks becomes F16."""
    if wanted == Type.F32 or not name.endswith('.weight') or value.ndim == 1 or 'norm' in name:
        return Type.F32
    return wanted if value.shape[-1] % 32 == 0 else Type.F16


def decoder(tensors: dict, wanted: Type, name: str) -> None:
    writer = GGUFWriter(OUT / name, ARCHITECTURE)
    blocks = sum(key.endswith('.gamma.weight') for key in tensors)
    output, dim = tensors['output.weight'].shape
    writer.add_vocab_size(len(tensors['token_embd.weight']))
    writer.add_features_length(tensors['token_embd.weight'].shape[1])
    writer.add_feed_forward_length(len(tensors['convnext.0.pw1.weight']))
    writer.add_embedding_length(output)
    writer.add_block_count(blocks)
    writer.add_context_length(8192)
    writer.add_head_count(1)
    writer.add_layer_norm_eps(1e-6)
    writer.add_group_norm_eps(1e-6)
    writer.add_group_norm_groups(32)
    writer.add_posnet_embedding_length(dim)
    writer.add_posnet_block_count(6)
    writer.add_convnext_embedding_length(dim)
    writer.add_convnext_block_count(blocks)
    writer.add_causal_attention(False)
    writer.add_tokenizer_model('none')
    for key, value in tensors.items():
        kind = type_of(key, value, wanted)
        writer.add_tensor(key, quants.quantize(value, kind), raw_dtype=kind)
    write(writer)


def write(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == '__main__':
    OUT.mkdir(exist_ok=True)
    types()
    tensors = llamas_names(load_file(HERE / 'wavtokenizer' / 'micro-folded.safetensors'))
    decoder(tensors, Type.F32, 'micro-f32.gguf')
    decoder(tensors, Type.Q5_1, 'micro-q5_1.gguf')

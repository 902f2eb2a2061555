"""Writes mimi/: a tiny Mimi in three layouts, and what every stage of the public packages makes of signals.

transformers' MimiModel gets seeded weights; the same weights, renamed and with the rotation's pairs side by
side, go into moshi's MimiModel, whose codes and audio must agree. Stages are channels-last and bear the names
of transformers' flat layout. upstream-tiny.safetensors is another tiny model, with its own expected outputs
in upstream-tiny-expected.safetensors, made by an older version of transformers.
"""

import json
import re

import torch
from moshi.models.loaders import get_mimi
from transformers import MimiModel

import signals
import store
from seeded_mimi import FRAME, distances, encoded, flat, flat_state, seeded_model

OUT = store.HERE / 'mimi'
SEED = 125
WINDOW = 10
HEADS = 2
CONFIG = {
    'hidden_size': 32,
    'num_filters': 2,
    'codebook_size': 32,
    'codebook_dim': 16,
    'vector_quantization_hidden_dimension': 16,
    'num_quantizers': 6,
    'upsample_groups': 32,
    'num_hidden_layers': 2,
    'intermediate_size': 48,
    'num_attention_heads': HEADS,
    'num_key_value_heads': HEADS,
    'head_dim': 16,
    'sliding_window': WINDOW,
}
# (start, stop) in speech.wav
CASES = {
    'one_sample': (9000, 9001),
    'frame_minus_1': (9000, 9000 + FRAME - 1),
    'frame': (9000, 9000 + FRAME),
    'frame_plus_1': (9000, 9000 + FRAME + 1),
    'past_the_window': (9000, 9000 + 16 * FRAME),
}
STAGE = re.compile(r'^((en|de)coder(_transformer)?\.layers\.\d+|downsample|upsample)$')


def run(model: MimiModel, audio: torch.Tensor) -> dict:
    """Every stage of encoding [T] samples and of decoding their codes; samples are padded to whole frames, as moshi does."""
    stages = {}

    def keep(name):
        def hook(_module, _inputs, output):
            value = output[0] if isinstance(output, tuple) else output
            is_rows = 'transformer' in name
            stages[name] = (value if is_rows else value.transpose(1, 2))[0]

        return hook

    hooks = []
    for name, module in model.named_modules():
        if STAGE.match(flat(name)):
            hooks.append(module.register_forward_hook(keep(flat(name))))
    padded = torch.nn.functional.pad(audio, (0, -len(audio) % FRAME))[None, None]
    codes = model.encode(padded, num_quantizers=CONFIG['num_quantizers']).audio_codes
    decoded = model.decode(codes).audio_values[0, 0]
    for hook in hooks:
        hook.remove()
    few = model.decode(codes[:, :3]).audio_values[0, 0]
    latents = encoded(model, padded)
    return stages | {
        'input': audio,
        'codes': codes[0].T,
        'distances': distances(model, latents, codes[0]),
        'audio': decoded,
        'audio_3_codebooks': few,
    }


def native_config() -> dict:
    size = CONFIG['hidden_size']
    return {
        'sample_rate': 24000,
        'channels': 1,
        'frame_rate': 12.5,
        'seanet': {
            'channels': 1, 'dimension': size, 'causal': True, 'n_filters': CONFIG['num_filters'],
            'n_residual_layers': 1, 'activation': 'ELU', 'compress': 2, 'dilation_base': 2,
            'disable_norm_outer_blocks': 0, 'kernel_size': 7, 'residual_kernel_size': 3, 'last_kernel_size': 3,
            'norm': 'none', 'pad_mode': 'constant', 'ratios': [8, 6, 5, 4], 'true_skip': True,
        },
        'quantizer': {
            'dimension': CONFIG['codebook_dim'], 'n_q': CONFIG['num_quantizers'], 'bins': CONFIG['codebook_size'],
            'input_dimension': size, 'output_dimension': size,
        },
        'transformer': {
            'd_model': size, 'num_heads': HEADS, 'num_layers': CONFIG['num_hidden_layers'], 'causal': True,
            'layer_scale': 0.01, 'context': WINDOW, 'conv_layout': True, 'max_period': 10000, 'gating': 'none',
            'norm': 'layer_norm', 'positional_embedding': 'rope', 'dim_feedforward': CONFIG['intermediate_size'],
            'input_dimension': size, 'output_dimensions': [size],
        },
    }  # fmt: skip


def paired(weight: torch.Tensor) -> torch.Tensor:
    """Rows of each head so that the rotation's pairs are neighbours: row 2i + p from row p * half + i."""
    rows, columns = weight.shape
    half = rows // HEADS // 2
    return weight.reshape(HEADS, 2, half, columns).transpose(1, 2).reshape(rows, columns)


LAYER_NAMES = {
    'input_layernorm': 'norm1', 'post_attention_layernorm': 'norm2', 'mlp.fc1': 'linear1', 'mlp.fc2': 'linear2',
    'self_attn_layer_scale': 'layer_scale_1', 'mlp_layer_scale': 'layer_scale_2',
    'self_attn.o_proj': 'self_attn.out_projs.0',
}  # fmt: skip


def native_state(published: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same weights under moshi's names."""
    state = {}
    for name, value in published.items():
        if match := re.match(r'((?:en|de)coder)\.layers\.(.+)\.conv\.(weight|bias)$', name):
            part, path, kind = match.groups()
            wrap = 'convtr.convtr' if part == 'decoder' and path in ('2', '5', '8', '11') else 'conv.conv'
            state[f'{part}.model.{path}.{wrap}.{kind}'] = value
        elif match := re.match(r'((?:en|de)coder_transformer)\.layers\.(\d+)\.(.+)\.(weight|bias|scale)$', name):
            part, index, inner, kind = match.groups()
            prefix = f'{part}.transformer.layers.{index}'
            if inner == 'self_attn.q_proj':
                keys, values = (published[name.replace('q_proj', other)] for other in ('k_proj', 'v_proj'))
                state[f'{prefix}.self_attn.in_projs.0.weight'] = torch.cat([paired(value), paired(keys), values])
            elif inner in LAYER_NAMES:
                state[f'{prefix}.{LAYER_NAMES[inner]}.{kind}'] = value
        elif name == 'downsample.conv.weight':
            state['downsample.conv.conv.conv.weight'] = value
        elif name == 'upsample.conv.weight':
            state['upsample.convtr.convtr.convtr.weight'] = value
        else:
            branch, tail = re.match(r'quantizer\.(\w+)_residual_vector_quantizer\.(.+)$', name).groups()
            tail = re.sub(r'^layers\.(\d+)\.codebook\.', r'vq.layers.\1._codebook.', tail)
            tail = tail.replace('embed_sum', 'embedding_sum').replace('.initialized', '._initialized')
            state[f'quantizer.rvq_{"first" if branch == "semantic" else "rest"}.{tail}'] = value
    return state


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    model = seeded_model(CONFIG, SEED)
    about = {'script': 'make_mimi.py', 'seed': SEED, 'torch': torch.__version__}
    store.save(OUT / 'tiny.safetensors', flat_state(model), about | {'config': json.dumps(CONFIG)})
    native = get_mimi(None, native_config(), num_codebooks=CONFIG['num_quantizers'])
    state = native_state(flat_state(model))
    native.load_state_dict(state)
    kept = {'num_attention_heads': HEADS, 'sliding_window': WINDOW}
    store.save(OUT / 'tiny-kyutai.safetensors', state, about | {'config': json.dumps(kept)})
    speech = torch.from_numpy(signals.fixture('speech.wav'))
    for name, (start, stop) in CASES.items():
        audio = speech[start:stop]
        result = run(model, audio)
        codes = native.encode(audio[None, None])[0].T
        differing = int((codes != result['codes']).sum())
        error = native.decode(codes.T[None])[0, 0] - result['audio']
        per_layer = model.encode(audio[None, None], num_quantizers=CONFIG['num_quantizers']).audio_codes[0].T
        print(
            f'{name}: {differing} codes differ between the packages, audio {error.abs().max():.1e};'
            f' {int((per_layer != result["codes"]).sum())} where transformers pads layer by layer'
        )
        assert differing == 0
        keep = ('input', 'codes', 'distances', 'audio', 'audio_3_codebooks')
        if name == 'past_the_window':
            keep = [key for key in result if not key.startswith(('encoder.', 'decoder.'))]
        elif name == 'frame_plus_1':
            keep = list(result)
        store.save(OUT / f'{name}.safetensors', {key: result[key] for key in keep}, about)


if __name__ == '__main__':
    main()

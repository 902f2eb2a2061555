"""Writes snac/: small seeded SNAC models, with and without attention, and what they make of audio.

The models and the expected values come from the package `snac` (requirements-dac.txt). The decoder's noise is the package's own, switched
off for the expected audio. snac/tiny-nonoise.safetensors is older and has no layers of noise.
"""

import json

import torch
from snac import SNAC
from snac.layers import NoiseBlock

import store
from make_dac import enliven, stages
from seeded_codecs import SAMPLES, signal

HERE = store.HERE / 'snac'


def make(name: str, **config) -> None:
    torch.manual_seed(5)
    model = SNAC(**config).eval()
    rate = config['sampling_rate']
    with torch.no_grad():
        enliven(model, [q.codebook.weight for q in model.quantizer.quantizers])
        torch.save(model.state_dict(), HERE / f'{name}.bin')
        for module in model.modules():
            if isinstance(module, NoiseBlock):
                module.forward = lambda x: x
        tensors = {}
        for case, samples in SAMPLES.items():
            x = signal(samples, rate)
            codes = model.encode(x)
            tensors |= {f'{case}.x': x[0, 0], f'{case}.audio': model.decode(codes)[0, 0]}
            tensors |= {f'{case}.codes{i}': row[0] for i, row in enumerate(codes)}
            first = model.quantizer.quantizers[0]
            coarse = first.out_proj(first.decode_code(codes[0])).repeat_interleave(first.stride, dim=-1)
            tensors[f'{case}.few'] = model.decoder(coarse)[0, 0]
            print(name, case, 'codes in use', [len(set(row[0].tolist())) for row in codes])
        x = tensors['frame_plus_1.x'][None, None]
        tensors |= stages(model, 'frame_plus_1', lambda: model.decode(model.encode(x)))
    store.save(HERE / f'{name}-expected.safetensors', tensors, {'config': json.dumps(config)})


if __name__ == '__main__':
    HERE.mkdir(exist_ok=True)
    small = dict(encoder_dim=4, decoder_dim=64, codebook_size=64, codebook_dim=8, noise=True, depthwise=True)
    make('24k', sampling_rate=24_000, encoder_rates=[2, 4, 8, 8], decoder_rates=[8, 8, 4, 2], attn_window_size=None, vq_strides=[4, 2, 1], **small)
    small |= dict(encoder_dim=8)       # heads of 64
    make('44k', sampling_rate=44_100, encoder_rates=[3, 3, 7], decoder_rates=[7, 3, 3], attn_window_size=8, vq_strides=[4, 2, 1], **small)

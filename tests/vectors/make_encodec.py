"""Writes encodec/: small seeded EnCodec models in the layouts that are published, and what they make of audio.

The models and the expected values come from the packages `encodec` and `transformers` (requirements-encodec.txt).
encodec/tiny.safetensors is older: made by transformers in the layout with weight_g and weight_v, 8 of 32 codebooks in use.
"""

import json

import torch
from safetensors.torch import save_file
from transformers import EncodecConfig
from transformers import EncodecModel as TransformersEncodec

import reference
import store
from seeded_codecs import SAMPLES, enliven, signal

reference.torchaudio()

from encodec import EncodecModel  # noqa: E402
from encodec.modules import SEANetDecoder, SEANetEncoder  # noqa: E402
from encodec.quantization import ResidualVectorQuantizer  # noqa: E402

HERE = store.HERE / 'encodec'


def own() -> None:
    """EnCodec's own layout, as its 24 kHz file has it: causal, all bitrates."""
    torch.manual_seed(1)
    shape = dict(channels=1, dimension=12, n_filters=2, ratios=[8, 5, 4, 2], norm='weight_norm', causal=True)
    encoder, decoder = SEANetEncoder(**shape), SEANetDecoder(**shape)
    quantizer = ResidualVectorQuantizer(dimension=12, n_q=8, bins=64)
    model = EncodecModel(encoder, decoder, quantizer, [1.5, 3.0], 24_000, 1).eval()
    books = [layer._codebook.embed for layer in quantizer.vq.layers]
    for layer in quantizer.vq.layers:
        layer._codebook.inited.fill_(1)
    with torch.no_grad():
        enliven(model, encoder, books, 24_000)
        torch.save(model.state_dict(), HERE / 'own.th')
        cases = {}
        for case, samples in SAMPLES.items():
            x = signal(samples, 24_000)
            codes = quantizer.vq.encode(encoder(x))
            cases[case] = x, codes, decoder(quantizer.decode(codes)), decoder(quantizer.decode(codes[:3]))
    save('own', cases)


def transformers(name: str, **config) -> None:
    torch.manual_seed(2)
    sizes = dict(num_filters=2, hidden_size=12, codebook_dim=12, codebook_size=64, target_bandwidths=[2.4])
    settings = EncodecConfig(**sizes | config)
    model = TransformersEncodec(settings).eval()
    books = [layer.codebook.embed for layer in model.quantizer.layers]
    with torch.no_grad():
        enliven(model, model.encoder, books, settings.sampling_rate)
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, HERE / f'{name}.safetensors')
        cases = {}
        for case, samples in SAMPLES.items():
            x = signal(samples, settings.sampling_rate)
            codes = model.quantizer.encode(model.encoder(x), settings.target_bandwidths[0])
            audio, few = (model.decoder(model.quantizer.decode(part)) for part in (codes, codes[:3]))
            cases[case] = x, codes, audio, few
    text = json.dumps({key: config[key] for key in config}) if config else None
    save(name, cases, text)


def save(name: str, cases: dict, config: str | None = None) -> None:
    tensors = {}
    for case, (x, codes, audio, few) in cases.items():
        # codes by frame, as the runtime's stages have them
        tensors |= {f'{case}.x': x[0, 0], f'{case}.codes': codes[:, 0].T.contiguous(), f'{case}.audio': audio[0, 0], f'{case}.few': few[0, 0]}
        print(name, case, 'codes in use', [len(set(row.tolist())) for row in codes[:, 0]])
    store.save(HERE / f'{name}-expected.safetensors', tensors, {'config': config} if config else {})


if __name__ == '__main__':
    HERE.mkdir(exist_ok=True)
    own()
    transformers('transformers')
    transformers('music', sampling_rate=32_000, upsampling_ratios=[8, 5, 4, 4], use_causal_conv=False, use_conv_shortcut=False)

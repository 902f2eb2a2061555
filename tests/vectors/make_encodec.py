"""Writes encodec/: small seeded EnCodec models in the layouts that are published, and what they make of audio.

The models and the expected values come from the packages `encodec` and `transformers` (requirements-encodec.txt).
encodec/tiny.safetensors is older: made by transformers in the layout with weight_g and weight_v, 8 of 32 codebooks in use.
"""

import json

import torch
from encodec import EncodecModel
from encodec.modules import SEANetDecoder, SEANetEncoder
from encodec.quantization import ResidualVectorQuantizer
from safetensors.torch import save_file
from transformers import EncodecConfig
from transformers import EncodecModel as TransformersEncodec

import store

HERE = store.HERE / 'encodec'
SAMPLES = {'long': 5003, 'frame': 320, 'frame_plus_1': 321, 'frame_minus_1': 319, 'short': 5, 'one_sample': 1}


def signal(samples: int, rate: int) -> torch.Tensor:
    """A vowel-like sound that changes, with a little noise."""
    time = torch.arange(samples) / rate
    tone = sum(torch.sin(2 * torch.pi * harmonic * (130 + 60 * time) * time) / harmonic for harmonic in range(1, 9))
    return (0.3 * tone * (0.6 + 0.4 * torch.sin(40 * time)) + 0.03 * torch.randn(samples))[None, None]


def enliven(model: torch.nn.Module, encode, books: list[torch.Tensor], rate: int) -> None:
    """Seeded weights hardly react to their input: biases from a distribution, codebooks spread as the frames are."""
    for name, parameter in model.named_parameters():
        if name.endswith('bias'):
            torch.nn.init.normal_(parameter, std=0.05)
        elif '.lstm.' not in name:
            parameter.data *= 1.5
    frames = encode(signal(24_000, rate))[0].T
    spread, mean = frames.std(0), frames.mean(0)
    for stage, book in enumerate(books):
        book.copy_(torch.randn(book.shape) * spread * 0.8**stage + (mean if stage == 0 else 0))


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

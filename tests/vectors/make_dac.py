"""Writes dac/: small seeded DAC models in the layouts that are published, and what they make of audio.

The models and the expected values come from the packages `descript-audio-codec` and `transformers` (requirements-dac.txt).
dac/tiny-stride5.safetensors is older: made by transformers, with the odd stride of the 24 and 16 kHz models.
"""

import json
import re

import torch
from safetensors.torch import save_file
from transformers import DacConfig
from transformers import DacModel as TransformersDac

import reference
import store
from seeded_codecs import SAMPLES, signal

HERE = store.HERE / 'dac'


def own_package():
    """dac.model.dac without audiotools, of which only a base class and a type are named."""
    import importlib
    import importlib.util
    import pathlib

    root = pathlib.Path(importlib.util.find_spec('dac').submodule_search_locations[0])
    reference.package('dac', root)
    reference.package('dac.model', root / 'model')
    reference.package('dac.nn', root / 'nn')
    reference.package('audiotools', AudioSignal=object)
    reference.package('audiotools.ml', BaseModel=torch.nn.Module)
    return importlib.import_module('dac.model.dac')


def enliven(model: torch.nn.Module, books: list[torch.Tensor]) -> None:
    """Seeded weights hardly react to their input: every convolution keeps its input's power, residual units add a part of it."""
    unit_end = re.compile(r'(?:res_unit\d\.conv2|block\.\d\.block\.3)\.')
    for name, parameter in model.named_parameters():
        gain = 0.4 if unit_end.search(name) else 4.0 if re.match(r'encoder\.(conv1|block\.0)\.', name) else 1.0
        if name.endswith('bias'):
            torch.nn.init.normal_(parameter, std=0.02)
        elif name.endswith('alpha'):
            torch.nn.init.uniform_(parameter, 0.5, 3.0)
        elif name.endswith(('weight_g', 'original0')):
            parameter.fill_(gain)
        elif name.endswith(('weight_v', 'original1')):
            torch.nn.init.normal_(parameter)
        elif parameter.ndim == 3:
            torch.nn.init.normal_(parameter)
            parameter *= gain / parameter.flatten(1).norm(dim=1)[:, None, None]
    for book in books:
        torch.nn.init.normal_(book)


def cases_of(rate: int, encode, decode) -> dict:
    tensors = {}
    for case, samples in SAMPLES.items():
        x = signal(samples, rate)
        codes = encode(x)
        tensors |= {
            f'{case}.x': x[0, 0],
            f'{case}.codes': codes[0].T.contiguous(),
            f'{case}.audio': decode(codes)[0, 0],
            f'{case}.few': decode(codes[:, :2])[0, 0],
        }
        print(case, 'codes in use', [len(set(row.tolist())) for row in codes[0]])
    return tensors


STAGE_VALUES = 1000
# not the containers of decoder blocks, the convolution that ends an encoder block (the block's own output), noise and tanh
STAGE = re.compile(r'encoder\.block\.\d+(\.block\.[0-3])?|decoder\.model\.\d+(\.block\.\d)?')


def stages(model: torch.nn.Module, case: str, run) -> dict:
    """What every layer puts out while `run` works: rows [n, channels], every k-th of them so that there are at most 1000 values."""
    kept = {}

    def keep(name: str):
        def hook(_module, _inputs, output: torch.Tensor) -> None:
            rows = output[0].T
            kept[f'{case}.stage.{name}'] = rows[:: -(-rows.numel() // STAGE_VALUES)].clone()

        return hook

    hooks = [
        module.register_forward_hook(keep(name))
        for name, module in model.named_modules()
        if STAGE.fullmatch(name) and type(module).__name__ not in ('DecoderBlock', 'NoiseBlock', 'Tanh')
    ]
    run()
    for hook in hooks:
        hook.remove()
    # the library's last layer has the tanh in it
    last = max((name for name in kept if re.fullmatch(r'.*decoder\.model\.\d+', name)), key=lambda name: int(name.rsplit('.', 1)[1]))
    return kept | {last: kept[last].tanh()}


def padded(x: torch.Tensor, hop: int) -> torch.Tensor:
    return torch.nn.functional.pad(x, (0, -x.shape[-1] % hop))


def own() -> None:
    """The package's own file: weight_g and weight_v, the arguments beside them; strides as at 44.1 kHz but smaller."""
    torch.manual_seed(3)
    kwargs = dict(encoder_dim=4, encoder_rates=[2, 4, 8, 5], latent_dim=24, decoder_dim=48, decoder_rates=[5, 8, 4, 2],
                  n_codebooks=4, codebook_size=64, codebook_dim=8, sample_rate=24_000)
    model = own_package().DAC(**kwargs).eval()
    with torch.no_grad():
        enliven(model, [q.codebook.weight for q in model.quantizer.quantizers])
        torch.save({'state_dict': model.state_dict(), 'metadata': {'kwargs': kwargs}}, HERE / 'own.pth')
        encode = lambda x: model.encode(padded(x, model.hop_length))[1]
        decode = lambda codes: model.decode(model.quantizer.from_codes(codes)[0])
        tensors = cases_of(24_000, encode, decode)
        x = tensors['frame_plus_1.x'][None, None]
        tensors |= stages(model, 'frame_plus_1', lambda: decode(encode(x)))
        store.save(HERE / 'own-expected.safetensors', tensors, {})


def transformers() -> None:
    torch.manual_seed(4)
    config = dict(encoder_hidden_size=4, downsampling_ratios=[2, 4, 8, 5], decoder_hidden_size=48, n_codebooks=4,
                  codebook_size=64, codebook_dim=8, sampling_rate=24_000)
    model = TransformersDac(DacConfig(**config)).eval()
    with torch.no_grad():
        enliven(model, [q.codebook.weight for q in model.quantizer.quantizers])
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, HERE / 'transformers.safetensors')
        encode = lambda x: model.encode(padded(x, 320)).audio_codes
        decode = lambda codes: model.decode(audio_codes=codes).audio_values[:, None]
        metadata = {'config': json.dumps(config)}
        store.save(HERE / 'transformers-expected.safetensors', cases_of(24_000, encode, decode), metadata)


if __name__ == '__main__':
    HERE.mkdir(exist_ok=True)
    own()
    transformers()

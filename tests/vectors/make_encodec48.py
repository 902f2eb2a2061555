"""Writes encodec/: small seeded models like EnCodec's stereo one, with group norms and normalized segments that overlap.

The models and the expected values come from the packages `encodec` and `transformers` (requirements-encodec.txt); the sample rate is low,
so that segments are short. The last segment may be shorter than the others, as in `encodec`; transformers pads it.
"""

import json

import torch
from safetensors.torch import save_file
from transformers import EncodecConfig
from transformers import EncodecModel as TransformersEncodec

import reference
import store
from seeded_codecs import enliven, signal

reference.torchaudio()

from encodec import EncodecModel  # noqa: E402
from encodec.modules import SEANetDecoder, SEANetEncoder  # noqa: E402
from encodec.quantization import ResidualVectorQuantizer  # noqa: E402
from encodec.utils import _linear_overlap_add  # noqa: E402

HERE = store.HERE / 'encodec'
RATE = 6400
SAMPLES = {'long': 9000, 'segment': 6400, 'stride': 6336, 'part': 700, 'few': 5}
CONFIG = dict(sampling_rate=RATE, audio_channels=2, norm_type='time_group_norm', normalize=True, chunk_length_s=1.0, overlap=0.01)


def stereo(samples: int) -> torch.Tensor:
    left, right = signal(samples, RATE * 4), signal(samples, RATE * 3)
    return torch.cat([left, 0.5 * right], 1) * 0.4


def cases_of(encode, decode) -> dict:
    tensors = {}
    for case, samples in SAMPLES.items():
        x = stereo(samples)
        frames = encode(x)
        codes = torch.cat([codes[0] for codes, _ in frames], 1)
        tensors |= {
            f'{case}.x': x[0].T.contiguous(),
            f'{case}.codes': codes.T.contiguous(),
            f'{case}.scales': torch.stack([scale.reshape(()) for _, scale in frames]),
            f'{case}.audio': decode(frames)[0].T.contiguous(),
        }
        print(case, 'codes in use', [len(set(row.tolist())) for row in codes])
    return tensors


def own() -> None:
    torch.manual_seed(6)
    shape = dict(channels=2, dimension=12, n_filters=2, ratios=[8, 5, 4, 2], norm='time_group_norm', causal=False)
    encoder, decoder = SEANetEncoder(**shape), SEANetDecoder(**shape)
    quantizer = ResidualVectorQuantizer(dimension=12, n_q=4, bins=64)
    model = EncodecModel(encoder, decoder, quantizer, [0.5], RATE, 2, normalize=True, segment=1.0).eval()
    model.set_target_bandwidth(0.5)
    books = [layer._codebook.embed for layer in quantizer.vq.layers]
    for layer in quantizer.vq.layers:
        layer._codebook.inited.fill_(1)
    with torch.no_grad():
        enliven(model, lambda x: encoder(stereo(6400)), books, RATE)
        torch.save(model.state_dict(), HERE / 'stereo.th')
        store.save(HERE / 'stereo-expected.safetensors', cases_of(model.encode, model.decode), {'config': json.dumps(CONFIG)})


def transformers() -> None:
    torch.manual_seed(7)
    sizes = dict(num_filters=2, hidden_size=12, codebook_dim=12, codebook_size=64, target_bandwidths=[0.5], use_causal_conv=False)
    model = TransformersEncodec(EncodecConfig(**sizes | CONFIG)).eval()
    books = [layer.codebook.embed for layer in model.quantizer.layers]

    def encode(x):
        segments = [x[..., at : at + 6400] for at in range(0, x.shape[-1], 6336)]
        return [model._encode_frame(segment, 0.5) for segment in segments]

    def decode(frames):
        return _linear_overlap_add([model._decode_frame(codes, scale) for codes, scale in frames], 6336)

    with torch.no_grad():
        enliven(model, lambda x: model.encoder(stereo(6400)), books, RATE)
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, HERE / 'stereo.safetensors')
        SAMPLES.pop('segment'), SAMPLES.pop('stride')
        store.save(HERE / 'stereo-transformers-expected.safetensors', cases_of(encode, decode), {'config': json.dumps(CONFIG)})


if __name__ == '__main__':
    own()
    transformers()

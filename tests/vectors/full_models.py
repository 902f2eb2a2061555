"""Residual codecs and vocoders at their published sizes, seeded weights, as their packages make them (requirements-full-codecs.txt).

Language-Codec has no package: make_vocos.py says what its parts are.
"""

import dataclasses
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from transformers import DacConfig, DacModel, EncodecConfig, EncodecModel

import seeded_mimi
import signals
from make_dac import enliven as enliven_dac
from seeded_codecs import enliven, entries

SEED = 20_260_101
# spread of a codebook's entries against the one before it: of 32, the last still tells frames apart
DECAY = 0.97


@dataclasses.dataclass
class Codec:
    """Codes are [codebooks, frames]; of codebooks of several rates a row, codebook after codebook. A model without codes takes frames."""

    rate: int
    hop: int
    codebooks: int
    state: dict[str, torch.Tensor]
    decode: Callable[[torch.Tensor], torch.Tensor]  # codes, or frames [1, channels, L] -> audio [T], interleaved where there are channels
    model: nn.Module
    encode: Callable[[torch.Tensor], torch.Tensor] | None = None  # [1, channels, T] -> codes
    books: list[nn.Module] = dataclasses.field(default_factory=list)  # each with `quantize([n, dim])` and `embed`
    config: dict | None = None  # what the shapes of `state` do not say
    strides: list[int] | None = None  # frames per code of each codebook, where they differ
    channels: int = 1
    clip: int | None = None  # samples of about 10 s, where a multiple of the hop will not do
    scales: Callable[[torch.Tensor], torch.Tensor] | None = None  # levels of the segments
    mel: nn.Module | None = None  # what makes the frames of a model without codes, of [1, T]
    spectrum: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]] | None = None  # `decode` but for `istft`
    istft: nn.Module | None = None
    row: int = 0  # of the tables that norms come from
    window: int | None = None  # frames of the finest codebook that attention goes by


def mimi() -> Codec:
    model = seeded_mimi.seeded_model({}, SEED)
    quantizer = model.quantizer
    branches = (quantizer.semantic_residual_vector_quantizer, quantizer.acoustic_residual_vector_quantizer)

    latents = seeded_mimi.encoded(model, torch.from_numpy(signals.fixture('speech.wav', 0, 64 * seeded_mimi.FRAME))[None, None])
    for branch in branches:
        frames = branch.input_proj(latents)[0].T
        for stage, book in enumerate(layer.codebook for layer in branch.layers):
            book.embed_sum.copy_(entries(frames, stage, book.embed_sum.shape, DECAY) * book.cluster_usage[:, None])
            book._embed = None

    def whole(wave: torch.Tensor) -> torch.Tensor:
        """Completed by zeros, as moshi does."""
        return functional.pad(wave, (0, -wave.shape[-1] % seeded_mimi.FRAME))

    return Codec(
        rate=24_000,
        hop=seeded_mimi.FRAME,
        codebooks=32,
        state=seeded_mimi.flat_state(model),
        encode=lambda wave: quantizer.encode(seeded_mimi.encoded(model, whole(wave)))[:, 0],
        decode=lambda codes: model.decode(codes[None]).audio_values[0, 0],
        model=model,
        books=[layer.codebook for branch in branches for layer in branch.layers],
    )


def seeded_encodec(**config) -> EncodecModel:
    torch.manual_seed(SEED)
    model = EncodecModel(EncodecConfig(**config)).eval()
    channels, rate = model.config.audio_channels, model.config.sampling_rate
    books = [layer.codebook.embed for layer in model.quantizer.layers]
    enliven(model, lambda x: model.encoder(torch.cat([x, 0.5 * x.flip(-1)][:channels], 1)), books, rate, DECAY)
    return model


def encodec(rate: int, hop: int, bandwidth: float, **config) -> Codec:
    model = seeded_encodec(sampling_rate=rate, **config)
    return Codec(
        rate=rate,
        hop=hop,
        codebooks=len(model.quantizer.layers),
        state=model.state_dict(),
        encode=lambda wave: model.quantizer.encode(model.encoder(wave), bandwidth)[:, 0],
        decode=lambda codes: model.decoder(model.quantizer.decode(codes[:, None]))[0, 0],
        model=model,
        books=[layer.codebook for layer in model.quantizer.layers],
        config=config and {'sampling_rate': rate} | config,
    )


def encodec_48khz() -> Codec:
    """Segments of a second, each with its level, that overlap by a hundredth; those of one length are computed together."""
    segment, stride, segment_frames = 48_000, 47_520, 150
    config = {
        'sampling_rate': 48_000, 'audio_channels': 2, 'use_causal_conv': False, 'norm_type': 'time_group_norm', 'normalize': True,
        'chunk_length_s': 1.0, 'overlap': 0.01, 'target_bandwidths': [3.0, 6.0, 12.0, 24.0],
    }  # fmt: skip
    model = seeded_encodec(**config)

    def batches(parts) -> list[torch.Tensor]:
        return [torch.cat(list(group)) for _, group in itertools.groupby(parts, lambda part: int(part.shape[-1]))]

    def frames(wave: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        parts = [wave[..., start : start + segment] for start in range(0, wave.shape[-1], stride)]
        return [model._encode_frame(batch, 24.0) for batch in batches(parts)]

    def decode(codes: torch.Tensor, scales: torch.Tensor | None = None) -> torch.Tensor:
        groups = batches(codes[None].split(segment_frames, -1))
        levels = [None] * len(groups) if scales is None else scales.split([len(group) for group in groups])
        parts = [part for group, level in zip(groups, levels) for part in model._decode_frame(group, level).split(1)]
        return model._linear_overlap_add(parts, stride)[0].T.flatten()

    return Codec(
        rate=48_000,
        hop=320,
        codebooks=16,
        state=model.state_dict(),
        encode=lambda wave: torch.cat([part for codes, _ in frames(wave) for part in codes], -1),
        decode=decode,
        model=model,
        books=[layer.codebook for layer in model.quantizer.layers],
        config=config,
        channels=2,
        clip=9 * stride + segment,
        scales=lambda wave: torch.cat([scale.flatten() for _, scale in frames(wave)]),
    )


def dmcodec() -> Codec:
    from make_dmcodec import CONFIG, seeded

    sizes = {'n_filters': 64, 'strides': [8, 5, 4, 2], 'dimension': 1024, 'semantic_dimension': 768, 'codebook_size': 1024}
    model = seeded(CONFIG | sizes, SEED)
    return Codec(
        rate=16_000,
        hop=320,
        codebooks=8,
        state=model.state_dict(),
        encode=lambda wave: model.encode(wave)[:, 0],
        decode=lambda codes: model.decode(codes[:, None])[0, 0],
        model=model,
        books=[layer._codebook for layer in model.quantizer.vq.layers],
    )


def dac(rate: int, ratios: list[int], codebooks: int) -> Codec:
    torch.manual_seed(SEED)
    config = {'downsampling_ratios': ratios, 'n_codebooks': codebooks, 'sampling_rate': rate}
    model = DacModel(DacConfig(**config)).eval()
    hop = model.config.hop_length
    enliven_dac(model, [quantizer.codebook.weight for quantizer in model.quantizer.quantizers])
    return Codec(
        rate=rate,
        hop=hop,
        codebooks=codebooks,
        state=model.state_dict(),
        encode=lambda wave: model.encode(functional.pad(wave, (0, -wave.shape[-1] % hop))).audio_codes[0],
        decode=lambda codes: model.decode(audio_codes=codes[None]).audio_values[0],
        model=model,
        config=config,
    )


def snac(rate: int, rates: list[int], strides: list[int], window: int | None, filters: int, decoder_filters: int) -> Codec:
    from snac import SNAC
    from snac.layers import NoiseBlock

    torch.manual_seed(SEED)
    config = {
        'sampling_rate': rate, 'encoder_dim': filters, 'encoder_rates': rates, 'decoder_dim': decoder_filters,
        'decoder_rates': rates[::-1], 'attn_window_size': window, 'codebook_size': 4096, 'codebook_dim': 8, 'vq_strides': strides,
        'noise': True, 'depthwise': True,
    }  # fmt: skip
    model = SNAC(**config).eval()
    enliven_dac(model, [quantizer.codebook.weight for quantizer in model.quantizer.quantizers])
    for module in model.modules():
        if isinstance(module, NoiseBlock):
            module.forward = lambda x: x
    shares = [strides[0] // stride for stride in strides]

    def split(codes: torch.Tensor) -> list[torch.Tensor]:
        unit = len(codes) // sum(shares)
        return [part[None] for part in codes.split([unit * share for share in shares])]

    return Codec(
        rate=rate,
        hop=int(model.hop_length),
        codebooks=len(strides),
        state=model.state_dict(),
        encode=lambda wave: torch.cat(model.encode(wave), 1)[0],
        decode=lambda codes: model.decode(split(codes))[0, 0],
        model=model,
        config=config,
        strides=strides,
        window=window,
    )


def vocoder(backbone: nn.Module, head: nn.Module, row: int, embed: Callable[[torch.Tensor], torch.Tensor]) -> dict:
    """`decode` and the like of a Codec. `embed`: [1, channels, L] of codes."""
    conditions = {'bandwidth_id': torch.tensor([row])} if backbone.adanorm else {}

    def spectrum(codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        log_magnitude, phase = head.out(backbone(embed(codes), **conditions)).transpose(1, 2).chunk(2, dim=1)
        magnitude = log_magnitude.exp().clip(max=1e2)
        return magnitude * phase.cos(), magnitude * phase.sin()

    return {'decode': lambda codes: head(backbone(embed(codes), **conditions))[0], 'spectrum': spectrum, 'istft': head.istft, 'row': row}


def language_codec() -> Codec:
    import make_vocos

    torch.manual_seed(SEED)
    encoder = make_vocos.SEANetEncoder(channels=1, dimension=128, n_filters=32, ratios=[8, 5, 4, 2], norm='weight_norm', causal=False).eval()
    quantizer = make_vocos.ResidualVectorQuantizer(dimension=128, n_q=8, bins=1024).eval()
    books = [layer._codebook for layer in quantizer.vq.layers]
    for book in books:
        book.inited.fill_(1)
    backbone, head = make_vocos.decoder(128, 1280, 320, 'same', 4, (384, 1152, 12))
    enliven(encoder, encoder, [book.embed for book in books], 24_000)
    return Codec(
        rate=24_000,
        hop=320,
        codebooks=8,
        state=make_vocos.language_codec_state(encoder, quantizer, backbone, head),
        encode=lambda wave: make_vocos.masked_codes(books, encoder(wave)[0].T),
        model=nn.ModuleList([encoder, quantizer, backbone, head]),
        books=books,
        **vocoder(backbone, head, 0, lambda codes: quantizer.decode(codes[:, None])),
    )


def vocos_encodec() -> Codec:
    import make_vocos

    torch.manual_seed(SEED)
    backbone, head = make_vocos.decoder(128, 1280, 320, 'same', 4, (384, 1152, 8))
    weights = torch.randn(16 * 1024, 128) / 4
    offsets = torch.arange(16)[:, None] * 1024
    return Codec(
        rate=24_000,
        hop=320,
        codebooks=16,
        state=make_vocos.state(backbone=backbone, head=head) | {'feature_extractor.codebook_weights': weights},
        model=nn.ModuleList([backbone, head]),
        **vocoder(backbone, head, 3, lambda codes: functional.embedding(codes + offsets, weights).sum(0).T[None]),
    )


def vocos_mel() -> Codec:
    import make_vocos

    torch.manual_seed(SEED)
    mel = make_vocos.MelSpectrogramFeatures().eval()
    backbone, head = make_vocos.decoder(100, 1024, 256, 'center', None, (512, 1536, 8))
    return Codec(
        rate=24_000,
        hop=256,
        codebooks=0,
        state=make_vocos.state(backbone=backbone, head=head),
        model=nn.ModuleList([backbone, head]),
        mel=mel,
        **vocoder(backbone, head, 0, lambda frames: frames),
    )


CODECS: dict[str, Callable[[], Codec]] = {
    'mimi': mimi,
    'encodec': lambda: encodec(24_000, 320, 24.0),
    'encodec-48khz': encodec_48khz,
    'encodec-32khz': lambda: encodec(
        32_000, 640, 2.2, upsampling_ratios=[8, 5, 4, 4], num_filters=64, codebook_size=2048, target_bandwidths=[2.2], use_causal_conv=False,
        use_conv_shortcut=False,
    ),
    'dmcodec': dmcodec,
    'languagecodec': language_codec,
    'dac-44khz': lambda: dac(44_100, [2, 4, 8, 8], 9),
    'dac-24khz': lambda: dac(24_000, [2, 4, 5, 8], 32),
    'dac-16khz': lambda: dac(16_000, [2, 4, 5, 8], 12),
    'snac-24khz': lambda: snac(24_000, [2, 4, 8, 8], [4, 2, 1], None, 48, 1024),
    'snac-32khz': lambda: snac(32_000, [2, 3, 8, 8], [8, 4, 2, 1], 32, 64, 1536),
    'snac-44khz': lambda: snac(44_100, [3, 3, 7, 7], [8, 4, 2, 1], 32, 64, 1536),
    'vocos-encodec': vocos_encodec,
    'vocos-mel': vocos_mel,
}  # fmt: skip


def write_weights(codec: Codec, path: Path) -> None:
    metadata = {'config': json.dumps(codec.config)} if codec.config else {}
    save_file({name: value.contiguous() for name, value in codec.state.items()}, path, metadata)

"""WavTokenizer models of any size with seeded weights, made of upstream's own modules.

Upstream fixes some sizes in code (32 filters, 512 channels); here the same modules are put together with
sizes of our choice. Every weight, norm, table and bias is random, so that no stage is an identity, and the
codebook lies where the encoder's outputs lie, so that codes vary from frame to frame.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

import reference
import signals


@dataclass(frozen=True)
class Config:
    """`ratios` in the order of the YAML's `dowmsamples` (the decoder's; the encoder runs them backwards).

    `sixteen_bits` rounds the weights to values exact in bfloat16 and float16: one model, files of any type.
    """

    name: str
    seed: int
    ratios: tuple[int, ...]
    filters: int
    dimension: int
    bins: int
    dim: int
    intermediate: int
    layers: int
    adanorm: int = 4
    sixteen_bits: bool = False

    @property
    def hop(self) -> int:
        return math.prod(self.ratios)

    @property
    def n_fft(self) -> int:
        return 4 * self.hop


# 64 channels, because PyTorch's group norm refuses one value per group (one frame, 32 channels, 32 groups)
TINY_75 = Config(
    'tiny-75',
    75,
    (8, 5, 4, 2),
    filters=2,
    dimension=24,
    bins=64,
    dim=64,
    intermediate=72,
    layers=2,
    sixteen_bits=True,
)
TINY_40 = Config(
    'tiny-40',
    41,
    (6, 5, 5, 4),
    filters=2,
    dimension=20,
    bins=64,
    dim=64,
    intermediate=76,
    layers=2,
    sixteen_bits=True,
)
MICRO = Config(
    'micro',
    9,
    (4, 2, 2, 2),
    filters=2,
    dimension=8,
    bins=16,
    dim=32,
    intermediate=40,
    layers=1,
    sixteen_bits=True,
)
FULL_75 = Config(
    'full-75', 175, (8, 5, 4, 2), filters=32, dimension=512, bins=4096, dim=768, intermediate=2304, layers=12
)
FULL_40 = Config(
    'full-40', 140, (6, 5, 5, 4), filters=32, dimension=512, bins=4096, dim=768, intermediate=2304, layers=12
)


def feature_extractor(config: Config) -> nn.Module:
    """EncodecFeatures around modules of our sizes; `encodec.decoder` never runs, but checkpoints hold it."""
    up = reference.upstream()
    common = dict(
        causal=False,
        n_residual_layers=1,
        norm='weight_norm',
        pad_mode='reflect',
        lstm=2,
        channels=1,
        activation='ELU',
        kernel_size=7,
        residual_kernel_size=3,
        last_kernel_size=7,
        dilation_base=2,
        true_skip=False,
        compress=2,
    )
    encoder = up.seanet.SEANetEncoder(
        dimension=config.dimension, n_filters=config.filters, ratios=list(config.ratios), **common
    )
    decoder = up.seanet.SEANetDecoder(
        dimension=4, n_filters=1, ratios=[8, 5, 4, 2], **common | {'compress': 1}
    )
    quantizer = up.quantization.ResidualVectorQuantizer(
        dimension=config.dimension, n_q=1, bins=config.bins, decay=0.99, kmeans_init=True
    )
    extractor = up.feature_extractors.EncodecFeatures.__new__(up.feature_extractors.EncodecFeatures)
    nn.Module.__init__(extractor)
    extractor.bandwidths = [6.6] * config.adanorm
    extractor.frame_rate = 25
    extractor.encodec = up.encodec.EncodecModel(
        encoder=encoder,
        decoder=decoder,
        quantizer=quantizer,
        target_bandwidths=extractor.bandwidths,
        sample_rate=24000,
        channels=1,
    )
    return extractor


def randomise(name: str, tensor: torch.Tensor, generator: torch.Generator) -> None:
    """Fills one tensor of the state dict according to what it is."""

    def normal(scale: float, mean: float = 0.0) -> None:
        tensor.normal_(mean, scale, generator=generator)

    fan_in = math.prod(tensor.shape[1:])
    leaf = name.rsplit('.', 1)[-1]
    if leaf == 'weight_g':
        normal(0.2, 1.0)
    elif leaf == 'weight_v':
        normal(0.7)
    elif 'lstm' in name:
        normal(2 / math.sqrt(tensor.shape[-1]) if 'weight' in leaf else 0.2)
    elif 'scale.weight' in name or (leaf == 'weight' and tensor.ndim == 1):
        normal(0.2, 1.0)
    elif leaf == 'gamma':
        normal(0.1, 0.4)
    elif name == 'head.out.weight':
        normal(1 / math.sqrt(fan_in))
        # phases of many turns: sine and cosine must reduce their argument
        tensor[tensor.shape[0] // 2 :] *= 8
    elif name == 'head.out.bias':
        normal(0.5, -1.0)
        # some magnitudes above exp(m) = 100, the clip
        tensor[: tensor.shape[0] // 2 : 41] = 5.5
    elif leaf == 'weight':
        normal(0.2 if 'shift' in name else 1.2 / math.sqrt(fan_in))
    else:
        normal(0.15)


def calibrate_encoder(encoder: nn.Module, clip: torch.Tensor) -> None:
    """Scales each convolution, in running order, to outputs of deviation 0.8 on `clip` ([1, 1, T]).

    Without it activations grow until the LSTM's bounded output no longer matters to the codes.
    """

    def rescale(module: nn.Module, _inputs, output: torch.Tensor) -> torch.Tensor:
        factor = 0.8 / output.std()
        module.conv.weight_g.mul_(factor)
        module.conv.bias.mul_(factor)
        return output * factor

    convolutions = [
        module for module in encoder.modules() if isinstance(module, reference.upstream().conv.NormConv1d)
    ]
    handles = [module.register_forward_hook(rescale) for module in convolutions]
    encoder(clip)
    for handle in handles:
        handle.remove()


def calibrate_codebook(
    model: nn.Module, config: Config, clip: torch.Tensor, generator: torch.Generator
) -> None:
    """Codewords are encoder outputs, each moved by half a standard deviation of noise."""
    frames = model.feature_extractor.encodec.encoder(clip)[0].T
    rows = torch.randint(len(frames), (config.bins,), generator=generator)
    noise = torch.randn(config.bins, config.dimension, generator=generator)
    book = model.feature_extractor.encodec.quantizer.vq.layers[0]._codebook
    book.embed.copy_(frames[rows] + 0.5 * frames.std(dim=0) * noise)
    book.inited.fill_(1)
    # training state that a reader must leave alone: neither equals `embed`
    book.cluster_size.uniform_(1, 50, generator=generator)
    book.embed_avg.normal_(generator=generator)


def round_to_16_bits(model: nn.Module) -> None:
    """The window stays as it is: readers compute it."""
    for name, tensor in model.state_dict().items():
        if name != 'head.istft.window':
            tensor.copy_(torch.where(tensor.abs() < 2**-14, 0, tensor.bfloat16().float()))


@torch.inference_mode()
def build(config: Config) -> nn.Module:
    """Upstream's WavTokenizer (`feature_extractor`, `backbone`, `head`) in eval mode with seeded weights."""
    up = reference.upstream()
    with reference.quiet(), torch.device('cpu'):
        backbone = up.models.VocosBackbone(
            input_channels=config.dimension,
            dim=config.dim,
            intermediate_dim=config.intermediate,
            num_layers=config.layers,
            adanorm_num_embeddings=config.adanorm,
        )
        head = up.heads.ISTFTHead(dim=config.dim, n_fft=config.n_fft, hop_length=config.hop, padding='same')
        model = (
            up.pretrained.WavTokenizer(feature_extractor(config), backbone, head).eval().requires_grad_(False)
        )
    generator = torch.Generator().manual_seed(config.seed)
    for name, tensor in model.state_dict().items():
        if name != 'head.istft.window' and '_codebook' not in name:
            randomise(name, tensor, generator)
    clip = torch.from_numpy(
        np.concatenate([signals.fixture('speech-de.wav'), signals.voiced(24000, config.seed)])
    )[None, None]
    calibrate_encoder(model.feature_extractor.encodec.encoder, clip)
    calibrate_codebook(model, config, clip, generator)
    if config.sixteen_bits:
        round_to_16_bits(model)
    return model

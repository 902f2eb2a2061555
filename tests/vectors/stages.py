"""Runs upstream's encode and decode on one signal and keeps what every stage put out.

Stage names are module paths: `encoder.model.N` (13 is the LSTM; the ELUs at 2, 5, 8, 11 and 14 are left out),
`backbone.embed`, `backbone.pos_net.0` .. `.5`, `backbone.norm`, `backbone.convnext.N`,
`backbone.final_layer_norm`, `head.out`; all channels-last, [frames, channels]. Beside them: `input` [T],
`features` [L, dimension] (the encoder's output, that is `encoder.model.15`), `codes` [L], `distances` [L, 2]
(the two smallest squared distances, in float64), `quantized` [L, dimension], `audio` [L * hop].
"""

import numpy as np
import torch
from torch import nn

NEAR_TIE = 1e-4


def modules(model: nn.Module) -> dict[str, nn.Module]:
    encoder = model.feature_extractor.encodec.encoder.model
    last = len(encoder) - 1
    named = {
        f'encoder.model.{i}': module
        for i, module in enumerate(encoder[:last])
        if not isinstance(module, nn.ELU)
    }
    named['features'] = encoder[last]
    backbone = model.backbone
    named['backbone.embed'] = backbone.embed
    named |= {f'backbone.pos_net.{i}': module for i, module in enumerate(backbone.pos_net)}
    named['backbone.norm'] = backbone.norm
    named |= {f'backbone.convnext.{i}': module for i, module in enumerate(backbone.convnext)}
    return named | {'backbone.final_layer_norm': backbone.final_layer_norm, 'head.out': model.head.out}


# these modules work on [batch, frames, channels] already; all others on [batch, channels, frames]
CHANNELS_LAST = ('backbone.norm', 'backbone.final_layer_norm', 'head.out')


def two_best_distances(features: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    """[L, dimension], [bins, dimension] -> [L, 2] squared distances in float64, smallest first."""
    distances = [(codebook.double() - row).square().sum(dim=1) for row in features.double()]
    return torch.stack(distances).sort(dim=1).values[:, :2]


def near_ties(distances) -> int:
    """Frames whose two best distances differ by less than 1e-4 of the larger."""
    best, second = np.asarray(distances, dtype=np.float64).T
    return int(np.sum(second - best < NEAR_TIE * second))


@torch.inference_mode()
def run(model: nn.Module, samples: np.ndarray, bandwidth_id: int = 0) -> dict[str, torch.Tensor]:
    """All stages of encoding `samples` ([T] float32) and of decoding the codes again."""
    kept: dict[str, torch.Tensor] = {}

    def keep(name: str):
        def hook(_module, _inputs, output: torch.Tensor) -> None:
            kept[name] = (output[0] if name in CHANNELS_LAST else output[0].T).clone()

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in modules(model).items()]
    try:
        bandwidth = torch.tensor([bandwidth_id])
        quantized, codes = model.encode_infer(torch.from_numpy(samples)[None], bandwidth_id=bandwidth)
        looked_up = model.codes_to_features(codes)
        if not torch.equal(looked_up, quantized):
            raise AssertionError('codes_to_features differs from what encode returned')
        audio = model.decode(looked_up, bandwidth_id=bandwidth)
    finally:
        for handle in handles:
            handle.remove()
    codebook = model.feature_extractor.encodec.quantizer.vq.layers[0].codebook
    return kept | {
        'input': torch.from_numpy(samples),
        'codes': codes[0, 0],
        'distances': two_best_distances(kept['features'], codebook),
        'quantized': quantized[0].T,
        'audio': audio[0],
    }

"""Mimi of any size with seeded weights, as transformers has it."""

import re

import torch
from transformers import MimiConfig, MimiModel

import signals

FRAME = 1920


def flat(name: str) -> str:
    """The name that published files use for what this version of transformers calls `name`."""
    name = re.sub(r'^(?:en|de)coder\.((?:en|de)coder_transformer|downsample|upsample)\b', r'\1', name)
    return re.sub(r'^(en|de)coder\.(?:en|de)coder_seanet\.', r'\1coder.', name)


def seeded_model(config: dict, seed: int) -> MimiModel:
    """No stage is an identity, no bias or norm is trivial, and the codebooks lie where what they quantize lies."""
    torch.manual_seed(seed)
    model = MimiModel(MimiConfig(**config)).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if 'layernorm.weight' in name:
                value.uniform_(0.7, 1.3)
            elif name.endswith('bias'):
                value.normal_(0, 0.1)
            elif name.endswith('scale'):
                value.uniform_(0.2, 0.6)
            else:
                fan = value.shape[1] * (value.shape[2] if value.dim() == 3 else 1)
                value.normal_(0, 1.3 / fan**0.5)
        latents = encoded(model, torch.from_numpy(signals.voiced(64 * FRAME, seed))[None, None])
        for branch in (
            model.quantizer.semantic_residual_vector_quantizer,
            model.quantizer.acoustic_residual_vector_quantizer,
        ):
            rest = branch.input_proj(latents)[0].T
            for layer in branch.layers:
                book = layer.codebook
                size = book.codebook_size
                chosen = rest[torch.randperm(len(rest))[:size] if size <= len(rest) else torch.randint(len(rest), (size,))]
                chosen = chosen + 0.3 * rest.std() * torch.randn_like(chosen)  # else what is left of it is 0
                book.cluster_usage.uniform_(0.5, 4)
                book.embed_sum.copy_(chosen * book.cluster_usage[:, None])
                book._embed = None
                rest = rest - book.embed[torch.cdist(rest, book.embed).argmin(-1)]
    return model


def encoded(model: MimiModel, audio: torch.Tensor) -> torch.Tensor:
    """[1, C, frames] before quantization."""
    return model.encoder(audio).latents


def distances(model: MimiModel, latents: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """[frames, codebooks, 2]: the two smallest squared distances at every choice."""
    result = []
    quantizer = model.quantizer
    for branch, chosen in (
        (quantizer.semantic_residual_vector_quantizer, codes[:1]),
        (quantizer.acoustic_residual_vector_quantizer, codes[1:]),
    ):
        rest = branch.input_proj(latents)[0].T.double()
        for layer, code in zip(branch.layers, chosen):
            embed = layer.codebook.embed.double()
            result.append((torch.cdist(rest, embed) ** 2).topk(2, largest=False).values)
            rest = rest - embed[code]
    return torch.stack(result, 1)


def flat_state(model: MimiModel) -> dict[str, torch.Tensor]:
    return {flat(name): value for name, value in model.state_dict().items()}

"""What makes seeded codecs worth comparing: inputs, and weights that react to them."""

import torch

SAMPLES = {'long': 5003, 'frame': 320, 'frame_plus_1': 321, 'frame_minus_1': 319, 'short': 5, 'one_sample': 1}


def signal(samples: int, rate: int) -> torch.Tensor:
    """A vowel-like sound that changes, with a little noise."""
    time = torch.arange(samples) / rate
    tone = sum(torch.sin(2 * torch.pi * harmonic * (130 + 60 * time) * time) / harmonic for harmonic in range(1, 9))
    return (0.3 * tone * (0.6 + 0.4 * torch.sin(40 * time)) + 0.03 * torch.randn(samples))[None, None]


def enliven(model: torch.nn.Module, encode, books: list[torch.Tensor], rate: int, decay: float = 0.8) -> None:
    """Seeded weights hardly react to their input: biases from a distribution, codebooks spread as the frames are."""
    for name, parameter in model.named_parameters():
        if name.endswith('bias'):
            torch.nn.init.normal_(parameter, std=0.05)
        elif '.lstm.' not in name:
            parameter.data *= 1.5
    frames = encode(signal(24_000, rate))[0].T
    for stage, book in enumerate(books):
        book.copy_(entries(frames, stage, book.shape, decay))


def entries(frames: torch.Tensor, stage: int, shape: torch.Size, decay: float) -> torch.Tensor:
    """A codebook of that stage, where [n, dim] frames and what earlier stages leave of them lie."""
    return torch.randn(shape) * frames.std(0) * decay**stage + (frames.mean(0) if stage == 0 else 0)

"""One Euclidean codebook: EMA updates, k-means start, revival of dead codes."""
import torch
import torch.nn as nn


def nearest(z, codebook):
    """Index of the nearest row (lowest on ties): argmin of |e|^2 - 2 z.e; z (N, D) float32."""
    return (codebook.square().sum(1) - 2 * z @ codebook.t()).argmin(1)


class Quantizer(nn.Module):
    def __init__(self, size, dim, decay=.99, revive_below=.05):
        super().__init__()
        self.decay, self.revive_below = decay, revive_below
        self.register_buffer('codebook', torch.randn(size, dim))
        self.register_buffer('counts', torch.ones(size))
        self.register_buffer('sums', torch.randn(size, dim))
        self.register_buffer('started', torch.zeros((), dtype=torch.bool))

    def forward(self, z):
        """(B, L, D) -> straight-through quantized, codes (B, L), commitment loss."""
        flat = z.detach().float().reshape(-1, z.shape[-1])
        codes = nearest(flat, self.codebook)
        q = self.codebook[codes].view_as(z)
        if self.training:
            self.update(flat, codes)
        return z + (q - z).detach(), codes.view(z.shape[:-1]), (z.float() - q).square().mean()

    @torch.no_grad()
    def update(self, flat, codes):
        size = self.codebook.shape[0]
        counts = torch.zeros_like(self.counts).index_add_(0, codes, torch.ones_like(flat[:, 0]))
        sums = torch.zeros_like(self.codebook).index_add_(0, codes, flat)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        dead = self.counts < self.revive_below      # no branch on it: that would wait for the device
        pick = flat[torch.randint(len(flat), (size,), device=flat.device)]
        fresh = torch.full_like(self.counts, 2 * self.revive_below)
        self.sums.copy_(torch.where(dead[:, None], pick * fresh[:, None], self.sums))
        self.counts.copy_(torch.where(dead, fresh, self.counts))
        self.codebook.copy_(self.sums / self.counts[:, None])

    @torch.no_grad()
    def start(self, vectors, rounds=12):
        """k-means over encoder outputs (N, D); the caller gathers at least ten vectors a code."""
        size = self.codebook.shape[0]
        centres = vectors[torch.randperm(len(vectors), device=vectors.device)[:size]].clone()
        for _ in range(rounds):
            codes = torch.cat([nearest(part, centres) for part in vectors.split(8192)])
            counts = torch.bincount(codes, minlength=size).to(vectors.dtype)
            sums = torch.zeros_like(centres).index_add_(0, codes, vectors)
            centres = torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], centres)
            empty = counts == 0
            centres[empty] = vectors[torch.randint(len(vectors), (int(empty.sum()),), device=vectors.device)]
        self.codebook.copy_(centres)
        self.counts.fill_(1.0)
        self.sums.copy_(centres)
        self.started.fill_(True)

"""Encoder and decoder of the family `mini`. Activations are (B, T, C) throughout: on CPU that, with depthwise convolutions as
shifted multiply-adds and embed convolutions as one product over unfolded taps, halves the step against Conv1d."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from quantizer import Quantizer


class ShiftedProducts(torch.autograd.Function):
    """y[t] = bias + sum_k w[k] x[t+k] over an x padded by k-1 frames; autograd's own backward of the slices adds a third."""
    @staticmethod
    def forward(ctx, x, weight, bias):
        kernel, frames = weight.shape[0], x.shape[1] - weight.shape[0] + 1
        ctx.save_for_backward(x, weight)
        y = torch.addcmul(bias, x[:, :frames], weight[0])
        for k in range(1, kernel):
            y.addcmul_(x[:, k:k + frames], weight[k])
        return y

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        kernel, frames = weight.shape[0], g.shape[1]
        grad_weight = torch.stack([(g * x[:, k:k + frames]).sum((0, 1)) for k in range(kernel)])
        grad_x = torch.zeros_like(x)
        for k in range(kernel):
            grad_x[:, k:k + frames].addcmul_(g, weight[k])
        return grad_x, grad_weight, g.sum((0, 1))


class DepthwiseConv(nn.Module):
    """Left-padded depthwise convolution; weight (C, 1, k) as in nn.Conv1d(groups=C)."""
    def __init__(self, dim, kernel):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim, 1, kernel) * (1 / kernel) ** .5)
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        if x.is_cuda:       # the block is compiled there, and the shifts become one kernel
            frames, kernel = x.shape[1], self.weight.shape[-1]
            x = F.pad(x, (0, 0, kernel - 1, 0))
            return self.bias + sum(x[:, k:k + frames] * self.weight[:, 0, k] for k in range(kernel))
        x = F.pad(x, (0, 0, self.weight.shape[-1] - 1, 0))
        return ShiftedProducts.apply(x, self.weight[:, 0].t().contiguous(), self.bias)


class EmbedConv(nn.Module):
    """Convolution that sees `past` and `future` frames, zeros outside; weight (out, in, k) as in nn.Conv1d."""
    def __init__(self, dim_in, dim, past, future):
        super().__init__()
        self.past, self.future = past, future
        kernel = past + 1 + future
        self.weight = nn.Parameter(torch.randn(dim, dim_in, kernel) * (1 / (dim_in * kernel)) ** .5)
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        taps = F.pad(x, (0, 0, self.past, self.future)).unfold(1, self.past + 1 + self.future, 1)   # (B, T, in, k)
        return F.linear(taps.reshape(*x.shape[:2], -1), self.weight.flatten(1), self.bias)


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim, hidden, kernel, scale, eps):
        super().__init__()
        self.dwconv = DepthwiseConv(dim, kernel)
        self.norm = nn.LayerNorm(dim, eps=eps)
        self.pwconv1 = nn.Linear(dim, hidden)
        self.pwconv2 = nn.Linear(hidden, dim)
        self.gamma = nn.Parameter(torch.full((dim,), scale))

    def forward(self, x):
        return x + self.gamma * self.pwconv2(F.gelu(self.pwconv1(self.norm(self.dwconv(x)))))


class Stack(nn.Module):
    """embed -> norm -> blocks -> final_norm -> head."""
    def __init__(self, dim_in, dim_out, config, eps):
        super().__init__()
        self.embed = EmbedConv(dim_in, config.dim, config.embed_past, config.embed_future)
        self.norm = nn.LayerNorm(config.dim, eps=eps)
        self.blocks = nn.ModuleList(ConvNeXtBlock(config.dim, config.hidden, config.kernel, 1 / config.blocks, eps)
                                    for _ in range(config.blocks))
        self.final_norm = nn.LayerNorm(config.dim, eps=eps)
        self.head = nn.Linear(config.dim, dim_out)

    def forward(self, x, stages=None):
        """stages: a list that receives (name, tensor) of every intermediate result."""
        keep = (lambda name, v: stages.append((name, v))) if stages is not None else (lambda name, v: None)
        x = self.embed(x)
        keep('embed', x)
        x = self.norm(x)
        keep('norm', x)
        for i, block in enumerate(self.blocks):
            x = block(x)
            keep(f'blocks.{i}', x)
        x = self.final_norm(x)
        keep('final_norm', x)
        with torch.autocast(x.device.type, enabled=False):      # bf16 latents and log F0 would be too coarse
            x = self.head(x.float())
        keep('head', x)
        return x


class Mini(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder = Stack(config.front_end.mels, config.codebook_dim, config.encoder, config.norm_eps)
        self.quantizer = Quantizer(config.codebook_size, config.codebook_dim)
        self.outputs = config.synth.bands + 1 + len(config.synth.aperiodicity_hz) - 1
        self.decoder = Stack(config.codebook_dim, self.outputs, config.decoder, config.norm_eps)

    def normalise(self, log_mel):
        """Floor, shift and scale of the log-mel features before the encoder."""
        f = self.config.front_end
        return (log_mel.clamp(min=math.log(f.floor)) - f.shift) * f.scale

    def encode(self, log_mel, stages=None):
        """(B, L, mels) natural-log mel -> latents (B, L, D)."""
        return self.encoder(self.normalise(log_mel), stages)

    def split(self, y):
        """Head output -> log bands (B, L, bands), log F0 (B, L), harmonic logits (B, L, aperiodicity bands)."""
        bands, s = self.config.synth.bands, self.config.synth
        log_f0 = math.log(140.0) + .5 * y[..., bands]
        return 3.0 * y[..., :bands] - 1.0, log_f0.clamp(math.log(s.f0_min), math.log(s.f0_max)), y[..., bands + 1:]

    def decode(self, quantized, stages=None):
        return self.split(self.decoder(quantized, stages).float())

    def forward(self, log_mel, quantize=True):
        z = self.encode(log_mel).float()
        if not quantize:
            return self.decode(z), z, None, z.new_zeros(())
        q, codes, commitment = self.quantizer(z)
        return self.decode(q), z, codes, commitment

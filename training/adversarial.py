"""A small discriminator of log-band pictures. L1 alone predicts medians, which sound muffled: sharpening such bands by hand raised DistilMOS
from 1.43 to 1.73 (STOI .810 to .802). The discriminator asks for the texture instead, at about a quarter of the step's time (no waveform is made)."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Discriminator(nn.Module):
    """(B, T, bands) log bands -> patch scores (B, T/2, bands/8)."""
    def __init__(self, channels=24):
        super().__init__()
        c, norm = channels, nn.utils.parametrizations.weight_norm
        conv = lambda i, o, kernel, stride: norm(nn.Conv2d(i, o, kernel, stride, (kernel[0] // 2, kernel[1] // 2)))
        self.layers = nn.ModuleList([conv(1, c, (3, 9), (1, 2)), conv(c, c, (3, 9), (1, 2)), conv(c, 2 * c, (3, 9), (2, 2)),
                                     conv(2 * c, 2 * c, (3, 5), (1, 1)), conv(2 * c, 1, (3, 3), (1, 1))])

    def forward(self, bands):
        x = ((bands + 1.0) / 3.0)[:, None].contiguous(memory_format=torch.channels_last)
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), .1)
        return self.layers[-1](x).float()


class Adversary:
    """Hinge game on a share of the batch; its gradient is scaled to `weight` times that of the other losses at the bands."""
    def __init__(self, device, weight, lr=2e-4, share=.5):
        self.weight, self.share = weight, share
        self.model = Discriminator().to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, betas=(.5, .9), weight_decay=.01, fused=True)

    def judge(self, real, fake):
        """One step of the discriminator; real and fake (B, T, bands) without gradients."""
        scores = self.model(torch.cat([real, fake]))
        good, bad = scores.chunk(2)
        loss = F.relu(1 - good).mean() + F.relu(1 + bad).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def term(self, loss, bands, real):
        """Scalar to add to `loss`: its gradient at the bands is the adversarial one, rescaled."""
        n = max(1, int(len(bands) * self.share))
        fake = bands[:n].detach().float().requires_grad_()
        judged = self.judge(real[:n], fake.detach())
        self.model.requires_grad_(False)
        wish, = torch.autograd.grad(-self.model(fake).mean(), fake)
        self.model.requires_grad_(True)
        others, = torch.autograd.grad(loss, bands, retain_graph=True)
        scale = self.weight * others[:n].norm() / wish.norm().clamp(min=1e-12)
        return (bands[:n] * (wish * scale)).sum(), judged

    def state_dict(self):
        return {'model': self.model.state_dict(), 'optimizer': self.optimizer.state_dict()}

    def load_state_dict(self, state):
        self.model.load_state_dict(state['model'])
        self.optimizer.load_state_dict(state['optimizer'])

"""Refinement of the decoder by what its bands sound like: multi-resolution STFT loss and an adversary that sees STFT magnitudes.

The waveform comes from soundmaker.py with the clip's own pitch, which gets no gradient; bands and harmonic shares do. Magnitudes only:
the phase is given by construction, so a judge of phases would ask for what cannot change.
Loss: Yamamoto et al. 2020 (Parallel WaveGAN), section 2.2; judge: Jang et al. 2021 (UnivNet), section 2.2; gradients balanced at the
waveform as in Defossez et al. 2022 (EnCodec), section 3.4."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from soundmaker import SoundMaker, balanced, leaves

RESOLUTIONS = ((512, 240, 60), (1024, 600, 150), (2048, 1200, 300))      # FFT, Hann window, hop in samples at 24 kHz
FLOOR = 1e-3                                                             # of magnitudes, where logarithms are taken


def magnitudes(x, resolution):
    """(B, T) -> (B, frames, n_fft/2+1), at least FLOOR."""
    n_fft, window, hop = resolution
    s = torch.stft(x, n_fft, hop, window, torch.hann_window(window, device=x.device), return_complex=True).transpose(1, 2)
    return (s.real.square() + s.imag.square()).clamp(min=FLOOR ** 2).sqrt()


def stft_loss(sound, clip):
    """Spectral convergence + mean absolute difference of log magnitudes (nats), mean over RESOLUTIONS; (B, T) each."""
    total = 0.0
    for resolution in RESOLUTIONS:
        got, want = magnitudes(sound, resolution), magnitudes(clip, resolution)
        convergence = (got - want).norm(dim=(1, 2)) / want.norm(dim=(1, 2))
        total = total + convergence.mean() + (got.log() - want.log()).abs().mean()
    return total / len(RESOLUTIONS)


class Judge(nn.Module):
    """(B, T) -> for every resolution the outputs of all layers, patch scores last."""
    def __init__(self, channels=16):
        super().__init__()
        c, norm = channels, nn.utils.parametrizations.weight_norm
        conv = lambda i, o, kernel, stride: norm(nn.Conv2d(i, o, kernel, stride, (kernel[0] // 2, kernel[1] // 2)))
        self.stacks = nn.ModuleList(nn.ModuleList([conv(1, c, (3, 9), (1, 2)), conv(c, c, (3, 9), (2, 2)), conv(c, c, (3, 9), (2, 2)),
                                                   conv(c, c, (3, 9), (1, 2)), conv(c, c, (3, 3), 1), conv(c, 1, (3, 3), 1)])
                                    for _ in RESOLUTIONS)

    def forward(self, x):
        results = []
        for stack, resolution in zip(self.stacks, RESOLUTIONS):
            with torch.autocast(x.device.type, enabled=False):
                y = ((magnitudes(x.float(), resolution).log() + 2) / 3)[:, None].contiguous(memory_format=torch.channels_last)
            outputs = []
            for layer in stack[:-1]:
                y = F.leaky_relu(layer(y), .1)
                outputs.append(y)
            results.append([*outputs, stack[-1](y).float()])
        return results


def feature_distance(real, fake):
    """Mean over resolutions and layers of L1 in units of the real one's mean magnitude."""
    pairs = [(r, f) for rs, fs in zip(real, fake) for r, f in zip(rs[:-1], fs[:-1])]
    return sum((f.float() - r.float()).abs().mean() / r.float().abs().mean() for r, f in pairs) / len(pairs)


class Refiner:
    """Its gradient at the decoder's outputs is scaled to `weight` times that of the other losses there. At the waveform, adversarial and
    feature gradients each have `adversarial` times the norm of the STFT loss's."""
    def __init__(self, config, device, weight, adversarial, channels=16, lr=2e-4):
        self.weight, self.adversarial = weight, adversarial
        self.sound = SoundMaker(config).to(device)
        self.judge = Judge(channels).to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.judge.parameters(), lr=lr, betas=(.5, .9), weight_decay=.01, fused=True)

    def train_judge(self, clip, sound):
        """One step of the hinge game without gradients to the sound."""
        real, fake = self.judge(clip), self.judge(sound)
        loss = sum(F.relu(1 - r[-1]).mean() + F.relu(1 + f[-1]).mean() for r, f in zip(real, fake)) / len(real)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def wish(self, sound, clip, play):
        """Gradient at the sound (B, T), unit norm for every loss, and what to log. play: whether the judge is listened to yet."""
        sound = sound.detach().requires_grad_()
        with torch.autocast(sound.device.type, enabled=False):
            loss = stft_loss(sound, clip)
        wishes, parts = [(1.0, torch.autograd.grad(loss, sound)[0])], {'stft': loss.detach()}
        if self.adversarial:
            parts['refine_judge'] = self.train_judge(clip, sound.detach())
        if self.adversarial and play:
            self.judge.requires_grad_(False)
            with torch.no_grad():
                real = self.judge(clip)
            fake = self.judge(sound)
            features = feature_distance(real, fake)
            score = -sum(f[-1].mean() for f in fake) / len(fake)
            wishes += [(self.adversarial, torch.autograd.grad(v, sound, retain_graph=True)[0]) for v in (features, score)]
            self.judge.requires_grad_(True)
            parts['refine_features'] = features.detach()
        return sum(w * g / g.norm().clamp(min=1e-12) for w, g in wishes), parts

    def term(self, loss, predicted, samples, f0, play=True):
        """Scalar to add to `loss`, and what to log. predicted: (bands, log F0, harmonic logits) of the whole batch; samples (n, T) and
        f0 (n, L) in Hz of its first rows."""
        bands, logits = leaves(predicted, len(samples))
        with torch.autocast(samples.device.type, enabled=False):
            sound = self.sound(bands, f0, torch.sigmoid(logits))
        wish, parts = self.wish(sound, samples, play)
        return balanced(loss, predicted, torch.autograd.grad(sound, (bands, logits), wish), self.weight), parts

    @torch.no_grad()
    def distance(self, predicted, samples, f0):
        """STFT loss of rows that do not train, with noise of its own."""
        with torch.random.fork_rng(devices=[samples.device] if samples.is_cuda else []):
            torch.manual_seed(7)
            return stft_loss(self.sound(predicted[0].float(), f0, torch.sigmoid(predicted[2].float())), samples)

    def state_dict(self):
        return {'judge': self.judge.state_dict(), 'optimizer': self.optimizer.state_dict()}

    def load_state_dict(self, state):
        self.judge.load_state_dict(state['judge'])
        self.optimizer.load_state_dict(state['optimizer'])

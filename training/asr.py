"""A recogniser's ear as a loss: the encoder of a small Whisper hears the clip and what the decoder's bands sound like.

L1 on bands spends bits on level; words hang on little of it. Whisper tiny.en (MIT licence, CTranslate2 layout) is the teacher,
never the evaluator (word errors are counted with Whisper base). Radford et al. 2022, section 2.2."""
import struct

import numpy as np
import torch
import torch.nn.functional as F

from soundmaker import SoundMaker, balanced, leaves

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
HOP, N_FFT = 240, 600       # Whisper's 160 and 400 at 16 kHz are these at 24 kHz: the same 40 Hz grid, so its mel filters fit


def read_ctranslate2(path):
    """model.bin -> {name: array}: version, spec, revision, count, then name, rank, dims, type, bytes, data of each."""
    with open(path, 'rb') as f:
        number = lambda kind: struct.unpack('<' + kind, f.read(struct.calcsize(kind)))[0]
        text = lambda: f.read(number('H'))[:-1].decode()
        number('I'); text(); number('I')
        values = {}
        for _ in range(number('I')):
            name = text()
            shape = [number('I') for _ in range(number('B'))]
            kind = TYPES[number('B')]
            values[name] = np.frombuffer(f.read(number('I')), kind).reshape(shape)
    return values


def extract(model_bin, mel_filters, out):
    """Writes the encoder's tensors (f16) and the mel filters (80, 201) to a .npz."""
    values = {k: v for k, v in read_ctranslate2(model_bin).items() if k.startswith('encoder/')}
    np.savez(out, mel=np.asarray(mel_filters, np.float32), **{k[8:].replace('/', '.'): v for k, v in values.items()})


class WhisperEncoder(torch.nn.Module):
    """(B, T) samples at 24 kHz -> list of hidden states (B, T/480, C), one a layer, the last one normed."""
    def __init__(self, path, heads=6):
        super().__init__()
        self.heads = heads
        for name, v in np.load(path).items():
            self.register_buffer(name.replace('.', '_'), torch.from_numpy(v).float())
        self.layers = sum(1 for n, _ in self.named_buffers() if n.endswith('self_attention_linear_0_weight'))
        self.register_buffer('window', torch.hann_window(N_FFT))

    def log_mel(self, x):
        power = torch.stft(x, N_FFT, HOP, window=self.window, return_complex=True)[..., :-1].abs().square() / (N_FFT / 400) ** 2
        mel = (self.mel @ power[:, :self.mel.shape[1]]).clamp(min=1e-10).log10()
        return (torch.maximum(mel, mel.amax((1, 2), keepdim=True).detach() - 8) + 4) / 4

    def p(self, name):
        return getattr(self, name)

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p(name + '_gamma'), self.p(name + '_beta'))

    def linear(self, x, name):
        return F.linear(x, self.p(name + '_weight'), getattr(self, name + '_bias', None))

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            x = self.log_mel(x)
        x = F.gelu(F.conv1d(x, self.conv1_weight, self.conv1_bias, padding=1))
        x = F.gelu(F.conv1d(x, self.conv2_weight, self.conv2_bias, stride=2, padding=1)).transpose(1, 2)
        x = x + self.position_encodings_encodings[:x.shape[1]]
        states = []
        for i in range(self.layers):
            at = f'layer_{i}_'
            qkv = self.linear(self.norm(x, at + 'self_attention_layer_norm'), at + 'self_attention_linear_0')
            q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in qkv.chunk(3, -1))
            y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
            x = x + self.linear(y, at + 'self_attention_linear_1')
            y = F.gelu(self.linear(self.norm(x, at + 'ffn_layer_norm'), at + 'ffn_linear_0'))
            x = x + self.linear(y, at + 'ffn_linear_1')
            states.append(x)
        states[-1] = self.norm(x, 'layer_norm')
        return states


def distance(wanted, got):
    """Mean over layers of relative L1, every layer in units of its own spread."""
    return sum((g - w).abs().mean() / w.std() for w, g in zip(wanted, got)) / len(got)


class Listener:
    """What the recogniser hears in the synthesised bands against the clip; its gradient at the decoder's outputs is scaled to
    `weight` times that of the other losses there."""
    def __init__(self, path, config, device, weight):
        self.weight = weight
        self.ear, self.sound = WhisperEncoder(path).to(device).requires_grad_(False), SoundMaker(config).to(device)

    def term(self, loss, predicted, samples, f0):
        """predicted: (bands, log F0, harmonic logits) of the whole batch; samples (n, T) and
        f0 (n, L) in Hz of its first rows."""
        bands, logits = leaves(predicted, len(samples))
        with torch.autocast(samples.device.type, enabled=False):
            heard = self.sound(bands, f0, torch.sigmoid(logits))
        with torch.no_grad():
            wanted = self.ear(samples)
        far = distance(wanted, self.ear(heard))
        return balanced(loss, predicted, torch.autograd.grad(far, (bands, logits)), self.weight), far.detach()

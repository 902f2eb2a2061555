"""Inference as the library does it: samples -> codes -> samples, float32, from a checkpoint of train.py or an exported file."""
import json

import torch

import features
from config import MiniConfig
from model import Mini
from quantizer import nearest
from synth import Synth

# per Hz: the phase adds up F0, so that a last bit of the network's output would be heard as another phase; a grid absorbs it
PITCH_STEPS = 4


class Codec:
    def __init__(self, model):
        self.model, self.config = model.eval().float(), model.config
        self.mel = features.mel_filters(self.config.front_end, self.config.sample_rate)
        self.synth = Synth(self.config)

    @staticmethod
    def load(path, raw=False):
        """raw: the weights of the last step instead of their exponential average."""
        if str(path).endswith('.safetensors'):
            from safetensors import safe_open
            with safe_open(path, 'pt') as f:
                config = MiniConfig.from_dict(json.loads(f.metadata()['config']))
                state = {k: f.get_tensor(k).float() for k in f.keys()}
        else:
            saved = torch.load(path, map_location='cpu', weights_only=False)
            config, state = MiniConfig.from_dict(saved['config']), saved['model' if raw else 'average']
        model = Mini(config)
        wanted = {k for k, _ in model.named_parameters()} | {'quantizer.codebook'}
        missing, extra = wanted - state.keys(), {k for k in state if not k.startswith('quantizer.')} - wanted
        if missing or extra:
            raise ValueError(f'{path}: missing {sorted(missing)[:3]}, unexpected {sorted(extra)[:3]}')
        model.load_state_dict({k: state[k] for k in wanted}, strict=False)
        return Codec(model)

    def log_mel(self, samples):
        f = self.config.front_end
        return features.log_bands(samples[None], self.mel, f.n_fft, self.config.hop, f.floor)[0]

    @torch.no_grad()
    def encode(self, samples):
        """(T,) float32 at the config's rate -> codes (ceil(T/hop),) int64."""
        z = self.model.encode(self.log_mel(samples)[None])[0]
        return nearest(z, self.model.quantizer.codebook)

    @torch.no_grad()
    def controls(self, codes):
        """codes (L,) -> log bands (L, bands), F0 in Hz (L,), harmonic share of power (L, aperiodicity bands)."""
        bands, log_f0, logits = self.model.decode(self.model.quantizer.codebook[codes][None])
        return bands[0], (log_f0[0].exp() * PITCH_STEPS).round() / PITCH_STEPS, torch.sigmoid(logits[0])

    @torch.no_grad()
    def decode(self, codes):
        """codes (L,) -> (L*hop,) float32."""
        bands, f0, share = self.controls(codes)
        return self.synth(bands, f0.numpy(), share)

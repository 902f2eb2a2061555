"""python training/tests/selftest.py: one minute, no data needed.

Prefix property (streamed == offline): codes and audio of a prefix equal those of the whole clip up to the stated look-ahead.
Exact resume: 3 + 3 steps equal 6 steps bit for bit. Synthesis: closed-form harmonics equal the sum; bands of the output equal the wanted ones."""
import json
import os
import sys
import tempfile
import unittest

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import state                                                                                # noqa: E402
from codec import Codec                                                                     # noqa: E402
from config import FrontEndConfig, MiniConfig, StackConfig                                  # noqa: E402
from data import Extractor                                                                  # noqa: E402
from dump_vectors import tiny, voice_like                                                   # noqa: E402
from export import export                                                                   # noqa: E402
from features import log_bands, pitch                                                       # noqa: E402
from model import Mini                                                                      # noqa: E402
from quantizer import Quantizer                                                             # noqa: E402
from soundmaker import SoundMaker                                                           # noqa: E402
from synth import Synth, harmonics, white_noise                                             # noqa: E402
from train import OPTIONS, Run                                                              # noqa: E402

ENCODER_LOOKAHEAD = 3 * 320 + 800      # samples after t*hop that code t needs
DECODER_LOOKAHEAD = 6                  # frames after sample n's own that audio needs: 3 (embed) + 2 (F0) + 1 (overlap)


def small_config():
    return MiniConfig(codebook_size=32, codebook_dim=4, encoder=StackConfig(16, 32, 2), decoder=StackConfig(16, 32, 2))


def write_features(folder, config, frames=2000):
    rng = np.random.default_rng(0)
    width = Extractor(config).width
    values = rng.normal(0, 1, (frames, width)).astype(np.float16)
    bands = config.front_end.mels + config.synth.bands
    values[:, bands] = np.log(150)
    values[:, bands + 1:] = rng.random((frames, width - bands - 1)) > .5
    values.tofile(os.path.join(folder, 'features-1.f16'))
    names = [f's{i}' for i in range(40)]
    clips = [[n, n, i * 50, 50] for i, n in enumerate(names)]
    with open(os.path.join(folder, 'features-1.json'), 'w') as f:
        json.dump({'width': width, 'frames': frames, 'speed': 1, 'clips': clips}, f)


class Prefix(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.codec = Codec(Mini(MiniConfig(encoder=StackConfig(16, 32, 3), decoder=StackConfig(16, 32, 3))))
        self.x = voice_like(320 * 40 + 17)

    def test_encoder(self):
        whole = self.codec.model.encode(self.codec.log_mel(self.x)[None])[0]
        for n in (2000, 5555, 9600, 12000):
            part = self.codec.model.encode(self.codec.log_mel(self.x[:n])[None])[0]
            final = (n - ENCODER_LOOKAHEAD) // 320 + 1
            self.assertGreater(final, 0)
            self.assertLess((whole[:final] - part[:final]).abs().max().item(), 1e-5)
            if final < len(part):
                self.assertGreater((whole[len(part) - 1] - part[-1]).abs().max().item(), 1e-4)

    def test_decoder(self):
        codes = torch.randint(4096, (40,))
        whole = self.codec.decode(codes)
        for m in (8, 13, 31):
            part = self.codec.decode(codes[:m])
            final = (m - DECODER_LOOKAHEAD) * 320
            self.assertLess((whole[:final] - part[:final]).abs().max().item(), 1e-5)


class Synthesis(unittest.TestCase):
    def test_harmonics_equal_their_sum(self):
        f0 = np.array([100, 140, 90, 220, 220], np.float32)
        got = harmonics(f0, -480, 2000, 24000, 320, 11500)
        f = np.interp((np.arange(-480, 1520) - 160) / 320, np.arange(5), f0.astype(float))
        phase = np.cumsum(f / 24000)
        want = sum(np.where(k <= 11500 / f, np.cos(2 * np.pi * k * phase), 0) for k in range(1, 140)) * np.sqrt(2 * f / 24000)
        self.assertLess(np.abs(got - want).max(), 1e-5 * np.abs(want).max())

    def test_noise_is_white(self):
        w = white_noise(-480, 100000)
        self.assertLess(abs(w.mean()), .02)
        self.assertLess(abs(w.std() - 1), .01)
        self.assertLess(max(abs(np.corrcoef(w[:-k], w[k:])[0, 1]) for k in range(1, 20)), .02)

    def test_bands_of_the_output(self):
        config = MiniConfig()
        synth, frames = Synth(config), 40
        want = torch.linspace(1, -2, config.synth.bands).expand(frames, -1)
        y = synth(want, np.full(frames, 120.0), torch.zeros(frames, 5))
        s = config.synth
        got = log_bands(y[None], synth.filters, s.n_fft, config.hop, s.floor, s.window)[0]
        self.assertLess((got - want)[4:-4].mean().abs().item(), .35)

    def test_batched_synthesis_is_the_same_and_has_gradients(self):
        config = MiniConfig()
        rng, synth, maker = np.random.default_rng(1), Synth(config), SoundMaker(config)
        bands, share = torch.from_numpy(rng.normal(-1, 1, (12, 80)).astype(np.float32)), torch.ones(12, 5)
        f0 = torch.from_numpy(rng.uniform(90, 300, 12).astype(np.float32))
        bands.requires_grad_()
        y = maker(bands[None], f0[None], share[None])[0]
        with torch.no_grad():       # levels, not samples: shares stop at .999 there, and its noise is another
            s, want = config.synth, synth(bands, f0.numpy(), share)
            level = lambda x: log_bands(x[None], synth.filters, s.n_fft, config.hop, s.floor, s.window)[0]
            self.assertLess((level(y.detach()) - level(want)).abs().mean().item(), .1)
        y.square().sum().backward()
        self.assertTrue(bands.grad.isfinite().all() and bands.grad.abs().max() > 0)

    def test_pitch_tracker(self):
        x = voice_like(4700)
        f0, _, voiced = pitch(x[None], 24000, 320)
        at = (torch.arange(f0.shape[1]) * 320 + 160) / 24000
        inside = (at > .05) & (at < .15)
        self.assertTrue(voiced[0, inside].all())
        self.assertLess(((f0[0] - (130 + 120 * at)) / f0[0])[inside].abs().max().item(), .02)


class Training(unittest.TestCase):
    def options(self):
        return {**OPTIONS, 'batch': 4, 'frames': 32, 'start_quantizer': 2, 'bf16': False, 'threads': 1, 'warmup': 2, 'adversarial_from': 3}

    def test_exact_resume_and_export(self):
        config = small_config()
        with tempfile.TemporaryDirectory() as folder:
            write_features(folder, config)
            make = lambda name: Run(os.path.join(folder, name), folder, config, self.options(), 'cpu')
            straight = make('a')
            for _ in range(6):
                straight.train_step()
            first = make('b')
            for _ in range(3):
                first.train_step()
            first.save()
            torch.manual_seed(99)
            second = make('b')
            second.load(os.path.join(folder, 'b', 'last.pt'))
            for _ in range(3):
                second.train_step()
            for name, v in straight.model.state_dict().items():
                self.assertTrue(torch.equal(v, second.model.state_dict()[name]), name)
            for name, v in straight.average.state_dict().items():
                self.assertTrue(torch.equal(v, second.average.state_dict()[name]), name)
            straight.save()
            out = os.path.join(folder, 'm.safetensors')
            export(os.path.join(folder, 'a', 'last.pt'), out, 'f32')
            a, b, x = Codec.load(out), Codec.load(os.path.join(folder, 'a', 'last.pt')), voice_like(9000)
            self.assertTrue(torch.equal(a.encode(x), b.encode(x)))

    def test_exported_weights_start_a_run(self):
        config = small_config()
        with tempfile.TemporaryDirectory() as folder:
            write_features(folder, config)
            run = Run(os.path.join(folder, 'a'), folder, config, self.options(), 'cpu')
            for _ in range(4):
                run.train_step()
            run.save()
            out = os.path.join(folder, 'm.safetensors')
            export(os.path.join(folder, 'a', 'last.pt'), out, 'f32')
            again = Run(os.path.join(folder, 'b'), folder, config, self.options(), 'cpu')
            again.start_from(out)
            self.assertTrue(torch.equal(again.model.decoder.head.weight, run.average.decoder.head.weight))
            self.assertTrue(torch.equal(again.model.quantizer.codebook, run.average.quantizer.codebook))
            self.assertTrue(np.isfinite(again.train_step()[0]))

    def test_packed_state_goes_on(self):
        config = small_config()
        with tempfile.TemporaryDirectory() as folder:
            write_features(folder, config)
            run = Run(os.path.join(folder, 'a'), folder, config, self.options(), 'cpu')
            for _ in range(4):
                run.train_step()
            run.save()
            state.pack(os.path.join(folder, 'a', 'last.pt'), os.path.join(folder, 's.safetensors'))
            state.unpack(os.path.join(folder, 's.safetensors'), os.path.join(folder, 'b', 'last.pt'))
            again = Run(os.path.join(folder, 'b'), folder, config, self.options(), 'cpu')
            again.load(os.path.join(folder, 'b', 'last.pt'))
            self.assertEqual(again.step, 4)
            for name, v in run.model.state_dict().items():
                self.assertLess((v.float() - again.model.state_dict()[name].float()).abs().max().item(), 2e-3, name)
            self.assertTrue(np.isfinite(again.train_step()[0]))

    def test_dead_codes_come_back(self):
        torch.manual_seed(0)
        q, z = Quantizer(16, 2), torch.randn(64, 32, 2)
        q.start(z.flatten(0, 1))
        q.codebook[3:] = 1e3
        q.sums[3:] = 1e3
        q.train()
        for _ in range(500):
            q(z)
        self.assertEqual(len(q(z)[1].unique()), 16)

    def test_tiny_vectors_use_many_codes(self):
        values, config = tiny()
        self.assertGreater(len(values['vectors.codes'].unique()), 10)


if __name__ == '__main__':
    torch.set_num_threads(1)
    unittest.main()

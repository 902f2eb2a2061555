"""python training/tests/refinement_selftest.py: half a minute, no data needed.

The waveform's losses reach bands and harmonic shares but not the pitch, at the ratio asked for; they fall; a refining run with a frozen
encoder resumes bit for bit and keeps its tokens."""
import os
import sys
import tempfile
import unittest

import numpy as np
import soundfile
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from augment import Augment                                                                 # noqa: E402
from data import Extractor                                                                  # noqa: E402
from dump_vectors import voice_like                                                         # noqa: E402
from export import export                                                                   # noqa: E402
from model import Mini                                                                      # noqa: E402
from refinement import Refiner, stft_loss                                                   # noqa: E402
from selftest import small_config                                                           # noqa: E402
from train import OPTIONS, Run, held_out                                                    # noqa: E402

FRAMES = 24


class Waveform(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.config = small_config()
        self.model = Mini(self.config)
        clip = voice_like(FRAMES * self.config.hop)
        y = torch.from_numpy(Extractor(self.config)(clip.numpy()))
        self.clip = clip[None].repeat(2, 1)
        pitch = self.config.front_end.mels + self.config.synth.bands
        self.f0 = y[None, :, pitch].exp().repeat(2, 1)
        self.input = torch.randn(2, FRAMES, self.config.codebook_dim)
        self.refiner = Refiner(self.config, 'cpu', weight=2.0, adversarial=.5, channels=4)

    def test_gradients_reach_bands_and_shares_but_not_the_pitch(self):
        predicted = self.model.decode(self.input)
        loss = predicted[0].square().mean()
        own, = torch.autograd.grad(loss, predicted[0], retain_graph=True)
        term, parts = self.refiner.term(loss, predicted, self.clip, self.f0)
        added, = torch.autograd.grad(term, predicted[0], retain_graph=True)
        self.assertAlmostEqual(float(added.norm() / own.norm()), 2.0, places=4)
        term.backward()
        rows, bands = self.model.decoder.head.weight.grad.abs().amax(1), self.config.synth.bands
        self.assertTrue((rows[:bands] > 0).all() and (rows[bands + 1:] > 0).all())
        self.assertEqual(float(rows[bands]), 0.0)
        self.assertEqual(set(parts), {'stft', 'refine_judge', 'refine_features'})
        self.assertTrue(all(torch.isfinite(v) for v in parts.values()))

    def test_rows_without_samples_are_left_alone(self):
        predicted = self.model.decode(self.input)
        term, _ = self.refiner.term(predicted[0].square().mean(), predicted, self.clip[:1], self.f0[:1])
        gradient, = torch.autograd.grad(term, predicted[0])
        self.assertGreater(float(gradient[0].abs().max()), 0.0)
        self.assertEqual(float(gradient[1].abs().max()), 0.0)

    def test_under_bf16_autocast(self):
        with torch.autocast('cpu', torch.bfloat16):
            predicted = self.model.decode(self.input)
            term, parts = self.refiner.term(predicted[0].square().mean(), predicted, self.clip, self.f0)
        term.backward()
        self.assertTrue(all(torch.isfinite(v) for v in parts.values()))
        self.assertTrue(all(p.grad.isfinite().all() for p in self.model.decoder.parameters()))

    def test_the_loss_falls(self):
        optimizer = torch.optim.Adam(self.model.decoder.parameters(), lr=5e-3)
        losses = []
        for _ in range(30):
            predicted = self.model.decode(self.input)
            loss = 1e-3 * predicted[0].square().mean()      # pulls elsewhere, half as strongly
            term, parts = self.refiner.term(loss, predicted, self.clip, self.f0)
            optimizer.zero_grad()
            (1e3 * (loss + term)).backward()
            optimizer.step()
            losses.append(float(parts['stft']))
        self.assertLess(np.mean(losses[-3:]), .75 * np.mean(losses[:3]))

    def test_the_loss_of_a_clip_and_itself_is_zero(self):
        self.assertEqual(float(stft_loss(self.clip, self.clip)), 0.0)
        self.assertGreater(float(stft_loss(self.clip, .5 * self.clip)), .5)

    def test_samples_get_the_gain_of_their_features(self):
        extract = Extractor(self.config)
        batch = extract.batch(self.clip)
        samples = self.clip.clone()
        Augment(self.config)(batch, np.random.default_rng(0), samples)
        loud = batch[..., :self.config.front_end.mels].exp() > .1
        again = extract.batch(samples)
        self.assertGreater(float((samples - self.clip).abs().max()), .01)
        self.assertLess(float((again - batch)[..., :loud.shape[-1]][loud].abs().max()), .02)


def write_audio(folder):
    """Twelve speakers with a clip each, one of whom is held out."""
    wanted = [s for s in (f's{i}' for i in range(400)) if held_out(s)][:1] + [f's{i}' for i in range(11)]
    for i, speaker in enumerate(wanted):
        os.makedirs(os.path.join(folder, speaker))
        x = voice_like(24000).numpy() * (.5 + .05 * i) + np.random.default_rng(i).normal(0, .003, 24000)
        soundfile.write(os.path.join(folder, speaker, 'a.wav'), x, 24000)


class Training(unittest.TestCase):
    def options(self, **more):
        return {**OPTIONS, 'batch': 3, 'frames': FRAMES, 'start_quantizer': 1, 'bf16': False, 'threads': 1, 'warmup': 1, 'adversarial_from': 3,
                'refine_channels': 4, 'refine_rows': 2, 'refine_adversarial_from': 1, **more}

    def test_exact_resume_with_a_frozen_encoder(self):
        config = small_config()
        with tempfile.TemporaryDirectory() as folder:
            audio, at = os.path.join(folder, 'audio'), lambda *names: os.path.join(folder, *names)
            write_audio(audio)
            first = Run(at('first'), audio, config, self.options(refine=1.0), 'cpu')
            for _ in range(2):
                first.train_step()
            first.save()
            export(at('first', 'last.pt'), at('m.safetensors'), 'f32')

            def make(name):
                run = Run(at(name), audio, config, self.options(refine=1.0, freeze='encoder'), 'cpu')
                run.start_from(at('m.safetensors'))
                return run
            straight, half = make('a'), make('b')
            before = {k: v.clone() for k, v in straight.model.state_dict().items()}
            torch.manual_seed(5)
            for _ in range(4):
                straight.train_step()
            torch.manual_seed(5)
            for _ in range(2):
                half.train_step()
            half.evaluate(half.average, batches=1)      # leaves no trace
            half.save()
            torch.manual_seed(99)
            resumed = make('b')
            resumed.load(at('b', 'last.pt'))
            for _ in range(2):
                resumed.train_step()
            for part in ('model', 'average'):
                for name, v in getattr(straight, part).state_dict().items():
                    self.assertTrue(torch.equal(v, getattr(resumed, part).state_dict()[name]), f'{part}: {name}')
            for name, v in straight.refiner.judge.state_dict().items():
                self.assertTrue(torch.equal(v, resumed.refiner.judge.state_dict()[name]), name)
            changed = {k for k, v in straight.model.state_dict().items() if not torch.equal(v, before[k])}
            self.assertTrue(changed and all(k.startswith('decoder.') for k in changed), changed)


if __name__ == '__main__':
    torch.set_num_threads(1)
    unittest.main()

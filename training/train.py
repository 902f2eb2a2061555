"""Trains `mini` on feature shards and resumes exactly from its last checkpoint.

python training/train.py FEATURE_DIR RUN_DIR [--steps N | --minutes M] [--device cuda] [--samples AUDIO_DIR] [--set name=value ...]
Stop it at any moment (SIGTERM or Ctrl-C saves first; SIGSTOP/SIGCONT pauses). Run the same command to go on."""
import argparse
import copy
import json
import math
import os
import signal
import time
import zlib

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')     # beside other work, spinning threads made a step 12 times slower (8.2 s against 0.7 s)

import numpy as np
import torch
from safetensors import safe_open

import resident
from adversarial import Adversary
from asr import Listener
from augment import Augment, centres
from codec import Codec
from config import MiniConfig
from data import UNLABELLED, Features
from losses import Losses
from model import ConvNeXtBlock, Mini
from refinement import Refiner

OPTIONS = dict(batch=20, frames=128, lr=1e-3, warmup=500, slow_after=4000, start_quantizer=400, decay=.999, weight_decay=.01,
               clip=1.0, evaluate_every=2000, save_seconds=300, seed=1, threads=2, bf16=True, anneal_from=0, anneal_steps=0,
               adversarial=.3, adversarial_from=4000, listening=.6, listening_rows=24, listening_from=1000, budget_minutes=0.0,
               codebook_decay=.99, revive_below=.05, freeze='', refine=0.0, refine_from=0, refine_rows=16, refine_adversarial=.5, refine_adversarial_from=0, refine_channels=16)
SAMPLE_CLIPS = ('e016', 'e021', 'e056')


def held_out(speaker):
    """About 2.5 % of the labelled speakers never train; their loss is the one that counts."""
    return speaker not in UNLABELLED and zlib.crc32(speaker.encode()) % 40 == 0


class Run:
    def __init__(self, folder, features, config, options, device, ear=None):
        self.folder, self.options, self.device, self.config = folder, options, device, config
        torch.manual_seed(options['seed'])
        torch.set_num_threads(options['threads'])
        self.rng = np.random.default_rng(options['seed'])
        if device.startswith('cuda') or ear or options['refine']:       # the ear and the refinement need samples
            self.train_data, self.dev_data = resident.load(features, config, device, keep=lambda s: not held_out(s))
        else:
            self.train_data, self.dev_data = (Features(features, config, keep) for keep in (lambda s: not held_out(s), held_out))
        hz = centres(config)
        self.augment, self.losses = Augment(config).to(device), Losses(config, hz[config.front_end.mels:]).to(device)
        self.model = Mini(config).to(device)
        self.model.quantizer.decay, self.model.quantizer.revive_below = options['codebook_decay'], options['revive_below']
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        o = options
        if o['freeze'] not in ('', 'encoder'):
            raise SystemExit(f"freeze={o['freeze']}: only the encoder (with its codebook) can be frozen")
        if o['freeze']:     # the same tokens ever after: only the decoder learns
            self.model.encoder.requires_grad_(False)
            self.model.quantizer.eval()
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        self.optimizer = torch.optim.AdamW([{'params': decayed}, {'params': plain, 'weight_decay': 0.0}], lr=o['lr'],
                                           betas=(.9, .98), weight_decay=o['weight_decay'], fused=True)
        self.adversary = Adversary(device, o['adversarial'])
        self.listener = Listener(ear, config, device, o['listening']) if ear else None
        self.refiner = Refiner(config, device, o['refine'], o['refine_adversarial'], o['refine_channels']) if o['refine'] else None
        self.step, self.seconds, self.stop = 0, 0.0, False
        self.started_from = None        # provenance of the file whose weights this run began with
        os.makedirs(folder, exist_ok=True)

    def learning_rate(self):
        """Warm-up, constant, then 1/sqrt(step): good at any moment, however long the run becomes. anneal_* closes a run linearly."""
        o, s = self.options, self.step + 1
        lr = o['lr'] * min(1, s / o['warmup'])
        if o['budget_minutes']:
            return lr * max(0.0, 1 - self.seconds / 60 / o['budget_minutes'])
        lr /= math.sqrt(max(1, s / o['slow_after']))
        if o['anneal_steps'] and s > o['anneal_from']:
            lr *= max(0.0, 1 - (s - o['anneal_from']) / o['anneal_steps'])
        return lr

    def autocast(self):
        return torch.autocast(self.device.split(':')[0], torch.bfloat16, enabled=self.options['bf16'])

    def train_step(self):
        o = self.options
        listening = o['listening_rows'] if self.listener and self.step >= o['listening_from'] else 0
        refining = o['refine_rows'] if self.refiner and self.step >= o['refine_from'] else 0
        batch, samples = self.batch(max(listening, refining))
        for group in self.optimizer.param_groups:
            group['lr'] = self.learning_rate()
        mel = batch[..., :self.config.front_end.mels]
        with self.autocast():
            predicted, z, codes, commitment = self.model(mel, quantize=self.quantizing())
        loss, parts = self.losses(predicted, batch, commitment)
        total = loss
        with self.autocast():
            if o['adversarial'] and self.step >= o['adversarial_from']:
                term, parts['judge'] = self.adversary.term(loss, predicted[0], self.losses.split(batch)[1])
                total = total + term
            if listening:
                term, parts['heard'] = self.listener.term(loss, predicted, samples[:listening], self.f0(batch, listening))
                total = total + term
            if refining:
                play = self.step >= o['refine_adversarial_from']
                term, more = self.refiner.term(loss, predicted, samples[:refining], self.f0(batch, refining), play)
                total, parts = total + term, {**parts, **more}
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        parts['gradient'] = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), o['clip']))
        if math.isfinite(parts['gradient']):
            self.optimizer.step()
        self.step += 1
        self.follow()
        if self.step == o['start_quantizer']:
            self.start_quantizer()
        return loss.detach(), parts

    def batch(self, sounding):
        """An augmented batch, and the samples of its first `sounding` rows."""
        o = self.options
        if not sounding:
            return self.augment(self.train_data.batch(o['batch'], o['frames'], self.rng), self.rng).to(self.device), ()
        batch, samples = self.train_data.batch(o['batch'], o['frames'], self.rng, sounding)
        return self.augment(batch, self.rng, samples), samples

    def f0(self, batch, rows):
        """The clips' own pitch in Hz, (rows, L)."""
        return self.losses.split(batch)[2][:rows].exp()

    def quantizing(self):
        return self.step >= self.options['start_quantizer']

    @torch.no_grad()
    def follow(self):
        """Exponential average of every weight and of the codebook; short memory at first."""
        decay = min(self.options['decay'], (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)
        q, source = self.average.quantizer, self.model.quantizer
        q.codebook.lerp_(source.codebook, 1 - decay)
        q.started.copy_(source.started)

    @torch.no_grad()
    def start_quantizer(self):
        o, vectors = self.options, []
        for _ in range(math.ceil(16 * self.config.codebook_size / (o['batch'] * o['frames']))):
            batch, _ = self.batch(0)
            vectors.append(self.model.encode(batch[..., :self.config.front_end.mels]).float().flatten(0, 1))
        self.model.quantizer.start(torch.cat(vectors))
        self.average.quantizer.load_state_dict(self.model.quantizer.state_dict())

    @torch.no_grad()
    def evaluate(self, model, batches=6):
        """Losses on held-out speakers without augmentation, codebook use over them."""
        rng, total, use = np.random.default_rng(7), {}, torch.zeros(self.config.codebook_size)
        model.eval()
        for _ in range(batches):
            batch, samples = self.dev_data.batch(32, 256, rng, 8) if self.refiner else (self.dev_data.batch(32, 256, rng), None)
            batch = batch.to(self.device)
            with self.autocast():
                predicted, _, codes, commitment = model(batch[..., :self.config.front_end.mels], bool(model.quantizer.started))
            loss, parts = self.losses(predicted, batch, commitment)
            if self.refiner:
                parts['stft'] = self.refiner.distance([p[:8] for p in predicted], samples, self.f0(batch, 8))
            for k, v in {'loss': loss, **parts}.items():
                total[k] = total.get(k, 0) + float(v) / batches
            if codes is not None:
                use += torch.bincount(codes.flatten().cpu(), minlength=len(use))
        p = use[use > 0] / use.sum().clamp(min=1)
        total.update(codes_used=int((use > 0).sum()), perplexity=float((-(p * p.log()).sum()).exp()), tokens=int(use.sum()))
        return total

    def save(self, name='last.pt'):
        path = os.path.join(self.folder, name)
        torch.save({'config': self.config.to_dict(), 'options': self.options, 'step': self.step, 'seconds': self.seconds,
                    'model': self.model.state_dict(), 'average': self.average.state_dict(), 'optimizer': self.optimizer.state_dict(),
                    'adversary': self.adversary.state_dict(), 'refiner': self.refiner.state_dict() if self.refiner else None,
                    'torch_rng': torch.get_rng_state(), 'cuda_rng': torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
                    'numpy_rng': self.rng.bit_generator.state,
                    'started_from': self.started_from, 'device': self.device, 'hours': self.train_data.hours, 'speakers': self.train_data.speakers}, path + '.part')
        os.replace(path + '.part', path)

    def load(self, path):
        s = torch.load(path, map_location=self.device, weights_only=False)
        for part in ('model', 'average', 'optimizer'):
            getattr(self, part).load_state_dict(s[part])
        if 'adversary' in s:        # not in a state unpacked from the repository: the judge learns again in a few hundred steps
            self.adversary.load_state_dict(s['adversary'])
        if self.refiner and s.get('refiner'):
            self.refiner.load_state_dict(s['refiner'])
        torch.set_rng_state(s['torch_rng'].cpu())
        if torch.cuda.is_available() and s.get('cuda_rng'):
            torch.cuda.set_rng_state_all([v.cpu() for v in s['cuda_rng']])
        self.rng.bit_generator.state = s['numpy_rng']
        self.step, self.seconds = s['step'], s['seconds']
        self.started_from = s.get('started_from')

    def start_from(self, path):
        """Weights and codebook of an exported file; the optimizer and the codebook's averages begin anew."""
        self.started_from = provenance_of(path)
        source = Codec.load(path).model.to(self.device).state_dict()
        for model in (self.model, self.average):
            model.load_state_dict({k: v for k, v in source.items() if k not in ('quantizer.counts', 'quantizer.sums', 'quantizer.started')}, strict=False)
            q = model.quantizer
            q.counts.fill_(1.0), q.sums.copy_(q.codebook), q.started.fill_(True)
        self.options['start_quantizer'] = 0

    def log(self, kind, values):
        line = {'kind': kind, 'step': self.step, 'minutes': round(self.seconds / 60, 2), 'lr': round(self.learning_rate(), 7),
                **{k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}}
        with open(os.path.join(self.folder, 'log.jsonl'), 'a') as f:
            f.write(json.dumps(line) + '\n')
        print(json.dumps(line), flush=True)

    def show(self, samples):
        """The curve, and the decoded first clips of a folder, after every evaluation."""
        import evaluate
        import plot
        plot.curve(self.folder, os.path.join(self.folder, 'curve.png'))
        if samples:
            evaluate.run(Codec(copy.deepcopy(self.average).cpu()), samples, os.path.join(self.folder, 'samples', str(self.step)), SAMPLE_CLIPS)

    def loop(self, steps, minutes, samples=None):
        o, saved, mean, count, began = self.options, time.time(), {}, 0, self.seconds
        deadline = self.seconds + 60 * minutes
        while self.step < steps and self.seconds < deadline and not self.stop:
            at = time.time()
            loss, parts = self.train_step()
            self.seconds += time.time() - at
            count += 1
            for k, v in {'loss': loss, **parts}.items():
                mean[k] = mean.get(k, 0.0) + v
            if self.step % 100 == 0:
                pace = (self.seconds - began) / count if self.step < 100 else (time.time() - at)
                rest = min((steps - self.step) * pace, deadline - self.seconds)
                self.log('train', {**{k: float(v) / count for k, v in mean.items()}, 'step_s': pace, 'eta_h': rest / 3600 if math.isfinite(rest) else -1.0})
                mean, count, began = {}, 0, self.seconds
            if self.step % o['evaluate_every'] == 0:
                self.log('dev', self.evaluate(self.average))
                self.show(samples)
            if time.time() - saved > o['save_seconds']:
                self.save()
                saved = time.time()
        self.save()
        self.log('dev', self.evaluate(self.average))


def provenance_of(path):
    with safe_open(path, 'pt') as f:
        return json.loads(f.metadata().get('provenance', 'null'))


def compile_blocks():
    """One kernel for a block's shifts, norm and activations each: shapes are the same for all blocks of a stack."""
    torch._dynamo.config.cache_size_limit = 64
    torch._dynamo.config.suppress_errors = True       # slower then, not stopped
    ConvNeXtBlock.forward = torch.compile(ConvNeXtBlock.forward, dynamic=False)


def parse(pairs, defaults):
    for pair in pairs:
        name, value = pair.split('=')
        if name not in defaults:
            raise SystemExit(f'unknown option {name}; known: {", ".join(defaults)}')
        kind = type(defaults[name])
        defaults[name] = value.lower() in ('1', 'true') if kind is bool else value if kind is str else kind(float(value))
    return defaults


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('features'); p.add_argument('run')
    p.add_argument('--steps', type=float, default=math.inf); p.add_argument('--minutes', type=float, default=math.inf)
    p.add_argument('--samples', help=f'folder of audio; clips {", ".join(SAMPLE_CLIPS)} are decoded at every evaluation')
    p.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    p.add_argument('--init', help='exported .safetensors (not sharpened) whose weights a new run starts from, e.g. training/state/mini-24k-75.safetensors')
    p.add_argument('--ear', help='.npz of asr.extract: the recogniser that listens')
    p.add_argument('--set', nargs='*', default=[], metavar='name=value', help=', '.join(f'{k}={v}' for k, v in OPTIONS.items()))
    p.add_argument('--config', default='{}', help='JSON that overrides MiniConfig for a new run, e.g. {"codebook_dim": 32}')
    a = p.parse_args()
    last = os.path.join(a.run, 'last.pt')
    saved = torch.load(last, map_location='cpu', weights_only=False) if os.path.exists(last) else None
    config = MiniConfig.from_dict(saved['config'] if saved else {**MiniConfig().to_dict(), **json.loads(a.config)})
    torch.set_flush_denormal(True)
    run = Run(a.run, a.features, config, parse(a.set, {**OPTIONS, **(saved['options'] if saved else {})}), a.device, a.ear)
    if a.device.startswith('cuda'):
        compile_blocks()
    if saved:
        run.load(last)
    elif a.init:
        run.start_from(a.init)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: setattr(run, 'stop', True))
    size = sum(v.numel() for v in run.model.parameters()) + run.model.quantizer.codebook.numel()
    print(f'{size / 1e6:.2f} M parameters; {run.train_data.hours:.1f} h, {run.train_data.speakers} speakers; '
          f'held out {run.dev_data.hours:.2f} h, {run.dev_data.speakers} speakers; from step {run.step}', flush=True)
    run.loop(a.steps, a.minutes, a.samples)


if __name__ == '__main__':
    main()

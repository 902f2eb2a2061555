"""Writes wavtokenizer/: tiny models as checkpoints, and what every stage of upstream's code makes of signals.

tiny-75 (hop 320) and tiny-40 (hop 600) are Lightning checkpoints with one safetensors file of stages per
input (stages.py explains the names). micro is one model in the other spellings. All weights are exact in 16
bits, so that a file's type does not change the model.
"""

import json

import numpy as np
import torch

import checkpoint_files
import reference
import seeded_model
import signals
import stages
import store

OUT = store.HERE / 'wavtokenizer'
# inputs whose stages are not kept
OUTCOME = ('input', 'features', 'codes', 'distances', 'quantized', 'audio')
STEREO = {'name': 'speech-44k-stereo.wav', 'start': 22050, 'stop': 33075}
SPEECH_AUDIO_ENDS = 2400


def stereo_to_mono() -> np.ndarray:
    """[T] float32 at 24 kHz from a quarter second of the stereo fixture, by upstream's convert_audio."""
    stereo = torch.from_numpy(signals.fixture(**STEREO)).T
    return reference.upstream().utils.convert_audio(stereo, 44100, signals.SAMPLE_RATE, 1)[0].numpy()


def short_cases(hop: int, seed: int) -> dict[str, np.ndarray]:
    """Inputs whose every stage is kept."""
    lengths = {
        'one_sample': 1,
        'two_samples': 2,
        'hop_minus_1': hop - 1,
        'hop': hop,
        'hop_plus_1': hop + 1,
        'seven_hops': 7 * hop + 123,
    }
    return {name: signals.voiced(length, seed + length) for name, length in lengths.items()}


def write_case(config, name: str, result: dict, keep: tuple[str, ...] | None, **about) -> None:
    frames = len(result['codes'])
    metadata = reference.provenance(
        'make_wavtokenizer.py',
        model=config.name,
        seed=config.seed,
        case=name,
        frames=frames,
        near_ties=stages.near_ties(result['distances']),
        **{'bandwidth_id': 0} | about,
    )
    store.save(
        OUT / config.name / f'{name}.safetensors',
        {key: result[key] for key in keep} if keep else result,
        metadata,
    )


def write_speech(config, model) -> None:
    """The whole speech fixture: every code, and both ends of the audio (attention spans the whole clip)."""
    result = stages.run(model, signals.fixture('speech.wav'))
    result['audio_start'], result['audio_end'] = (
        result['audio'][:SPEECH_AUDIO_ENDS],
        result['audio'][-SPEECH_AUDIO_ENDS:],
    )
    write_case(
        config,
        'speech',
        result,
        ('codes', 'distances', 'audio_start', 'audio_end'),
        source='speech.wav',
        distinct=len(result['codes'].unique()),
    )


def write_cases(config, model) -> None:
    hop = config.hop
    for name, samples in short_cases(hop, config.seed).items():
        write_case(config, name, stages.run(model, samples), None)
    for name, samples, bandwidth_id in (
        ('silence', np.zeros(3 * hop, np.float32), 0),
        ('clipping', signals.square(3 * hop + 5), 0),
        ('bandwidth_2', signals.voiced(3 * hop, config.seed), 2),
    ):
        write_case(config, name, stages.run(model, samples, bandwidth_id), OUTCOME, bandwidth_id=bandwidth_id)
    write_case(config, 'stereo_44k', stages.run(model, stereo_to_mono()), OUTCOME, source=STEREO)
    write_speech(config, model)


def write_micro() -> None:
    """One model as state dict, OuteTTS' split files, the transformers port, and with folded weight norm."""
    config = seeded_model.MICRO
    model = seeded_model.build(config)
    state = checkpoint_files.inference_state(model)
    torch.save({key: tensor.bfloat16() for key, tensor in state.items()}, OUT / 'micro.pt')
    checkpoint_files.write_outetts(model, config, OUT / 'micro-outetts')
    checkpoint_files.write_safetensors(
        checkpoint_files.transformers_names(state),
        OUT / 'micro-transformers' / 'model.safetensors',
        torch.float16,
    )
    path = OUT / 'micro-transformers' / 'config.json'
    path.write_text(json.dumps(checkpoint_files.transformers_config(config), indent=2) + '\n')
    checkpoint_files.write_safetensors(checkpoint_files.folded(state), OUT / 'micro-folded.safetensors')
    for name, length in (('two_frames', config.hop + 1), ('frames_40', 40 * config.hop - 5)):
        write_case(config, name, stages.run(model, signals.voiced(length, length)), OUTCOME)


def main() -> None:
    torch.set_num_threads(1)
    for config, dtype in ((seeded_model.TINY_75, torch.float16), (seeded_model.TINY_40, torch.bfloat16)):
        model = seeded_model.build(config)
        path = checkpoint_files.write_lightning(model, config, OUT, dtype)
        print(f'{path.relative_to(store.HERE)}: {path.stat().st_size} bytes')
        write_cases(config, model)
    write_micro()


if __name__ == '__main__':
    main()

"""The files in which WavTokenizer weights are found, written from one model."""

import copy
import json
import sys
from pathlib import Path

import torch
import yaml
from safetensors.torch import save
from torch import nn

import reference
import store
from seeded_model import Config

ENCODEC = 'feature_extractor.encodec.'


def foreign_class(module: str, name: str, base: type) -> type:
    """A class that a checkpoint names and that its reader does not have, as Lightning's own are."""
    created = type(name, (base,), {'__module__': module, '__qualname__': name})
    for dot in [i for i, letter in enumerate(module) if letter == '.'] + [len(module)]:
        reference.package(module[:dot])
    setattr(sys.modules[module], name, created)
    return created


def training_leftovers(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """The parts of a training checkpoint that inference skips, in small."""

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return {
        'multiperioddisc.discriminators.0.convs.0.bias': normal(8),
        'multiperioddisc.discriminators.0.convs.0.weight_g': normal(8, 1, 1, 1),
        'multiperioddisc.discriminators.0.convs.0.weight_v': normal(8, 1, 5, 1),
        'multiresddisc.discriminators.0.band_convs.0.0.weight_v': normal(4, 2, 3, 9),
        'dac.discriminators.0.convs.0.conv.weight': normal(4, 1, 5, 1),
        'dacdiscriminator.discriminator.discriminators.0.convs.0.conv.weight': normal(4, 1, 5, 1),
        'melspec_loss.mel_spec.spectrogram.window': torch.hann_window(64),
        'melspec_loss.mel_spec.mel_scale.fb': normal(33, 5),
    }


def lightning_checkpoint(model: nn.Module, seed: int, dtype: torch.dtype) -> dict:
    """What Lightning 1.8.6 saves: discriminators too, two optimizers' moments, callbacks, loops."""
    generator = torch.Generator().manual_seed(seed)
    attributes = foreign_class('pytorch_lightning.utilities.parsing', 'AttributeDict', dict)
    stopper = foreign_class('wavtokenizer_training.callbacks', 'GradNormCallbackState', object)()
    stopper.history = [1.5, 1.25]
    state = model.state_dict()
    state.update(training_leftovers(generator))
    for name, tensor in state.items():
        state[name] = tensor.to(dtype)
    moments = {
        index: {
            'step': torch.tensor(12345.0),
            'exp_avg': torch.randn(16, 8, generator=generator),
            'exp_avg_sq': torch.rand(16, 8, generator=generator),
        }
        for index in range(3)
    }
    group = {
        'lr': 2e-4,
        'betas': (0.8, 0.9),
        'eps': 1e-8,
        'weight_decay': 0.01,
        'amsgrad': False,
        'params': [0, 1, 2],
    }
    return {
        'epoch': 7,
        'global_step': 24690,
        'pytorch-lightning_version': '1.8.6',
        'state_dict': state,
        'loops': {'fit_loop': {'state_dict': {}, 'epoch_progress': {'total': {'ready': 8, 'completed': 7}}}},
        'callbacks': {
            "ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}": {
                'best_model_score': torch.tensor(3.25),
                'best_model_path': 'logs/last.ckpt',
            },
            'GradNormCallback': stopper,
        },
        'optimizer_states': [
            {'state': moments, 'param_groups': [group]},
            {'state': dict(moments), 'param_groups': [dict(group)]},
        ],
        'lr_schedulers': [{'last_epoch': 24690, 'base_lrs': [2e-4], '_get_lr_called_within_step': False}],
        'hparams_name': 'kwargs',
        'hyper_parameters': attributes(
            sample_rate=24000,
            initial_learning_rate=2e-4,
            mel_loss_coeff=45.0,
            resume_model=None,
            evaluate_utmos=False,
        ),
    }


class ShortLists(yaml.SafeDumper):
    """Lists on one line, `[8, 5, 4, 2]`, as upstream's files have them."""


ShortLists.add_representer(
    list, lambda dumper, items: dumper.represent_sequence('tag:yaml.org,2002:seq', items, flow_style=True)
)


def training_config(config: Config) -> dict:
    """The YAML beside a checkpoint (Lightning's layout); `filters` and `dimension` have no key."""

    def component(path: str, **arguments) -> dict:
        return {'class_path': path, 'init_args': arguments}

    return {
        'seed_everything': 3407,
        'model': {
            'class_path': 'decoder.experiment.WavTokenizer',
            'init_args': {
                'sample_rate': 24000,
                'initial_learning_rate': 2e-4,
                'feature_extractor': component(
                    'decoder.feature_extractors.EncodecFeatures',
                    encodec_model='encodec_24khz',
                    bandwidths=[6.6] * config.adanorm,
                    train_codebooks=True,
                    num_quantizers=1,
                    dowmsamples=list(config.ratios),
                    vq_bins=config.bins,
                    vq_kmeans=200,
                ),
                'backbone': component(
                    'decoder.models.VocosBackbone',
                    input_channels=config.dimension,
                    dim=config.dim,
                    intermediate_dim=config.intermediate,
                    num_layers=config.layers,
                    adanorm_num_embeddings=config.adanorm,
                ),
                'head': component(
                    'decoder.heads.ISTFTHead',
                    dim=config.dim,
                    n_fft=config.n_fft,
                    hop_length=config.hop,
                    padding='same',
                ),
            },
        },
    }


def write_lightning(
    model: nn.Module, config: Config, directory: Path, dtype: torch.dtype = torch.float32
) -> Path:
    """`<name>.ckpt` and `<name>.yaml`."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f'{config.name}.ckpt'
    torch.save(lightning_checkpoint(model, config.seed, dtype), path)
    (directory / f'{config.name}.yaml').write_text(
        yaml.dump(training_config(config), Dumper=ShortLists, sort_keys=False)
    )
    return path


def write_outetts(model: nn.Module, config: Config, directory: Path) -> None:
    """OuteTTS' encoder/ and decoder/ directories by its own classes, in float16; our sizes in config.json."""
    split = reference.upstream().split
    model = copy.deepcopy(model).half()
    book = model.feature_extractor.encodec.quantizer.vq.layers[0].codebook
    extractor, backbone, head = (
        training_config(config)['model']['init_args'][part]['init_args']
        for part in ('feature_extractor', 'backbone', 'head')
    )
    for kind, module, sizes in (
        ('encoder', split.WavEncoder(model.feature_extractor), {'feature_extractor_config': extractor}),
        (
            'decoder',
            split.WavDecoder(model.backbone, model.head, book),
            {'backbone_config': backbone, 'head_config': head},
        ),
    ):
        module.save_pretrained(directory / kind)
        path = directory / kind / 'config.json'
        path.write_text(json.dumps(json.loads(path.read_text()) | sizes, indent=2) + '\n')


def inference_state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.startswith(f'{ENCODEC}decoder.')
    }


def with_parametrizations(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The spelling of torch's newer weight_norm: original0 is weight_g, original1 is weight_v."""
    spelled = {
        'weight_g': 'parametrizations.weight.original0',
        'weight_v': 'parametrizations.weight.original1',
    }

    def rename(name: str) -> str:
        stem, leaf = name.rsplit('.', 1)
        return f'{stem}.{spelled.get(leaf, leaf)}'

    return {rename(name): tensor for name, tensor in state.items()}


def folded(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """weight_g and weight_v multiplied out to one `weight`."""
    result = {}
    for name, tensor in state.items():
        if name.endswith('.weight_v'):
            result[name[:-2]] = torch._weight_norm(tensor, state[f'{name[:-1]}g'], 0)
        elif not name.endswith('.weight_g'):
            result[name] = tensor
    return result


def transformers_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The key names of the transformers port (model type `wavtokenizer`)."""
    renames = (
        (f'{ENCODEC}encoder.model.', 'encoder_model.encoder.layers.'),
        (f'{ENCODEC}quantizer.vq.layers.0._codebook.', 'encoder_model.quantizer.codebook.'),
        ('.conv.conv.', '.conv.'),
        ('head.out.', 'head.linear.'),
    )
    result = {}
    for name, tensor in with_parametrizations(state).items():
        if name != 'head.istft.window':
            for old, new in renames:
                name = name.replace(old, new)
            result[name] = tensor
    return result


def transformers_config(config: Config) -> dict:
    return {
        'model_type': 'wavtokenizer',
        'architectures': ['WavTokenizerModel'],
        'sampling_rate': 24000,
        'num_filters': config.filters,
        'upsampling_ratios': list(config.ratios),
        'num_lstm_layers': 2,
        'hidden_size': config.dimension,
        'codebook_size': config.bins,
        'codebook_dim': config.dimension,
        'decoder_hidden_size': config.dim,
        'decoder_intermediate_size': config.intermediate,
        'decoder_num_layers': config.layers,
        'adanorm_num_embeddings': config.adanorm,
        'decoder_attention_num_groups': 32,
        'norm_eps': 1e-6,
    }


def write_safetensors(state: dict[str, torch.Tensor], path: Path, dtype: torch.dtype = torch.float32) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.to(dtype).contiguous() for name, tensor in state.items()}
    path.write_bytes(store.with_sorted_metadata(save(tensors, metadata={'format': 'pt'})))

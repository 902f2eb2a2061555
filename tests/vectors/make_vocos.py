"""Writes languagecodec/ and vocos/: small seeded models as their checkpoints are, and what they make of audio.

Language-Codec has no package. Its parts are those of `encodec` (encoder, codebooks) and `vocos` (decoder); what is its own, which
channels the first three codebooks see, is written down here as its paper has it (section 3.2).
"""

import torch
from torch.nn import functional

import reference
import store
from seeded_codecs import SAMPLES, enliven, signal

reference.torchaudio()

from encodec.modules import SEANetEncoder  # noqa: E402
from encodec.quantization import ResidualVectorQuantizer  # noqa: E402
from vocos.feature_extractors import MelSpectrogramFeatures  # noqa: E402
from vocos.heads import ISTFTHead  # noqa: E402
from vocos.models import VocosBackbone  # noqa: E402

RATE = 24_000


def decoder(
    inputs: int, n_fft: int, hop: int, padding: str, tables: int | None, sizes: tuple[int, int, int] = (16, 24, 3)
) -> tuple[VocosBackbone, ISTFTHead]:
    """`sizes`: channels, channels within a block, blocks."""
    backbone = VocosBackbone(inputs, *sizes, adanorm_num_embeddings=tables)
    head = ISTFTHead(sizes[0], n_fft, hop, padding)
    for name, parameter in backbone.named_parameters():
        if name.endswith('gamma'):
            parameter.data.uniform_(0.3, 1)
        elif 'norm' in name:
            parameter.data += 0.2 * torch.randn_like(parameter)
        elif name.endswith('bias'):
            parameter.data.normal_(std=0.1)
    head.out.weight.data *= 3
    return backbone.eval(), head.eval()


def state(**modules: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {f'{name}.{key}': value for name, module in modules.items() for key, value in module.state_dict().items()}


def language_codec_state(encoder, quantizer, backbone, head) -> dict[str, torch.Tensor]:
    holder = state(encoder=encoder, quantizer=quantizer)
    return state(backbone=backbone, head=head) | {f'feature_extractor.encodec.{name}': value for name, value in holder.items()}


def masked_codes(books: list[torch.nn.Module], frames: torch.Tensor) -> torch.Tensor:
    """[codebooks, L] from [L, dim]: the first three codebooks see a third of the channels each."""
    dim = frames.shape[1]
    borders = [0, dim // 3, 2 * dim // 3, dim]
    codes, rest = [], frames
    for stage, book in enumerate(books):
        part = rest
        if stage < 3:
            seen = torch.zeros(dim)
            seen[borders[stage] : borders[stage + 1]] = 1
            part = frames * seen
        codes.append(book.quantize(part))
        rest = rest - functional.embedding(codes[-1], book.embed)
    return torch.stack(codes)


def language_codec() -> None:
    torch.manual_seed(4)
    dim, count, size = 14, 8, 64  # 14 does not divide by three either
    encoder = SEANetEncoder(channels=1, dimension=dim, n_filters=2, ratios=[8, 5, 4, 2], norm='weight_norm', causal=False).eval()
    quantizer = ResidualVectorQuantizer(dimension=dim, n_q=count, bins=size).eval()
    books = [layer._codebook for layer in quantizer.vq.layers]
    for book in books:
        book.inited.fill_(1)
    backbone, head = decoder(dim, 1280, 320, 'same', 4)
    enliven(encoder, encoder, [book.embed for book in books], RATE)
    (store.HERE / 'languagecodec').mkdir(exist_ok=True)
    torch.save({'state_dict': language_codec_state(encoder, quantizer, backbone, head)}, store.HERE / 'languagecodec' / 'tiny.ckpt')
    expected = {}
    for case, samples in SAMPLES.items():
        x = signal(samples, RATE)
        frames = encoder(x)[0].T
        codes = masked_codes(books, frames)
        expected |= {f'{case}.x': x[0, 0], f'{case}.codes': codes.T.contiguous(), f'{case}.features': frames}
        for name, used in {'audio': count, 'few': 3}.items():
            quantized = sum(books[stage].embed[codes[stage]] for stage in range(used))
            audio = head(backbone(quantized.T[None], bandwidth_id=torch.tensor([0])))
            expected[f'{case}.{name}'] = audio[0]
        print('languagecodec', case, [len(set(row.tolist())) for row in codes])
    store.save(store.HERE / 'languagecodec' / 'expected.safetensors', expected, {})


def vocos_encodec() -> None:
    torch.manual_seed(5)
    dim, books, size = 4, 16, 1024  # upstream fixes the size of a codebook
    backbone, head = decoder(dim, 1280, 320, 'same', 4)
    weights = torch.randn(books * size, dim).half().float()
    (store.HERE / 'vocos').mkdir(exist_ok=True)
    torch.save(
        state(backbone=backbone, head=head) | {'feature_extractor.codebook_weights': weights.half()},
        store.HERE / 'vocos' / 'encodec.bin',
    )
    expected = {}
    for row, count in enumerate((2, 4, 8, 16)):
        codes = torch.randint(size, (count, 9))
        quantized = sum(weights[stage * size + codes[stage]] for stage in range(count))
        audio = head(backbone(quantized.T[None], bandwidth_id=torch.tensor([row])))[0]
        expected |= {f'{count}.codes': codes.T.contiguous(), f'{count}.audio': audio}
    store.save(store.HERE / 'vocos' / 'encodec-expected.safetensors', expected, {})


def vocos_mel() -> None:
    torch.manual_seed(6)
    features = MelSpectrogramFeatures().eval()
    backbone, head = decoder(100, 1024, 256, 'center', None)
    (store.HERE / 'vocos').mkdir(exist_ok=True)
    torch.save(state(backbone=backbone, head=head, feature_extractor=features), store.HERE / 'vocos' / 'mel.bin')
    expected = {}
    for case, samples in {'long': 5003, 'hops': 1024, 'least': 513}.items():
        x = signal(samples, RATE)[0]
        mel = features(x)
        expected |= {f'{case}.x': x[0], f'{case}.features': mel[0].T.contiguous(), f'{case}.audio': head(backbone(mel))[0]}
    store.save(store.HERE / 'vocos' / 'mel-expected.safetensors', expected, {})


if __name__ == '__main__':
    with torch.no_grad():
        language_codec()
        vocos_encodec()
        vocos_mel()

"""Hyper-parameters of the model family `mini`. Everything inference needs is in MiniConfig and travels in the exported file."""
from dataclasses import asdict, dataclass, field


@dataclass
class FrontEndConfig:
    """Log-mel analysis; frame t covers samples [t*hop - (n_fft-hop)/2, t*hop + (n_fft+hop)/2)."""
    n_fft: int = 1280
    mels: int = 100
    f_max: float = 12000.0
    floor: float = 1e-3          # log(max(mel, floor)); a full-scale sine reaches about 320
    shift: float = 1.0           # (log - shift) * scale goes into the encoder
    scale: float = 0.3


@dataclass
class StackConfig:
    dim: int
    hidden: int
    blocks: int
    kernel: int = 7              # depthwise, left-padded
    embed_past: int = 3
    embed_future: int = 3        # the only look-ahead


@dataclass
class SynthConfig:
    """Source-filter synthesis: Hann window of `window` samples in the middle of n_fft zeros."""
    n_fft: int = 1280
    window: int = 800
    bands: int = 80
    min_width: float = 40.0      # Hz; bands are at least this wide, then mel-spaced
    f_max: float = 12000.0
    floor: float = 1e-3
    harmonic_limit: float = 11500.0
    f0_min: float = 55.0
    f0_max: float = 500.0
    aperiodicity_hz: list = field(default_factory=lambda: [0.0, 1000.0, 2000.0, 4000.0, 6000.0, 9000.0])


@dataclass
class MiniConfig:
    sample_rate: int = 24000
    hop: int = 320
    codebook_size: int = 4096
    codebook_dim: int = 16
    norm_eps: float = 1e-6
    front_end: FrontEndConfig = field(default_factory=FrontEndConfig)
    encoder: StackConfig = field(default_factory=lambda: StackConfig(192, 576, 6, kernel=15))
    decoder: StackConfig = field(default_factory=lambda: StackConfig(256, 768, 8, kernel=15))
    synth: SynthConfig = field(default_factory=SynthConfig)

    def to_dict(self):
        return asdict(self)

    @staticmethod
    def from_dict(d):
        d = dict(d)
        for name, kind in (('front_end', FrontEndConfig), ('encoder', StackConfig), ('decoder', StackConfig), ('synth', SynthConfig)):
            d[name] = kind(**d[name])
        return MiniConfig(**d)

"""Writes kernels.safetensors: inputs, weights and PyTorch's outputs for every kernel, on small odd sizes.

Names are `<case>.<tensor>`; metadata[<case>] is JSON with the case's sizes and settings. Activations are
channels-last ([T, C], frames first), as the kernels take them; weights keep PyTorch's layout ([out, in], conv
[out, in, k], transposed conv [in, out, k]). Inputs are float32; outputs are PyTorch's in float64, rounded
once to float32.
"""

import math

import torch
import torch.nn.functional as F

import reference
import store

SEED = 20260101
generator = torch.Generator().manual_seed(SEED)
tensors: dict[str, torch.Tensor] = {}
settings: dict[str, dict] = {}


def randn(*shape: int, scale: float = 1.0, mean: float = 0.0) -> torch.Tensor:
    """Normal float32 values held in float64, so that the reference arithmetic runs in double precision."""
    return (torch.randn(*shape, generator=generator) * scale + mean).double()


def add(case: str, outputs: dict, inputs: dict, **about) -> None:
    if case in settings:
        raise ValueError(f'two cases are named {case}')
    settings[case] = about
    for name, tensor in {**inputs, **outputs}.items():
        tensors[f'{case}.{name}'] = tensor


def linear() -> None:
    activations = {'none': lambda y: y, 'elu': F.elu, 'gelu': F.gelu, 'silu': F.silu}
    for case, frames, inner, outer, activation, residual in (
        ('linear', 5, 17, 19, 'none', False),
        ('linear_row', 1, 33, 7, 'none', False),
        ('linear_wide', 7, 70, 50, 'none', False),
        ('linear_residual', 3, 17, 21, 'none', True),
        ('linear_elu', 5, 9, 17, 'elu', False),
        ('linear_gelu', 5, 9, 17, 'gelu', False),
        ('linear_silu', 5, 9, 17, 'silu', False),
    ):
        x, w, b = (
            randn(frames, inner),
            randn(outer, inner, scale=1.5 / math.sqrt(inner)),
            randn(outer, scale=0.3),
        )
        inputs = {'x': x, 'w': w, 'b': b}
        y = activations[activation](F.linear(x, w, b))
        if residual:
            inputs['residual'] = randn(frames, outer)
            y = y + inputs['residual']
        add(case, {'y': y}, inputs, T=frames, K=inner, N=outer, activation=activation, residual=residual)


def conv1d() -> None:
    """Upstream's SConv1d (asymmetric reflect padding) and PyTorch's zero-padded convolution."""
    sconv = reference.upstream().conv.SConv1d
    for case, frames, c_in, c_out, kernel, stride, dilation, mode in (
        ('conv1d_k7', 23, 1, 5, 7, 1, 1, 'reflect'),
        ('conv1d_k3', 17, 5, 3, 3, 1, 1, 'reflect'),
        ('conv1d_k1', 5, 7, 9, 1, 1, 1, 'reflect'),
        ('conv1d_k4s2', 21, 3, 6, 4, 2, 1, 'reflect'),
        ('conv1d_k8s4', 22, 5, 10, 8, 4, 1, 'reflect'),
        ('conv1d_k10s5', 23, 3, 17, 10, 5, 1, 'reflect'),
        ('conv1d_k12s6', 25, 3, 6, 12, 6, 1, 'reflect'),
        ('conv1d_k16s8', 35, 4, 8, 16, 8, 1, 'reflect'),
        ('conv1d_k3d3', 19, 5, 4, 3, 1, 3, 'reflect'),
        ('conv1d_k7_T1', 1, 2, 3, 7, 1, 1, 'reflect'),
        ('conv1d_k7_T3', 3, 2, 3, 7, 1, 1, 'reflect'),
        ('conv1d_k16s8_T1', 1, 3, 4, 16, 8, 1, 'reflect'),
        ('conv1d_k16s8_T5', 5, 3, 4, 16, 8, 1, 'reflect'),
        ('conv1d_k10s5_T6', 6, 3, 4, 10, 5, 1, 'reflect'),
        ('conv1d_k7_zero', 11, 6, 17, 7, 1, 1, 'zero'),
        ('conv1d_k3_zero', 13, 17, 5, 3, 1, 1, 'zero'),
        ('conv1d_k3_zero_T1', 1, 5, 5, 3, 1, 1, 'zero'),
        ('conv1d_k3d3_zero', 19, 5, 4, 3, 1, 3, 'zero'),
    ):
        x, w = randn(frames, c_in), randn(c_out, c_in, kernel, scale=1 / math.sqrt(c_in * kernel))
        b = randn(c_out, scale=0.3)
        if mode == 'reflect':
            module = sconv(c_in, c_out, kernel, stride=stride, dilation=dilation, pad_mode='reflect').double()
            module.conv.conv.weight.data, module.conv.conv.bias.data = w, b
            y = module(x.T[None])[0].T
        else:
            y = F.conv1d(x.T[None], w, b, stride, padding=dilation * (kernel - 1) // 2, dilation=dilation)[
                0
            ].T
        add(
            case,
            {'y': y},
            {'x': x, 'w': w, 'b': b},
            T=frames,
            C=c_in,
            N=c_out,
            K=kernel,
            stride=stride,
            dilation=dilation,
            padding=mode,
        )


def other_convolutions() -> None:
    for case, frames, channels in (
        ('depthwise_k7', 13, 21),
        ('depthwise_k7_T1', 1, 5),
        ('depthwise_k7_T4', 4, 16),
    ):
        x, w, b = randn(frames, channels), randn(channels, 1, 7, scale=0.4), randn(channels, scale=0.3)
        y = F.conv1d(x.T[None], w, b, padding=3, groups=channels)[0].T
        add(case, {'y': y}, {'x': x, 'w': w, 'b': b}, T=frames, C=channels, K=7)
    for case, frames, c_in, c_out, kernel, stride in (
        ('conv_transpose1d_k4s2', 9, 6, 5, 4, 2),
        ('conv_transpose1d_k10s5', 3, 5, 3, 10, 5),
        ('conv_transpose1d_k4s2_T1', 1, 3, 4, 4, 2),
    ):
        x, w, b = randn(frames, c_in), randn(c_in, c_out, kernel, scale=0.4), randn(c_out, scale=0.3)
        y = F.conv_transpose1d(x.T[None], w, b, stride=stride)[0].T
        add(
            case,
            {'y': y},
            {'x': x, 'w': w, 'b': b},
            T=frames,
            C=c_in,
            N=c_out,
            K=kernel,
            stride=stride,
            trimmed=0,
        )
    v, g = randn(5, 3, 7), randn(5, 1, 1, scale=0.3, mean=1)
    add('weight_norm', {'w': torch._weight_norm(v, g, 0)}, {'v': v, 'g': g}, dim=0)


def lstm() -> None:
    for case, frames, width, hidden in (
        ('lstm_h20', 9, 20, 20),
        ('lstm_h64', 9, 13, 64),
        ('lstm_h5_T1', 1, 5, 5),
    ):
        module = torch.nn.LSTM(width, hidden).double()
        names = {'w_ih': 'weight_ih_l0', 'w_hh': 'weight_hh_l0', 'b_ih': 'bias_ih_l0', 'b_hh': 'bias_hh_l0'}
        inputs = {'x': randn(frames, width)}
        for short, name in names.items():
            parameter = getattr(module, name)
            inputs[short] = randn(*parameter.shape, scale=1.5 / math.sqrt(hidden))
            parameter.data = inputs[short]
        y, (h, c) = module(inputs['x'][:, None])
        add(
            case,
            {'y': y[:, 0], 'h': h[0, 0], 'c': c[0, 0]},
            inputs,
            T=frames,
            C=width,
            H=hidden,
            gates='i,f,g,o',
        )


def norms() -> None:
    for case, frames, channels, mean in (
        ('layer_norm', 5, 19, 0.0),
        ('layer_norm_offset', 3, 64, 40.0),
        ('layer_norm_T1', 1, 5, 1.0),
    ):
        x, w, b = (
            randn(frames, channels, mean=mean),
            randn(channels, scale=0.3, mean=1),
            randn(channels, scale=0.3),
        )
        y = F.layer_norm(x, (channels,), w, b, eps=1e-6)
        add(case, {'y': y}, {'x': x, 'w': w, 'b': b}, T=frames, C=channels, eps=1e-6)
    for case, frames, channels, groups, mean in (
        ('group_norm_32', 11, 96, 32, 0.0),
        ('group_norm_4', 17, 20, 4, 0.0),
        ('group_norm_4_offset', 33, 12, 4, 40.0),
        ('group_norm_4_T1', 1, 20, 4, 0.0),
    ):
        x, w, b = (
            randn(frames, channels, mean=mean),
            randn(channels, scale=0.3, mean=1),
            randn(channels, scale=0.3),
        )
        y = F.group_norm(x.T[None], groups, w, b, eps=1e-6)[0].T
        add(case, {'y': y}, {'x': x, 'w': w, 'b': b}, T=frames, C=channels, groups=groups, eps=1e-6)


def attention() -> None:
    x = randn(5, 17, scale=3)
    x[1] *= 25
    x[2] = 7.5
    add('softmax', {'y': F.softmax(x, dim=1)}, {'x': x}, T=5, C=17)
    for case, frames, channels, scale in (
        ('attention', 13, 20, 1),
        ('attention_T1', 1, 7, 1),
        ('attention_T67', 67, 8, 1),
        ('attention_peaked', 17, 12, 5),
    ):
        q, k, v = (randn(frames, channels, scale=scale) for _ in range(3))
        y = F.scaled_dot_product_attention(q, k, v)
        add(case, {'y': y}, {'q': q, 'k': k, 'v': v}, T=frames, C=channels, scale=1 / math.sqrt(channels))


def grid(low: float, high: float, count: int = 101) -> torch.Tensor:
    """Both ends, a spread of random points between them, and the neighbourhood of zero down to 1e-20."""
    inside = low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)
    tiny = torch.tensor([sign * 10.0**-e for e in (1, 2, 3, 4, 5, 6, 8, 12, 20) for sign in (1, -1)] + [0.0])
    return (
        torch.cat([torch.tensor([low, high]), inside, tiny[(tiny >= low) & (tiny <= high)]]).float().double()
    )


def elementwise() -> None:
    for case, function, low, high in (
        ('elu', F.elu, -30, 10),
        ('gelu', F.gelu, -12, 12),
        ('silu', F.silu, -80, 30),
        ('sigmoid', torch.sigmoid, -80, 80),
        ('tanh', torch.tanh, -12, 12),
        ('exp', torch.exp, -87, 88),
    ):
        x = grid(low, high)
        add(case, {'y': function(x)}, {'x': x}, low=low, high=high)
    half_pi = torch.arange(-40, 41, 3) * (math.pi / 2)
    angles = (
        torch.cat([grid(-4, 4), grid(-1000, 1000, 41), grid(-1e5, 1e5, 81), half_pi, half_pi * 1000])
        .float()
        .double()
    )
    add('sin', {'y': torch.sin(angles)}, {'x': angles}, low=-1e5, high=1e5)
    add('cos', {'y': torch.cos(angles)}, {'x': angles}, low=-1e5, high=1e5)


def fourier() -> None:
    for size, frames in ((12, 3), (30, 3), (64, 5), (400, 2), (1280, 2), (2400, 1)):
        x = randn(frames, size)
        spectrum = torch.fft.rfft(x)
        add(f'rfft_{size}', {'re': spectrum.real, 'im': spectrum.imag}, {'x': x}, F=frames, n=size)
        re, im = randn(frames, size // 2 + 1), randn(frames, size // 2 + 1)
        y = torch.fft.irfft(torch.complex(re, im), size)
        add(f'irfft_{size}', {'y': y}, {'re': re, 'im': im}, F=frames, n=size, scale=1 / size)
    for n_fft, hop, samples in ((64, 16, 307), (1280, 320, 701)):
        x = randn(samples)
        window = torch.hann_window(n_fft).double()
        spectrum = torch.stft(
            x, n_fft, hop, window=window, center=True, pad_mode='reflect', return_complex=True
        ).T
        add(
            f'stft_{n_fft}',
            {'re': spectrum.real, 'im': spectrum.imag},
            {'x': x},
            T=samples,
            n_fft=n_fft,
            hop=hop,
        )


def inverse_stft() -> None:
    """re and im are [F, n_fft/2+1]; "same" is upstream's own class, "center" its call of torch.istft."""
    istft = reference.upstream().spectral_ops.ISTFT
    for padding, n_fft, hop, frames in (
        ('same', 64, 16, 7),
        ('same', 1280, 320, 2),
        ('same', 2400, 600, 1),
        ('center', 64, 16, 7),
        ('center', 1280, 320, 2),
    ):
        re, im = randn(frames, n_fft // 2 + 1), randn(frames, n_fft // 2 + 1)
        y = istft(n_fft, hop, n_fft, padding).double()(torch.complex(re, im).T[None])[0]
        add(
            f'istft_{padding}_{n_fft}',
            {'y': y},
            {'re': re, 'im': im},
            F=frames,
            n_fft=n_fft,
            hop=hop,
            padding=padding,
        )


def codewords() -> None:
    """Codes by upstream's quantizer, the two smallest squared distances; rows 3 and 20 are equal: 3 wins."""
    quantizer = reference.upstream().quantization.ResidualVectorQuantizer(
        dimension=13, n_q=1, bins=37, kmeans_init=False
    )
    codebook = randn(37, 13)
    codebook[20] = codebook[3]
    x = randn(23, 13)
    x[5] = codebook[20]
    x[6] = codebook[3] + 0.01
    quantizer.double().eval()
    quantizer.vq.layers[0]._codebook.embed.data = codebook
    codes = quantizer.infer(x.T[None], 75).codes[0, 0]
    distances = (x[:, None] - codebook[None]).square().sum(-1).sort(dim=1).values[:, :2]
    add(
        'nearest_codeword',
        {'codes': codes, 'distances': distances},
        {'x': x, 'codebook': codebook},
        T=23,
        C=13,
        rows=37,
    )


def main() -> None:
    torch.set_num_threads(1)
    with torch.inference_mode():
        for group in (
            linear,
            conv1d,
            other_convolutions,
            lstm,
            norms,
            attention,
            elementwise,
            fourier,
            inverse_stft,
            codewords,
        ):
            group()
    metadata = reference.provenance('make_kernels.py', seed=SEED) | settings
    store.save(store.HERE / 'kernels.safetensors', tensors, metadata, limit=400_000)


if __name__ == '__main__':
    main()

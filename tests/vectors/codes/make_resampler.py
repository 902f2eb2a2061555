"""Writes resampler.json: cross-attention of learnt queries by torch.nn.MultiheadAttention and LayerNorm.

    pip install torch && python make_resampler.py
"""
import json
import pathlib

import torch

QUERIES, DIM, INPUT, HEADS, FRAMES, WINDOW = 3, 8, 6, 2, 11, 4


def numbers(tensor):
    return [round(float(x), 7) for x in tensor.flatten()]


def main():
    torch.manual_seed(3)
    draw = lambda *shape: torch.randn(*shape).mul(0.5).mul(1e4).round().div(1e4)
    attention = torch.nn.MultiheadAttention(DIM, HEADS, kdim=INPUT, vdim=INPUT, batch_first=True)
    norm = torch.nn.LayerNorm(DIM)
    up, down = torch.nn.Linear(DIM, 12), torch.nn.Linear(12, DIM)
    for module in (attention, norm, up, down):
        for parameter in module.parameters():
            parameter.data = draw(*parameter.shape)
    queries, x = draw(QUERIES, DIM), draw(FRAMES, INPUT)
    rows, plain = [], []
    with torch.no_grad():
        for start in range(0, FRAMES, WINDOW):
            part = x[start:start + WINDOW]
            y = norm(queries + attention(queries[None], part[None], part[None])[0][0])
            plain.append(y)
            rows.append(y + down(torch.relu(up(y))))
    bias = attention.in_proj_bias.split(DIM)
    layer = lambda weight, bias: {'weight': {'values': numbers(weight), 'dim': weight.shape[1]}, 'bias': numbers(bias)}
    result = {
        'made_by': f'make_resampler.py: torch {torch.__version__}',
        'x': {'values': numbers(x), 'dim': INPUT},
        'window': WINDOW,
        'weights': {
            'queries': {'values': numbers(queries), 'dim': DIM},
            'heads': HEADS,
            'q': layer(attention.q_proj_weight, bias[0]),
            'k': layer(attention.k_proj_weight, bias[1]),
            'v': layer(attention.v_proj_weight, bias[2]),
            'o': layer(attention.out_proj.weight, attention.out_proj.bias),
            'norm': {'weight': numbers(norm.weight), 'bias': numbers(norm.bias)},
            'feedForward': {'up': layer(up.weight, up.bias), 'down': layer(down.weight, down.bias)},
        },
        'without_feed_forward': numbers(torch.cat(plain)),
        'y': numbers(torch.cat(rows)),
    }
    (pathlib.Path(__file__).parent / 'resampler.json').write_text(json.dumps(result, separators=(',', ':')) + '\n')


main()

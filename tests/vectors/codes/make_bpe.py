"""Writes bpe.json: what Hugging Face tokenizers learns from seeded sequences, and how it encodes them.

    pip install tokenizers==0.23.3 && python make_bpe.py

`file` is the tokenizer.json of the first case, as tokenizers saves it. max_token_length of tokenizers is exclusive: one more than ours.
"""
import json
import pathlib
import random

from tokenizers import Tokenizer, models, trainers

FIRST = 0x4E00

# name, codes, sequences, frames, share of repeats, vocabulary, min frequency, longest token
CASES = [
    ('no repeats', 6, 6, 120, 0.0, 40, 2, None),
    ('repeats', 6, 6, 120, 0.5, 60, 2, None),
    ('silence', 4, 10, 80, 0.9, 80, 2, None),
    ('two merges make one token', 3, 12, 150, 0.6, 200, 2, None),
    ('frequent pairs alone', 16, 20, 60, 0.7, 200, 4, None),
    ('short tokens', 2, 20, 60, 0.5, 100, 2, 5),
    ('one code', 1, 3, 100, 0.0, 20, 2, None),
    ('nothing to merge', 50, 2, 10, 0.0, 100, 5, None),
]


def sequence(rng, codes, frames, repeats):
    row = []
    weights = [1 / (i + 1) for i in range(codes)]
    for _ in range(frames):
        row.append(row[-1] if row and rng.random() < repeats else rng.choices(range(codes), weights)[0])
    return row


def main():
    rng = random.Random(5)
    cases = []
    for name, codes, count, frames, repeats, vocab_size, min_frequency, longest in CASES:
        sequences = [sequence(rng, codes, frames, repeats) for _ in range(count)]
        texts = [''.join(chr(FIRST + code) for code in row) for row in sequences]
        limit = {} if longest is None else {'max_token_length': longest + 1}
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            initial_alphabet=[chr(FIRST + code) for code in range(codes)],
            show_progress=False,
            **limit,
        )
        tokenizer = Tokenizer(models.BPE())
        tokenizer.train_from_iterator(texts, trainer)
        model = json.loads(tokenizer.to_str())['model']
        ids = model['vocab']
        options = {'alphabetSize': codes, 'vocabSize': vocab_size, 'minFrequency': min_frequency}
        cases.append({
            'name': name,
            'options': options if longest is None else {**options, 'maxTokenLength': longest},
            'sequences': sequences,
            'merges': [[ids[a], ids[b], ids[a + b]] for a, b in model['merges']],
            'encoded': [tokenizer.encode(text).ids for text in texts],
            **({} if cases else {'file': json.loads(tokenizer.to_str())}),
        })
    text = json.dumps({'made_by': 'make_bpe.py: tokenizers 0.23.3', 'cases': cases}, separators=(',', ':'))
    path = pathlib.Path(__file__).parent / 'bpe.json'
    path.write_text(text + '\n')


main()

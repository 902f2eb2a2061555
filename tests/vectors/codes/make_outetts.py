"""Writes outetts.json: prompts that OuteTTS's own prompt processors write.

    python make_outetts.py

Downloads outetts==0.2.3 (prompt text v1) and outetts==0.3.3 (v2) from PyPI. Their prompt_processor.py and tokens.py run as they are;
what they import for languages other than English and for tokenizer files is replaced by empty modules. Codes and words are made up here.
"""
import importlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import types
import zipfile

HERE = pathlib.Path(__file__).parent


def load(release, version, folder):
    subprocess.run([sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '-d', folder, f'outetts=={release}'], check=True)
    wheel = next(pathlib.Path(folder).glob(f'outetts-{release}-*.whl'))
    zipfile.ZipFile(wheel).extractall(f'{folder}/{release}')
    package = f'outetts_{version}'
    root = types.ModuleType(package)
    root.__path__ = [f'{folder}/{release}/outetts/version/{version}']
    sys.modules[package] = root
    return importlib.import_module(f'{package}.prompt_processor').PromptProcessor


def stub():
    anything = type('Anything', (), {'__init__': lambda self, *a, **k: None, 'from_pretrained': classmethod(lambda cls, path: cls())})
    for name, attribute in [('transformers', 'AutoTokenizer'), ('inflect', 'engine'), ('uroman', 'Uroman'), ('MeCab', 'Tagger'), ('loguru', 'logger')]:
        module = types.ModuleType(name)
        setattr(module, attribute, anything)
        sys.modules[name] = module
    processor = types.ModuleType('outetts_v2.text_processor')
    processor.TextProcessor = TextProcessor
    sys.modules['outetts_v2.text_processor'] = processor


class TextProcessor:
    """Words separated by spaces, punctuation at their ends, mark by mark as upstream; emotion blocks pass."""

    def process_text(self, text):
        from outetts_v2.tokens import SpecialTokens
        marks = SpecialTokens().punctuation_tokens
        words = []
        for word in text.split():
            letters = word if word.startswith('<|') else word.strip(''.join(marks))
            before, after = word.split(letters)
            words.append({'word': letters, 'before': [marks[mark] for mark in before], 'after': [marks[mark] for mark in after]})
        return words

    def get_text(self, words):
        return '<|space|>'.join(''.join(w['before']) + w['word'] + ''.join(w['after']) for w in words)


def spoken(words, rng):
    counts = [rng.randrange(1, 9) for _ in words]
    return [{'word': word, 'duration': round(n / 75, 2), 'codes': [rng.randrange(4096) for _ in range(n)]} for word, n in zip(words, counts)]


def main():
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        stub()
        V1 = load('0.2.3', 'v1', folder)
        V2 = load('0.3.3', 'v2', folder)
        V1.get_audio_token_map = lambda self: {}
        v1, v2 = V1('', ['en']), V2('')
        said = 'Hello, wide-open WORLD... it\'s  a test_case/again'
        words = v1.process_text(said, 'en')
        speaker = {'text': said, 'language': 'en', 'words': spoken(words, rng)}
        cases = [
            {'version': 1, 'text': said, 'words': words, 'training': v1.get_training_prompt(said, 'en', speaker), 'spoken': speaker['words']},
            {'version': 1, 'text': 'and more', 'spoken': speaker['words'], 'completion': v1.get_completion_prompt('and more', 'en', speaker)},
            {'version': 1, 'text': 'and more', 'spoken': [], 'completion': v1.get_completion_prompt('and more', 'en')},
        ]
        said = 'hola, ¿amigo? "yes!" <|emotion_start|>sad<|emotion_end|> end...。 so…'
        processed = TextProcessor().process_text(said)
        plain = [w['word'] for w in processed if not w['word'].startswith('<|')]
        speaker = {'text': said, 'words': spoken(plain, rng)}
        given = iter(speaker['words'])
        both = [{**next(given), 'word': word} if not word.startswith('<|') else {'word': word, 'codes': []} for word in said.split()]
        cases += [
            {'version': 2, 'text': '', 'spoken': both, 'training': v2.get_training_prompt(speaker)},
            {'version': 2, 'text': '', 'spoken': both, 'voice': 'calm', 'training': v2.get_training_prompt({**speaker, 'emotion': 'calm'})},
            {'version': 2, 'text': 'and more.', 'spoken': both, 'voice': 'calm', 'completion': v2.get_completion_prompt('and more.', 'calm', speaker)},
            {'version': 2, 'text': 'and more.', 'spoken': [], 'completion': v2.get_completion_prompt('and more.')},
        ]
    text = json.dumps({'made_by': 'make_outetts.py: outetts 0.2.3 and 0.3.3', 'cases': cases}, ensure_ascii=False, separators=(',', ':'))
    (HERE / 'outetts.json').write_text(text + '\n')


main()

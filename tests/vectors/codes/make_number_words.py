"""Writes number-words.json: numbers as inflect spells them, and a sentence as OuteTTS 0.2 cuts it into words.

    pip install inflect==7.6.0 && python make_number_words.py
"""
import json
import pathlib
import random
import re

import inflect


def main():
    engine = inflect.engine()
    rng = random.Random(2)
    digits = '0 7 007 00 13 20 21 100 101 110 999 1000 1001 1010 1100 10000 100001 1000000 1005000 1234567 1000100 2000000015 3.14 0.5 1.05 10.0 1.230'.split()
    digits += [str(rng.randrange(10 ** rng.randrange(1, 37))) for _ in range(60)]
    text = 'On 24 May 1999, 3.5% of 1,200 rows.'
    spelt = re.sub(r'\d+(\.\d+)?', lambda match: engine.number_to_words(match.group()), text.lower())
    words = re.sub(r'[^a-z\s]', '', re.sub(r'[-_/,\.\\]', ' ', spelt)).split()
    result = {'made_by': 'make_number_words.py: inflect 7.6.0', 'numbers': {n: engine.number_to_words(n) for n in digits}, 'text': text, 'words': words}
    (pathlib.Path(__file__).parent / 'number-words.json').write_text(json.dumps(result, indent=0) + '\n')


main()

"""Pickles that must be refused, or read without running anything: bytes only, nothing here is ever unpickled.

Whoever executes one of the commands leaves a file named wavtok-hostile-pickle-ran in the current directory.
"""

import struct

COMMAND = 'touch wavtok-hostile-pickle-ran'
PROTOCOL_2, PROTOCOL_4, STOP = b'\x80\x02', b'\x80\x04', b'.'


def text(value: str) -> bytes:
    """BINUNICODE"""
    encoded = value.encode()
    return b'X' + struct.pack('<I', len(encoded)) + encoded


def name(module: str, attribute: str) -> bytes:
    """GLOBAL"""
    return f'c{module}\n{attribute}\n'.encode()


def stack_name(module: str, attribute: str) -> bytes:
    """STACK_GLOBAL (protocol 4)"""
    return text(module) + text(attribute) + b'\x93'


def call(function: bytes, *arguments: bytes) -> bytes:
    """REDUCE of a function with a tuple"""
    return function + b'(' + b''.join(arguments) + b't' + b'R'


def dictionary(**items: bytes) -> bytes:
    return b'}(' + b''.join(text(key) + value for key, value in items.items()) + b'u'


def storage(key: str = '0', count: int = 6, kind: str = 'FloatStorage') -> bytes:
    """BINPERSID of ('storage', torch.<kind>, key, 'cpu', count)"""
    return (
        b'('
        + text('storage')
        + name('torch', kind)
        + text(key)
        + text('cpu')
        + b'J'
        + struct.pack('<i', count)
        + b'tQ'
    )


def number(value: int) -> bytes:
    """LONG1, whatever the size"""
    encoded = value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True)
    return b'\x8a' + bytes([len(encoded)]) + encoded


def numbers(*values: int) -> bytes:
    return b'(' + b''.join(map(number, values)) + b't'


def tensor(
    base: bytes | None = None, offset: int = 0, shape: tuple = (2, 3), stride: tuple = (3, 1)
) -> bytes:
    hooks = call(name('collections', 'OrderedDict'))
    arguments = (
        storage() if base is None else base,
        number(offset),
        numbers(*shape),
        numbers(*stride),
        b'\x89',
        hooks,
    )
    return call(name('torch._utils', '_rebuild_tensor_v2'), *arguments)


def running_code() -> dict[str, tuple[bytes, str]]:
    """Every way of calling something that is no part of a tensor."""
    system = call(name('os', 'system'), text(COMMAND))
    importing = call(name('builtins', '__import__'), text('os'))
    python = f"__import__('os').system({COMMAND!r})"
    payloads = {
        'os-system': (system, 'os.system by REDUCE'),
        'posix-system': (call(name('posix', 'system'), text(COMMAND)), 'posix.system by REDUCE'),
        'nt-system': (call(name('nt', 'system'), text(COMMAND)), 'nt.system by REDUCE'),
        'builtins-eval': (call(name('builtins', 'eval'), text(python)), 'builtins.eval by REDUCE'),
        'builtins-exec-python2': (
            call(name('__builtin__', 'eval'), text(python)),
            '__builtin__.eval, the Python 2 name',
        ),
        'stack-global': (call(stack_name('os', 'system'), text(COMMAND)), 'os.system through STACK_GLOBAL'),
        'inst-opcode': (b'(' + text(COMMAND) + b'ios\nsystem\n', 'os.system through INST'),
        'obj-opcode': (b'(' + name('os', 'system') + text(COMMAND) + b'o', 'os.system through OBJ'),
        'newobj-opcode': (
            name('subprocess', 'Popen') + b'(' + text(COMMAND) + b't\x81',
            'subprocess.Popen through NEWOBJ',
        ),
        'newobj-ex-opcode': (
            name('subprocess', 'Popen') + b'(' + text(COMMAND) + b't' + dictionary(shell=b'\x88') + b'\x92',
            'through NEWOBJ_EX',
        ),
        'nested-getattr': (
            call(call(name('builtins', 'getattr'), importing, text('system')), text(COMMAND)),
            'getattr(__import__("os"), "system")',
        ),
        'dotted-name': (
            call(name('torch', 'os.system'), text(COMMAND)),
            'a dotted attribute of an allowed module',
        ),
        'load-from-bytes': (
            call(name('torch.storage', '_load_from_bytes'), b'B' + struct.pack('<I', 4) + b'\x80\x02N.'),
            'a torch.load inside the pickle',
        ),
        'torch-jit-load': (call(name('torch.jit', 'load'), text('model.pt')), 'torch.jit.load'),
        'build-setstate': (
            name('collections', 'OrderedDict') + b')R' + dictionary(__reduce__=system) + b'b',
            'BUILD with a call inside',
        ),
        'extension-code': (b'\x82\x01', 'EXT1'),
        'text-persid': (b'Pos.system\n', 'PERSID of protocol 0'),
        'javascript-constructor': (
            call(name('constructor', 'constructor'), text('globalThis.hostile = 1')),
            'names that every JavaScript object has',
        ),
        'javascript-proto-name': (call(name('__proto__', 'toString')), 'GLOBAL __proto__ toString'),
    }
    return {
        key: (PROTOCOL_2 + dictionary(state_dict=dictionary(weight=body)) + STOP, why)
        for key, (body, why) in payloads.items()
    }


def bombs() -> dict[str, tuple[bytes, str]]:
    """Small files that ask for huge memory, endless time or a deep stack."""
    doubling = b'N' + b'2\x86' * 200
    return {
        'huge-long': (
            PROTOCOL_2 + b'\x8b' + struct.pack('<i', 2**31 - 1) + b'\0' * 8 + STOP,
            'LONG4 of 2 GiB',
        ),
        'negative-long': (
            PROTOCOL_2 + b'\x8b' + struct.pack('<i', -5) + b'\0' * 8 + STOP,
            'LONG4 of negative length',
        ),
        'huge-text': (
            PROTOCOL_4 + b'\x8d' + struct.pack('<Q', 2**63 - 1) + b'abc' + STOP,
            'BINUNICODE8 of 2^63 - 1 bytes',
        ),
        'huge-frame': (PROTOCOL_4 + b'\x95' + struct.pack('<Q', 2**62) + b'N' + STOP, 'FRAME of 2^62 bytes'),
        'huge-memo-index': (
            PROTOCOL_2 + b'Nr' + struct.pack('<I', 2**32 - 1) + STOP,
            'LONG_BINPUT 4294967295',
        ),
        'deep-lists': (PROTOCOL_2 + b']' * 15000 + b'a' * 14999 + STOP, '15,000 nested lists'),
        'deep-marks': (PROTOCOL_2 + b'(' * 15000 + STOP, '15,000 open marks'),
        'doubling': (
            PROTOCOL_2 + doubling + STOP,
            'a tuple of pairs, 200 deep: 2^200 leaves for who walks it',
        ),
        'memo-doubling': (
            PROTOCOL_2
            + dictionary(
                state_dict=b'}q\0'
                + b''.join(
                    text('a') + b'}(' + text('b') + b'h\0' + text('c') + b'h\0uq\0s' for _ in range(40)
                )
            )
            + STOP,
            'dicts that hold one another through the memo',
        ),
        'itself': (
            PROTOCOL_2 + dictionary(state_dict=b'}q\0' + text('again') + b'h\0s') + STOP,
            'a state dict that contains itself',
        ),
    }


def broken() -> dict[str, tuple[bytes, str]]:
    """Pickles that stop making sense."""
    return {
        'empty': (b'', 'an empty data.pkl'),
        'no-stop': (PROTOCOL_2 + b'}', 'no STOP'),
        'stack-underflow': (PROTOCOL_2 + b'R' + STOP, 'REDUCE on an empty stack'),
        'no-mark': (PROTOCOL_2 + b'}u' + STOP, 'SETITEMS without MARK'),
        'unknown-opcode': (PROTOCOL_2 + b'\xff' + STOP, 'opcode 0xff'),
        'unknown-protocol': (b'\x80\x63}' + STOP, 'protocol 99'),
        'memo-miss': (PROTOCOL_2 + b'h\x07' + STOP, 'BINGET of a memo entry that was never put'),
        'unhashable-key': (PROTOCOL_2 + b'}]Ns' + STOP, 'a list as key of a dict'),
        'cut-in-text': (PROTOCOL_2 + b'X\x10\0\0\0abc', 'ends inside a text'),
        'no-dict': (PROTOCOL_2 + text('hello') + STOP, 'a text where a dict of tensors is expected'),
    }


def tensors() -> dict[str, tuple[bytes, str]]:
    """Tensors that do not fit the file; storage 0 holds 6 float32."""
    huge = 2**40
    cases = {
        'beyond-storage': (tensor(shape=(2, 4), stride=(4, 1)), '8 elements in a storage of 6'),
        'offset-beyond-storage': (tensor(offset=4), '6 elements from element 4 on'),
        'negative-offset': (tensor(offset=-2), 'storage offset -2'),
        'negative-stride': (tensor(offset=5, stride=(-3, -1)), 'strides -3, -1'),
        'negative-size': (tensor(shape=(-2, 3)), 'shape -2, 3'),
        'huge-shape': (
            tensor(shape=(huge, huge), stride=(0, 0)),
            'an expanded shape of 2^80 elements over 6',
        ),
        'huge-expand': (tensor(shape=(huge,), stride=(0,)), '2^40 elements, all the same one'),
        'rank-mismatch': (tensor(shape=(2, 3), stride=(1,)), 'two sizes, one stride'),
        'storage-claims-more': (
            tensor(storage(count=1000), shape=(1000,), stride=(1,)),
            'the storage claims 1000 elements, its entry holds 6',
        ),
        'storage-missing': (tensor(storage(key='7')), 'no entry data/7'),
        'storage-outside': (tensor(storage(key='../data.pkl')), 'a storage key with a path'),
        'storage-unknown-type': (tensor(storage(kind='QUInt8Storage')), 'quantized storage'),
        'storage-no-tuple': (tensor(text('0') + b'Q'), 'a persistent id that is no tuple'),
        'tensor-of-text': (tensor(text('storage')), 'a text where a storage is expected'),
    }
    return {
        key: (PROTOCOL_2 + dictionary(state_dict=dictionary(weight=body)) + STOP, why)
        for key, (body, why) in cases.items()
    }


def beside_weights() -> dict[str, tuple[bytes, str]]:
    """Sound weights beside something hostile: reading them may succeed, and must run and change nothing."""
    system = call(name('os', 'system'), text(COMMAND))
    weights = dictionary(weight=tensor())
    pollution = dictionary(polluted=b'\x88')
    return {
        'call-beside-weights': (
            PROTOCOL_2 + dictionary(callbacks=system, state_dict=weights) + STOP,
            'os.system under `callbacks`',
        ),
        'prototype-key': (
            PROTOCOL_2
            + b'}('
            + text('__proto__')
            + pollution
            + text('constructor')
            + pollution
            + text('state_dict')
            + weights
            + b'u'
            + STOP,
            'keys __proto__ and constructor beside state_dict',
        ),
        'prototype-weight': (
            PROTOCOL_2
            + dictionary(state_dict=b'}(' + text('__proto__') + tensor() + text('weight') + tensor() + b'u')
            + STOP,
            'a tensor named __proto__',
        ),
    }

// A pickle machine that executes nothing: names stay names, calls are interpreted by an allow-list (pickle-values.ts)
// or leave an inert object. Opcodes are those of Python's pickletools, protocols 2 to 5.
import { CheckpointError } from '../errors.js'
import { Opaque, PickleDict, PickleGlobal, type PickleValue, persistent, reduce } from './pickle-values.js'

// Every opcode takes at least one byte, so time is bounded by the input. These bound memory; a checkpoint of 10,000
// tensors makes about 100,000 containers and stays far below.
const MAX_PICKLE_BYTES = 1 << 25
const MAX_STACK = 1 << 20
const MAX_DEPTH = 1000 // open marks; Python's own recursion limit stops its pickler there
const MAX_MEMO = 1 << 20
const MAX_CONTAINERS = 1 << 20
const MAX_LONG_BYTES = 1024
const MAX_GLOBAL_LENGTH = 256

const STOP = 0x2e
const PROTO = 0x80

/**
 * Reads a pickle without running anything in it.
 * @throws CheckpointError if it is malformed, older than protocol 2, or larger than any checkpoint's.
 */
export function unpickle(bytes: Uint8Array): PickleValue {
  if (bytes.length > MAX_PICKLE_BYTES)
    throw new CheckpointError(`the pickle has ${bytes.length} bytes; at most ${MAX_PICKLE_BYTES} are read`)
  return new Machine(bytes).run()
}

class Machine {
  private readonly view: DataView
  private readonly text = new TextDecoder('utf-8', { ignoreBOM: true })
  private readonly stack: PickleValue[] = []
  private readonly marks: number[] = []
  private readonly memo = new Map<number, PickleValue>()
  private position = 0
  private containers = 0

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): PickleValue {
    if (this.bytes[0] !== PROTO) this.fail('a pickle of protocol 2 to 5 begins with byte 0x80')
    for (;;) {
      const opcode = this.uint8()
      if (opcode === STOP) return this.pop()
      const execute = OPCODES[opcode]
      if (!execute) this.fail(`opcode 0x${opcode.toString(16)} is none that torch.save writes`)
      execute(this)
    }
  }

  fail(reason: string): never {
    throw new CheckpointError(`bad pickle at byte ${this.position} of ${this.bytes.length}: ${reason}`)
  }

  /** Moves past `length` bytes and returns where they begin. */
  skip(length: number): number {
    const start = this.position
    if (!(length >= 0 && start + length <= this.bytes.length))
      this.fail(`${length} bytes expected, ${this.bytes.length - start} are left`)
    this.position = start + length
    return start
  }

  take(length: number): Uint8Array {
    const start = this.skip(length)
    return this.bytes.subarray(start, start + length)
  }

  string(length: number): string {
    return this.text.decode(this.take(length))
  }

  uint8(): number {
    return this.view.getUint8(this.skip(1))
  }
  uint16(): number {
    return this.view.getUint16(this.skip(2), true)
  }
  uint32(): number {
    return this.view.getUint32(this.skip(4), true)
  }
  int32(): number {
    return this.view.getInt32(this.skip(4), true)
  }
  uint64(): number {
    return Number(this.view.getBigUint64(this.skip(8), true))
  }
  float64(): number {
    return this.view.getFloat64(this.skip(8))
  }

  /** Two's complement of any length; what no safe integer holds stays opaque. */
  long(length: number): void {
    if (length > MAX_LONG_BYTES) this.fail(`an integer of ${length} bytes`)
    const bytes = this.take(length)
    let value = 0n
    for (let i = Math.min(length, 8) - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i])
    const number = Number(BigInt.asIntN(8 * length, value))
    if (length <= 8 && Number.isSafeInteger(number)) this.push(number)
    else this.create(new Opaque('an integer beyond 53 bits'))
  }

  /** Bytes are never part of a tensor's description. */
  binary(length: number): void {
    this.skip(length)
    this.create(new Opaque('builtins.bytes'))
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position)
    if (end < 0 || end - this.position > MAX_GLOBAL_LENGTH) this.fail('the name of a global does not end')
    const text = this.string(end - this.position)
    this.position++
    return text
  }

  push(value: PickleValue): void {
    if (this.stack.length >= MAX_STACK) this.fail(`more than ${MAX_STACK} values on the stack`)
    this.stack.push(value)
  }

  /** Pushes a new list, tuple, dict or object, all of which count against one budget. */
  create(value: PickleValue): void {
    if (++this.containers > MAX_CONTAINERS) this.fail(`more than ${MAX_CONTAINERS} lists, tuples and objects`)
    this.push(value)
  }

  private base(): number {
    return this.marks.at(-1) ?? 0
  }

  top(): PickleValue {
    if (this.stack.length <= this.base()) this.fail('the stack is empty')
    return this.stack[this.stack.length - 1]
  }

  pop(): PickleValue {
    const value = this.top()
    this.stack.length--
    return value
  }

  mark(): void {
    if (this.marks.length >= MAX_DEPTH) this.fail(`more than ${MAX_DEPTH} nested marks`)
    this.marks.push(this.stack.length)
  }

  /** Everything above the last mark. */
  popMark(): PickleValue[] {
    const start = this.marks.pop()
    if (start === undefined) this.fail('there is no mark')
    return this.stack.splice(start)
  }

  popMany(count: number): PickleValue[] {
    if (this.stack.length - count < this.base()) this.fail('the stack is empty')
    return this.stack.splice(this.stack.length - count)
  }

  put(index: number): void {
    if (this.memo.size >= MAX_MEMO) this.fail(`more than ${MAX_MEMO} memoized values`)
    this.memo.set(index, this.top())
  }

  memoize(): void {
    this.put(this.memo.size)
  }

  get(index: number): void {
    const value = this.memo.get(index)
    if (value === undefined) this.fail(`memo ${index} is empty`)
    this.push(value)
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') this.fail('a global whose name is no text')
    if (module.length + name.length > MAX_GLOBAL_LENGTH) this.fail('a global with a name too long')
    this.create(new PickleGlobal(`${module}.${name}`))
  }

  /** An instance of `type`, whose class is not here. */
  instance(type: PickleValue): void {
    this.create(
      new Opaque(
        type instanceof PickleGlobal ? type.name : type instanceof Opaque ? type.origin : 'no class',
      ),
    )
  }

  append(items: PickleValue[]): void {
    const list = this.top()
    if (list instanceof Opaque) return
    if (!Array.isArray(list)) this.fail('items are appended to something that is no list')
    for (const item of items) list.push(item)
  }

  setItems(items: PickleValue[], target = this.top()): void {
    if (target instanceof Opaque) return
    if (!(target instanceof PickleDict) || items.length % 2 !== 0)
      this.fail('pairs are stored in something that is no dict')
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i], items[i + 1])
  }

  dict(items: PickleValue[]): void {
    const dict = new PickleDict()
    this.setItems(items, dict)
    this.create(dict)
  }
}

const checkProtocol = (machine: Machine) => {
  const version = machine.uint8()
  if (version < 2 || version > 5) machine.fail(`protocol ${version}; readable are 2 to 5`)
}

const reduceTop = (machine: Machine) => {
  const args = machine.pop()
  machine.create(reduce(machine.pop(), args))
}

const OPCODES: ((machine: Machine) => void)[] = []
const define = (opcode: number | string, execute: (machine: Machine) => void) => {
  OPCODES[typeof opcode === 'string' ? opcode.charCodeAt(0) : opcode] = execute
}

define(PROTO, checkProtocol)
define(0x95, m => void m.uint64()) // FRAME: only a hint for buffering

define('(', m => m.mark())
define('0', m => void m.pop())
define('1', m => void m.popMark())
define('2', m => m.push(m.top())) // DUP

define('N', m => m.push(null))
define(0x88, m => m.push(true))
define(0x89, m => m.push(false))
define('J', m => m.push(m.int32()))
define('K', m => m.push(m.uint8()))
define('M', m => m.push(m.uint16()))
define(0x8a, m => m.long(m.uint8())) // LONG1
define(0x8b, m => m.long(m.int32())) // LONG4
define('G', m => m.push(m.float64()))

define('X', m => m.push(m.string(m.uint32())))
define(0x8c, m => m.push(m.string(m.uint8())))
define(0x8d, m => m.push(m.string(m.uint64())))
define('T', m => m.push(m.string(m.int32()))) // BINSTRING
define('U', m => m.push(m.string(m.uint8())))
define('B', m => m.binary(m.uint32()))
define('C', m => m.binary(m.uint8()))
define(0x8e, m => m.binary(m.uint64()))
define(0x96, m => m.binary(m.uint64())) // BYTEARRAY8

define(']', m => m.create([]))
define(')', m => m.create([]))
define('}', m => m.create(new PickleDict()))
define(0x8f, m => m.create(new Opaque('builtins.set')))
define('l', m => m.create(m.popMark())) // LIST
define('t', m => m.create(m.popMark())) // TUPLE
define(0x85, m => m.create(m.popMany(1)))
define(0x86, m => m.create(m.popMany(2)))
define(0x87, m => m.create(m.popMany(3)))
define('d', m => m.dict(m.popMark())) // DICT
define('a', m => m.append([m.pop()]))
define('e', m => m.append(m.popMark()))
define('s', m => m.setItems(m.popMany(2)))
define('u', m => m.setItems(m.popMark()))
define(0x90, m => m.append(m.popMark())) // ADDITEMS
define(0x91, m => {
  m.popMark()
  m.create(new Opaque('builtins.frozenset'))
})

define('q', m => m.put(m.uint8()))
define('r', m => m.put(m.uint32()))
define(0x94, m => m.memoize())
define('h', m => m.get(m.uint8()))
define('j', m => m.get(m.uint32()))

define('c', m => m.global(m.line(), m.line()))
define(0x93, m => {
  const [module, name] = m.popMany(2)
  m.global(module, name)
})
define('Q', m => m.create(persistent(m.pop())))
define('R', reduceTop)
define(0x81, m => m.instance(m.popMany(2)[0])) // NEWOBJ
define(0x92, m => m.instance(m.popMany(3)[0])) // NEWOBJ_EX
define('o', m => m.instance(m.popMark()[0])) // OBJ
define('i', m => {
  m.global(m.line(), m.line()) // INST
  const type = m.pop()
  m.popMark()
  m.instance(type)
})
define('b', m => {
  m.pop() // BUILD: attributes of the object below, which nothing here has
  m.top()
})
define(0x82, m => m.create(new Opaque(`extension ${m.uint8()}`)))
define(0x83, m => m.create(new Opaque(`extension ${m.uint16()}`)))
define(0x84, m => m.create(new Opaque(`extension ${m.int32()}`)))

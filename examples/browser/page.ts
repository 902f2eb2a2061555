import type { AudioTokens, TokenizerInfo } from '../../src/index.js'
import { type Recording, readRecording } from './audio-files.js'
import { byId, darkScheme } from './dom.js'
import { Editor } from './editor.js'
import type { Selection } from './edits.js'
import { Engine } from './engine.js'
import { showTime } from './figures.js'
import { Lanes } from './lanes.js'
import { MAX_SECONDS, type Microphone, openMicrophone } from './microphone.js'
import { Player, type Side } from './player.js'
import { type Result, showReport } from './report.js'
import { attempt, showError } from './status.js'
import { CLIP_HASH, fromHash, readTokens } from './token-files.js'

const CHECKPOINT = /\.(safetensors|ckpt|pt|pth|bin|ya?ml)$/i
const TOKENS = /\.(wtok|json|npy|txt)$/i
const EXAMPLE = 'example.wav'

const engine = new Engine()
const player = new Player()
const lanes = new Lanes()
const editor = new Editor({ onEdit: edited, onSelect: selected, encode: encodeOther })
let result: Result | undefined
let microphone: Microphone | undefined

/** Audio to tokens and back, shown. */
function openRecording(read: () => Promise<Recording>): Promise<void> {
  return attempt(async (signal, tell) => {
    player.pause()
    const recording = await read()
    const { value: tokens, seconds: encodeSeconds } = await engine.encode(recording, signal, tell)
    const { value: decoded, seconds: decodeSeconds } = await engine.decode(tokens, signal, tell)
    await present({ recording, tokens, decoded, isEdited: false, encodeSeconds, decodeSeconds }, 'original')
  }) as Promise<void>
}

/** Tokens that somebody else made: what they sound like takes the place of the recording. */
function openTokens(name: string, read: () => Uint8Array | Promise<Uint8Array>): Promise<void> {
  return attempt(async (signal, tell) => {
    player.pause()
    const tokens = readTokens(await read(), await engine.info(tell))
    const { value: decoded, seconds: decodeSeconds } = await engine.decode(tokens, signal, tell)
    await present(
      { recording: { name, ...decoded }, tokens, decoded, isEdited: false, decodeSeconds },
      'decoded',
    )
  }) as Promise<void>
}

async function present(opened: Result, side: Side): Promise<void> {
  result = opened
  editor.open(opened.tokens)
  byId('clip-name').textContent = opened.recording.name
  byId('stage').hidden = false
  await showResult(opened)
  listenTo(side)
  byId('play').focus({ preventScroll: true })
  byId('stage').scrollIntoView({ block: 'nearest' })
}

async function showResult(shown: Result): Promise<void> {
  await lanes.show({ original: shown.recording, decoded: shown.decoded })
  editor.show(lanes.seconds)
  player.setTracks({ original: shown.recording, decoded: shown.decoded })
  showReport(shown)
  showPosition()
}

/** Decodes edited tokens and listens to them. */
function edited(): void {
  const { tokens } = editor
  void attempt(async (signal, tell) => {
    const { value, seconds } = await engine.decode(tokens, signal, tell)
    result = { ...result!, tokens, decoded: value, isEdited: true, decodeSeconds: seconds }
    if (player.side !== 'decoded') listenTo('decoded')
    await showResult(result)
  })
}

/** Playing starts where the selection does. */
function selected(tokens: AudioTokens, { start }: Selection): void {
  if (!player.isPlaying) player.seek(start / tokens.frameRate)
}

async function encodeOther(file: File) {
  return attempt(
    async (signal, tell) => (await engine.encode(await readRecording(file, file.name), signal, tell)).value,
  )
}

function loadModel(files?: readonly File[]): Promise<void> {
  return attempt(async (signal, tell) => {
    // Whoever opens a clip meanwhile waits for the page's own model and must not stop it.
    showModel(await engine.load(tell, files, files && signal), files)
    const last = result?.recording
    if (last) await openRecording(async () => last)
  }) as Promise<void>
}

function showModel(info: TokenizerInfo, files?: readonly File[]): void {
  const millions = (info.parameters / 1e6).toFixed(1)
  const name = files ? files.map(file => file.name).join(', ') : 'default model'
  byId('model-name').textContent = `${name}: ${info.family}, ${millions} M parameters`
  byId('rate').textContent = String(Number((info.frameRate * info.codebooks).toFixed(1)))
}

function showPosition(): void {
  const seek = byId<HTMLInputElement>('seek')
  const { position, duration } = player
  lanes.movePlayhead(position)
  seek.max = String(duration)
  seek.value = String(position)
  seek.ariaValueText = `${position.toFixed(1)} of ${duration.toFixed(1)} seconds`
  byId('time').textContent = `${showTime(position)} / ${showTime(duration)}`
}

function follow(): void {
  if (!player.isPlaying) return
  showPosition()
  editor.point(Math.floor(player.position * editor.tokens.frameRate))
  requestAnimationFrame(follow)
}

function togglePlay(): void {
  if (player.isPlaying) player.pause()
  else void player.play()
}

function listenTo(side: Side): void {
  player.listenTo(side)
  document.querySelector<HTMLInputElement>(`input[name=side][value=${side}]`)!.checked = true
  byId('lanes').dataset.side = side
  showPosition()
}

player.onChange = () => {
  byId('play-word').textContent = player.isPlaying ? 'Pause' : 'Play'
  showPosition()
  follow()
}

/** Keys work inside the recording's part of the page only, where they cannot get in the way of a screen reader's. */
function stageKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement
  const isCommand = event.ctrlKey || event.metaKey
  const key = event.key.toLowerCase()
  if (isCommand && key === 'z') event.shiftKey ? editor.redo() : editor.undo()
  else if (isCommand && key === 'y') editor.redo()
  else if (isCommand || event.altKey) return
  else if (key === ' ' && !target.matches('button, input[type=file]')) togglePlay()
  else if (key === 'x') listenTo(player.side === 'original' ? 'decoded' : 'original')
  else if ((key === 'delete' || key === 'backspace') && target.id === 'strip') editor.cut()
  else return
  event.preventDefault()
}

async function toggleRecording(): Promise<void> {
  const button = byId<HTMLButtonElement>('record')
  button.disabled = true
  try {
    if (microphone) {
      const running = microphone
      microphone = undefined
      byId('recording').hidden = true
      button.textContent = 'Record'
      await openRecording(() => running.stop())
      return
    }
    microphone = await openMicrophone((seconds, level) => {
      byId('recorded').textContent = showTime(seconds)
      byId<HTMLMeterElement>('level').value = level
      if (seconds >= MAX_SECONDS && microphone) void toggleRecording()
    })
    byId('recording').hidden = false
    button.textContent = 'Stop'
  } catch (error) {
    showError(error)
  } finally {
    button.disabled = false
    if (microphone) button.focus()
  }
}

async function fetchExample(): Promise<Recording> {
  const response = await fetch(new URL(EXAMPLE, document.baseURI))
  if (!response.ok) throw new Error(`the example cannot be fetched (HTTP ${response.status})`)
  return readRecording(await response.blob(), EXAMPLE)
}

function openFiles(files: readonly File[]): void {
  if (files.length === 0) return
  if (files.every(file => CHECKPOINT.test(file.name))) void loadModel(files)
  else if (TOKENS.test(files[0].name))
    void openTokens(files[0].name, async () => new Uint8Array(await files[0].arrayBuffer()))
  else void openRecording(() => readRecording(files[0], files[0].name))
}

function listen(): void {
  for (const id of ['file', 'model-file']) {
    const input = byId<HTMLInputElement>(id)
    input.addEventListener('change', () => {
      openFiles([...(input.files ?? [])])
      input.value = ''
    })
  }
  byId('example').addEventListener('click', () => void openRecording(fetchExample))
  byId('record').addEventListener('click', () => void toggleRecording())
  byId('play').addEventListener('click', togglePlay)
  byId('seek').addEventListener('input', event =>
    player.seek(Number((event.target as HTMLInputElement).value)),
  )
  byId('stage').addEventListener('keydown', stageKey)
  for (const input of document.querySelectorAll<HTMLInputElement>('input[name=side]'))
    input.addEventListener('change', () => listenTo(input.value as Side))
  for (const lane of document.querySelectorAll<HTMLElement>('.seekable'))
    lane.addEventListener('pointerdown', event => {
      const { left, width } = lane.getBoundingClientRect()
      player.seek(((event.clientX - left) / width) * lanes.seconds)
    })
}

function acceptDrops(): void {
  const mark = (isOver: boolean) => document.body.classList.toggle('dropping', isOver)
  document.addEventListener('dragover', event => {
    event.preventDefault()
    mark(true)
  })
  document.addEventListener('dragleave', event => {
    if (!event.relatedTarget) mark(false)
  })
  document.addEventListener('drop', event => {
    event.preventDefault()
    mark(false)
    openFiles([...(event.dataTransfer?.files ?? [])])
  })
}

function redraw(): void {
  if (!result) return
  lanes.draw()
  editor.draw()
}

/** A clip that came with the address. */
function openAddress(): void {
  const { hash } = location
  if (hash.startsWith(CLIP_HASH)) void openTokens('a clip from a link', () => fromHash(hash))
}

listen()
acceptDrops()
addEventListener('hashchange', openAddress)
new ResizeObserver(redraw).observe(byId('lanes'))
darkScheme.addEventListener('change', redraw)
listenTo('original')
void loadModel()
openAddress()

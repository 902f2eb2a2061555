import { byId } from './dom.js'

/** Work that is over before this shows no bar. */
const QUIET_MS = 250

/** Told how far a task is, 0 to 1; undefined where that is unknown. */
export type Tell = (label: string, share?: number) => void

const bar = byId('progress')
const meter = byId<HTMLProgressElement>('progress-meter')
const label = byId('progress-label')
const cancel = byId<HTMLButtonElement>('cancel')
const alert = byId('alert')
const alertText = byId('alert-text')
let running: AbortController | undefined

cancel.addEventListener('click', () => running?.abort())
byId('alert-close').addEventListener('click', clearError)

export function showError(error: unknown): void {
  alertText.textContent = (error as Error)?.message ?? String(error)
  alert.hidden = false
}

export function clearError(): void {
  alert.hidden = true
  alertText.textContent = ''
}

/**
 * Runs a task with a progress bar and a way to cancel it; a task under way is cancelled first. Errors are shown.
 *
 * @returns what the task gave; undefined where it failed or was cancelled
 */
export async function attempt<T>(
  task: (signal: AbortSignal, tell: Tell) => Promise<T>,
): Promise<T | undefined> {
  running?.abort()
  const controller = new AbortController()
  running = controller
  clearError()
  const start = performance.now()
  const tell: Tell = (text, share) => {
    if (running !== controller || performance.now() - start < QUIET_MS) return
    bar.hidden = false
    if (label.textContent !== text) label.textContent = text
    if (share === undefined) meter.removeAttribute('value')
    else meter.value = share
  }
  document.body.ariaBusy = 'true'
  try {
    return await task(controller.signal, tell)
  } catch (error) {
    if (!controller.signal.aborted) showError(error)
    return undefined
  } finally {
    if (running === controller) {
      running = undefined
      bar.hidden = true
      document.body.ariaBusy = 'false'
    }
  }
}

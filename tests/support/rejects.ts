import * as assert from 'uvu/assert'

/** Asserts that `call` rejects with an error of this class whose message matches. */
export async function rejects(
  call: () => Promise<unknown>,
  kind: new (...values: never[]) => Error,
  message: RegExp,
): Promise<void> {
  try {
    await call()
  } catch (error) {
    assert.instance(error, kind, String(error))
    assert.match((error as Error).message, message)
    return
  }
  assert.unreachable(`expected ${kind.name}`)
}

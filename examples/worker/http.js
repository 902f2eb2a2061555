// Bodies in and out, bounded: an isolate has 128 MB for all requests that it serves at the same time.

const MAX_BODY = 4 * 2 ** 20
const MAX_BODIES = 8 * 2 ** 20

/** An answer other than 200. */
export class BadRequest extends Error {
  constructor(status, message, headers) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

let held = 0

/** The request's body; 413 where it is too large, 503 while all bodies that are being received are too large together. */
export async function readBody(request) {
  const stated = Number(request.headers.get('content-length'))
  if (stated > MAX_BODY) throw tooLarge(`${stated} bytes`)
  if (!request.body) throw new BadRequest(400, 'the body is empty; see GET /')
  const chunks = []
  let length = 0
  try {
    for await (const chunk of request.body) {
      if (length + chunk.length > MAX_BODY) throw tooLarge('more')
      if (held + chunk.length > MAX_BODIES)
        throw new BadRequest(503, 'too many requests at the same time; try again', { 'retry-after': '1' })
      chunks.push(chunk)
      length += chunk.length
      held += chunk.length
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer())
  } finally {
    held -= length
  }
}

function tooLarge(size) {
  return new BadRequest(413, `the body has ${size}; at most ${MAX_BODY} bytes are taken`)
}

/** Pieces as a response's body. The first is awaited, so that what is wrong from the start is still answered with a status. */
export async function byteStream(pieces) {
  let next = await pieces.next()
  return new ReadableStream({
    async pull(controller) {
      if (next.done) return controller.close()
      controller.enqueue(next.value)
      next = await pieces.next()
    },
    cancel: () => pieces.return(),
  })
}

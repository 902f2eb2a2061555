// What workerd and the edge runtime run: each step of the smoke program is a request, its input the body.
import * as library from 'wavtok'
import { smokeSteps } from '../smoke.mjs'

let steps

export async function handle(request) {
  const { pathname, searchParams } = new URL(request.url)
  const body = new Uint8Array(await request.arrayBuffer())
  const name = pathname.slice(1)
  try {
    if (name === 'load')
      steps = smokeSteps(library, { model: body, deterministic: searchParams.has('deterministic') })
    return Response.json(await steps[name](body))
  } catch (error) {
    return new Response(error.stack, { status: 500 })
  }
}

// What Node, Deno and Bun run: process-main.mjs WAV relaxed|deterministic
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { runSmoke } from '../smoke.mjs'

const [file, build] = process.argv.slice(2)
const wav = new Uint8Array(readFileSync(file))
const result = await runSmoke(() => import('wavtok'), { wav, deterministic: build === 'deterministic' })
console.log(JSON.stringify(result))

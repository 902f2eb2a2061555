// Runs every tests/**/*.test.ts under uvu and closes with one line: `N passed, N failed`.
import { spawn } from 'node:child_process'

const pattern = process.argv[2] ?? '\\.test\\.ts$'
const uvu = spawn(process.execPath, ['--import', 'tsx', 'node_modules/uvu/bin.js', 'tests', pattern], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let output = ''
uvu.stdout.on('data', chunk => {
  output += chunk
  process.stdout.write(chunk)
})
uvu.on('close', code => {
  const count = (name: string) => Number(output.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1] ?? 0)
  const total = count('Total')
  const passed = count('Passed')
  const failed = Math.max(total - passed - count('Skipped'), code === 0 && total > 0 ? 0 : 1)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
})

// Writes docs/models.md from scripts/models-doc/rows.ts: npm run docs:models
import { writeFileSync } from 'node:fs'
import { modelsPage } from './models-doc/page.js'

writeFileSync(new URL('../docs/models.md', import.meta.url), modelsPage())

import { hex, LEVEL_SCALES } from '../../../plots/index.js'

/** Colours of systems, apart for eyes that see few colours too (Okabe and Ito, 2008), in the order of systems. */
const LIGHT = ['#0072b2', '#c04a00', '#007a5a', '#a3568a', '#7a6200', '#16202b']
const DARK = ['#56b4e9', '#e69f00', '#3cc79a', '#e08cc0', '#f0e442', '#eef1f2']
export const COLOURS = LIGHT.length

function theme(name: 'light' | 'dark', ink: string, soft: string, line: string, bar: string): string {
  const paper = hex(LEVEL_SCALES[name][0])
  const series = (name === 'light' ? LIGHT : DARK).map((colour, i) => `--s${i}:${colour}`).join(';')
  return `:root{--paper:${paper};--ink:${ink};--soft:${soft};--line:${line};--bar:${bar};${series}}`
}

const series = LIGHT.map((_, i) => `.s${i}{stroke:var(--s${i});fill:var(--s${i})}`).join('')

export const STYLE = `
:root{color-scheme:light dark}
${theme('light', '#16202b', '#5b6670', '#b9c2c9', '#2f5d7c')}
@media(prefers-color-scheme:dark){${theme('dark', '#eef1f2', '#98a4ad', '#46515b', '#8fc7c4')}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,sans-serif}
main{max-width:960px;margin:auto;padding:24px 16px}
h1{font-size:24px}h2{font-size:18px;margin-top:36px}h3{font-size:15px;margin:24px 0 8px}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:4px 12px 4px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child{text-align:left}
tbody th{font-weight:400}thead th{color:var(--soft);font-weight:500;vertical-align:bottom;white-space:normal}
figure{margin:0 0 28px}figcaption{margin-bottom:8px}
.panels{display:flex;flex-wrap:wrap;gap:8px 16px}.panels figure{margin:0}
svg,img{max-width:100%;height:auto;display:block}
.bar{fill:var(--bar)}.axis{stroke:var(--line)}
svg text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--ink);stroke:none}svg .soft{fill:var(--soft)}
${series}.join{fill:none}
.key{display:flex;flex-wrap:wrap;gap:4px 20px;padding:0;list-style:none}.key svg{display:inline-block;vertical-align:-1px;margin-right:6px}
`

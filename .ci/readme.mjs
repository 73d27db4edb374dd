// Puts the table of configuration variables into README.md: `npm run readme`. With --check it only says whether it is there.
import { readFileSync, writeFileSync } from 'node:fs'
import { configurationTable } from '../dist/commands/config.js'

const file = new URL('../README.md', import.meta.url)
const text = readFileSync(file, 'utf8')
const written = text.replace(/(<!-- config -->\n).*?(<!-- \/config -->)/s, (_, start, end) => `${start}${configurationTable()}${end}`)
if (written !== text) {
  if (process.argv.includes('--check')) throw new Error('The configuration table in README.md is not up to date: npm run readme')
  writeFileSync(file, written)
}

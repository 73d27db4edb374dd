import { existsSync } from 'node:fs'

/** The Chromium or Chrome that tests open pages with. */
export const chromiumPath = process.env['CHROMIUM'] || '/usr/bin/chromium'

/** Whether there is one. At the end of a run without it a line says how many tests were left out, and how to run them. */
export const hasChromium = existsSync(chromiumPath)

/** Chromium without what it does for itself; no name but this machine's leads anywhere. */
export const chromiumOptions = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]

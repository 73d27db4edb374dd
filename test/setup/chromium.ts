import { existsSync } from 'node:fs'

/** The Chromium or Chrome that tests open pages with. */
export const chromiumPath = process.env['CHROMIUM'] || '/usr/bin/chromium'

/** Whether there is one. At the end of a run without it a line says how many tests were left out, and how to run them. */
export const hasChromium = existsSync(chromiumPath)

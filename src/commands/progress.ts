import type { Terminal } from './terminal.ts'

/** Says on standard error how far a piece of work is. */
export type Progress = Readonly<{ update: (done: number) => void; finish: () => void }>

const barWidth = 30

/** Draws a bar where a line can be written over, and elsewhere writes a line for each tenth. */
export function createProgress({ printError, isInteractive }: Terminal, total: number): Progress {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const rate = (done: number) => number(done / Math.max(seconds(), 0.001))
  let tenths = 0
  const update = (done: number): void => {
    const filled = Math.floor((done / total) * barWidth)
    const text = `${number(done)} of ${number(total)} users, ${rate(done)} a second`
    const isNextTenth = Math.floor((done / total) * 10) > tenths
    tenths = Math.floor((done / total) * 10)
    if (isInteractive) printError(`\r${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}  ${text}\x1b[K`)
    else if (isNextTenth) printError(`${text}\n`)
  }
  const finish = () =>
    printError(`${isInteractive ? '\n' : ''}${number(total)} users in ${seconds().toFixed(1)} s: ${rate(total)} a second\n`)
  return { update, finish }
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

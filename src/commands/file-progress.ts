import type { JobProblem } from '../domain/job/save-job.ts'
import type { ImportState } from '../domain/transfer/import-parts.ts'
import type { Terminal } from './terminal.ts'

/** Says on standard error how far an import is, and on standard output what it refuses. */
export type FileProgress = Readonly<{
  update: (state: ImportState, problems: readonly JobProblem[]) => void
  finish: (state: ImportState, isTrial: boolean) => void
}>

const barWidth = 30

/** Draws a bar where a line can be written over, and elsewhere writes a line for each tenth. */
export function createFileProgress({ print, printError, isInteractive }: Terminal, totalBytes: number): FileProgress {
  const startedAt = performance.now()
  const seconds = () => Math.max((performance.now() - startedAt) / 1000, 0.001)
  let tenths = 0
  const rate = ({ processed }: ImportState) => number(processed / seconds())
  return {
    update: (state, problems) => {
      for (const { line, code, path, message } of problems) print(`${line}\t${code}\t${path ?? ''}\t${message}\n`)
      const part = totalBytes === 0 ? 1 : Math.min(1, state.checkpoint.bytes / totalBytes)
      const text = `${number(state.processed)} records, ${Math.floor(part * 100)} %, ${rate(state)} a second`
      const filled = Math.floor(part * barWidth)
      const isNextTenth = Math.floor(part * 10) > tenths
      tenths = Math.floor(part * 10)
      if (isInteractive) printError(`\r${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}  ${text}\x1b[K`)
      else if (isNextTenth) printError(`${text}\n`)
    },
    finish: (state, isTrial) => {
      const { processed, inserted, updated, skipped, failed } = state
      const counts = [
        `${number(processed)} records in ${seconds().toFixed(1)} s`,
        `${number(inserted)} ${isTrial ? 'would be ' : ''}inserted`,
        `${number(updated)} ${isTrial ? 'would be ' : ''}updated`,
        `${number(skipped)} as they were`,
        `${number(failed)} refused`,
      ]
      printError(`${isInteractive ? '\n' : ''}${counts.join(', ')}: ${rate(state)} a second\n`)
    },
  }
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

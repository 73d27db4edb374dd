import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { inject, onTestFinished } from 'vitest'

const builds = new Map<'shared', string>()

/** A folder with the sources built into `dist`, for tests that need processes of their own. */
export function builtSources(): string {
  const known = builds.get('shared')
  if (known !== undefined) return known
  const folder = temporaryFolder()
  for (const name of ['prisma', 'node_modules', 'package.json']) symlinkSync(resolve(name), join(folder, name))
  const compiler = [resolve('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--noCheck']
  execFileSync(process.execPath, [...compiler, '--outDir', join(folder, 'dist')])
  const bundler = [resolve('node_modules/rolldown/bin/cli.mjs'), '--config', '--logLevel', 'silent']
  execFileSync(process.execPath, [...bundler, '--dir', join(folder, 'dist')], { stdio: ['ignore', 'ignore', 'inherit'] })
  builds.set('shared', folder)
  return folder
}

/** A new folder that goes when the test ends. */
export function testFolder(): string {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new folder that goes when the run ends. */
export function temporaryFolder(): string {
  return mkdtempSync(join(inject('folder'), 'test-'))
}

/** A process of the built sources, and what it says. */
export type Program = Readonly<{
  pid: number
  /** The lines it has written to standard output. */
  lines: readonly string[]
  /** Waits for a line that begins so. */
  line: (start: string) => Promise<string>
  kill: (signal: NodeJS.Signals) => void
  exited: Promise<number | null>
}>

/** Runs a module, whose imports are relative to `dist`, in a process of its own; it is killed when the test ends. */
export function runProgram(source: string): Program {
  const file = join(builtSources(), `program-${Math.random().toString(36).slice(2)}.mjs`)
  writeFileSync(file, source)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const check of waiting) check()
  })
  const exited = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
  const line = (start: string) =>
    new Promise<string>((found, failed) => {
      const check = () => {
        const match = lines.find((text) => text.startsWith(start))
        if (match !== undefined) found(match)
      }
      waiting.add(check)
      check()
      void exited.then(() => failed(new Error(`the process ended without "${start}", after: ${lines.join(' | ')}`)))
    })
  return { pid: child.pid ?? 0, lines, line, kill: (signal) => void child.kill(signal), exited }
}

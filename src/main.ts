#!/usr/bin/env node
import module from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StopRequest } from './commands/terminal.ts'

const leastNode = [20, 19] as const

/** Whether this Node can run Roster. What needs more than an old Node has is loaded only after that is known. */
function isNodeRecent(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])
}

/**
 * Resolves when the process is asked to stop, or when an error that nobody caught leaves it in an unknown state. A second signal
 * ends it at once.
 */
function stopRequested(): Promise<StopRequest> {
  return new Promise((resolve) => {
    let isStopping = false
    const onSignal = (signal: string) => {
      if (isStopping) process.exit(1)
      isStopping = true
      resolve({ signal })
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
    process.on('uncaughtException', (error) => resolve({ error })).on('unhandledRejection', (error) => resolve({ error }))
  })
}

/**
 * Lets Node keep what it has compiled beside the code, and find it at the next start: a sixth of the time to the first answer. An older
 * Node cannot, and where the directory may not be written nothing is kept. Node's own place for it, in the directory that all users of
 * a machine share for temporary files, is not used: whoever owns a file there would be believed.
 */
function keepCompiledCode(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (directory: string) => void }
  enableCompileCache?.(fileURLToPath(new URL('compiled', import.meta.url)))
}

/** What to type to run this file again: what npm has installed goes by its name. */
function command(path: string): string {
  if (path.includes('node_modules') || !path.endsWith('.js')) return 'npx roster'
  const fromHere = relative(process.cwd(), path)
  return `node ${fromHere.startsWith('..') ? path : fromHere}`
}

async function main(): Promise<void> {
  if (!isNodeRecent()) {
    process.stderr.write(`Roster needs Node ${leastNode.join('.')} or later; this is ${process.versions.node}.\n`)
    process.exitCode = 2
    return
  }
  keepCompiledCode()
  const { runCommandLine } = await import('./cli.ts')
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    environment: process.env,
    command: command(process.argv[1] ?? ''),
    print: (text) => void process.stdout.write(text),
    printError: (text) => void process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true,
    stopRequested,
  })
}

await main()

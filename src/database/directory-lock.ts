import { createHash, randomUUID } from 'node:crypto'
import { closeSync, fstatSync, futimesSync, linkSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DirectoryInUseError } from './errors.ts'
import { isRunning, type Process, thisProcess, type Visibility } from './process-identity.ts'

/** A data directory that no other process uses meanwhile. */
export type DirectoryLock = Readonly<{ release: () => void }>

/** A lock's text: who holds it, and a token, so that no two locks have the same text. */
type Owner = Process & Readonly<{ token: string }>

const heartbeatMs = 2000

/** How long a process that cannot be seen from here, in another container or on another host, may be silent before it counts as dead. */
const silenceMs = 15_000

/**
 * Takes the data directory for this process, by the file `lock` in it. A lock whose process has died is taken over; of
 * several that try, one succeeds. `onLost` is called, once, when somebody else takes it, because this process was stopped for long.
 *
 * @throws {DirectoryInUseError} when another process holds it
 */
export function lockDirectory(directory: string, onLost: () => void): DirectoryLock {
  const path = join(directory, 'lock')
  const owner: Owner = { ...thisProcess(), token: randomUUID() }
  take(path, owner, directory)
  const file = openSync(path, 'r+')
  const holds = () => statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(file).ino
  const heartbeat = setInterval(() => {
    if (!holds()) {
      clearInterval(heartbeat)
      return onLost()
    }
    futimesSync(file, new Date(), new Date())
  }, heartbeatMs)
  heartbeat.unref()
  const release = () => {
    clearInterval(heartbeat)
    if (holds()) rmSync(path, { force: true })
    closeSync(file)
  }
  return { release }
}

/** Makes the lock, or takes over that of a dead process. The file appears with its text in it: a link is made at once or not at all. */
function take(path: string, owner: Owner, directory: string): void {
  const own = `${path}.${owner.token}`
  writeFileSync(own, JSON.stringify(owner), { flag: 'wx', mode: 0o600 })
  try {
    while (!link(own, path)) {
      const held = read(path)
      if (held === null) continue
      const silentMs = statSync(own).mtimeMs - held.mtimeMs
      if (isHeld(held.text, silentMs)) throw inUse(directory, parse(held.text), silentMs)
      if (replace(path, held.text, own, owner, directory)) return
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/**
 * Puts the own lock in the place of a dead one, when it is still there. Who does that holds a second lock, named after the
 * dead one's text, meanwhile: else the slower of two would replace the living lock of the faster. It is taken over likewise.
 */
function replace(path: string, deadText: string, own: string, owner: Owner, directory: string): boolean {
  const guard = `${path}.${createHash('sha256').update(deadText).digest('hex').slice(0, 16)}`
  take(guard, owner, directory)
  try {
    if (read(path)?.text !== deadText) return false
    renameSync(own, path)
    return true
  } finally {
    rmSync(guard, { force: true })
  }
}

function link(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Answers null when the lock has been released. */
function read(path: string): { text: string; mtimeMs: number } | null {
  try {
    return { text: readFileSync(path, 'utf8'), mtimeMs: statSync(path).mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** A text that is no lock's comes from a disk that was full, or a machine that stopped: nobody holds it for long. */
function isHeld(text: string, silentMs: number): boolean {
  const owner = parse(text)
  const visibility: Visibility = owner === null ? 'hidden' : isRunning(owner)
  return visibility === 'hidden' ? silentMs < silenceMs : visibility === 'running'
}

function parse(text: string): Process | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'pid' in value ? (value as Process) : null
  } catch {
    return null
  }
}

function inUse(directory: string, owner: Process | null, silentMs: number): DirectoryInUseError {
  const who = owner === null ? 'another process' : `process ${owner.pid} on host ${owner.hostname}`
  const hidden = owner === null || isRunning(owner) === 'hidden'
  const wait = hidden ? ` If it is gone, start again in ${Math.ceil((silenceMs - Math.max(0, silentMs)) / 1000)} seconds.` : ''
  return new DirectoryInUseError(
    `The data directory ${directory} is in use by ${who}. Stop it first, or set ROSTER_DATA_DIR to another.${wait}`,
  )
}

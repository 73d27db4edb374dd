import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** What tells a process from every other, before and after: process ids are used again, in containers at each start. */
export type Process = Readonly<{
  pid: number
  hostname: string
  /** The kernel's boot and the namespace that the process id counts in; null where the system does not tell. */
  space: string | null
  /** When the process started, in a unit of the system's own; null where the system does not tell. */
  startedAt: string | null
}>

/** `hidden`: the process, if there is one, counts in a space that cannot be seen from here. */
export type Visibility = 'running' | 'dead' | 'hidden'

/** Describes the process that asks. */
export function thisProcess(): Process {
  return { pid: process.pid, hostname: hostname(), space: currentSpace(), startedAt: startOf(process.pid) }
}

/** Whether a process described earlier, perhaps elsewhere, still runs. */
export function isRunning({ pid, hostname: host, space, startedAt }: Process): Visibility {
  if (space !== currentSpace() || (space === null && host !== hostname())) return 'hidden'
  if (!exists(pid)) return 'dead'
  const start = startOf(pid)
  return start === null || startedAt === null || start === startedAt ? 'running' : 'dead'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function currentSpace(): string | null {
  return tryRead(() => `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`)
}

/** proc(5), /proc/pid/stat: field 3 is the state, Z or X for a process that has ended; field 22 is the start in ticks since boot. */
function startOf(pid: number): string | null {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (stat === null) return null
  // The second field is the program's name in parentheses, and may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return /^[ZX]$/.test(fields[0] ?? '') ? 'ended' : (fields[19] ?? null)
}

function tryRead(read: () => string): string | null {
  try {
    return read()
  } catch {
    return null
  }
}

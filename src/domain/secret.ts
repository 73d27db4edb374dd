import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { ConfigError } from '../config-error.ts'
import { createPrivateFile, readPrivateFile } from '../ports/private-file.ts'

/**
 * What seals secrets at rest: ROSTER_SECRET, or in development a secret of 256 bits that is made once and kept in the data
 * directory, in a file only its owner can read.
 * @throws {ConfigError} in production without one, and when that file is damaged
 */
export function loadSecret({ mode, secret, dataDir }: Pick<Config, 'mode' | 'secret' | 'dataDir'>): string {
  if (secret !== null) return secret
  if (mode === 'production') throw new ConfigError(['In production, set ROSTER_SECRET.'])
  const path = join(dataDir, 'secret')
  const kept = readPrivateFile(path)
  if (kept === null) {
    createPrivateFile(path, randomBytes(32).toString('base64url'))
    return loadSecret({ mode, secret, dataDir })
  }
  if (kept.length < 32) throw new ConfigError([`${path} is damaged: it holds fewer than 32 characters. Restore it, or set ROSTER_SECRET.`])
  return kept
}

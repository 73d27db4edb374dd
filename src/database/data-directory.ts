import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseStartError } from './errors.ts'

/** The major version of PostgreSQL that PGlite is: the files of another one cannot be read. */
const clusterVersion = '18'

/** A new database takes 40 MB. */
const leastFreeBytes = 100_000_000

/** Makes the data directory, for its owner's eyes only. @throws {DatabaseStartError} when it cannot be made, or is somebody else's */
export function makeDataDirectory(dataDir: string): string {
  const directory = resolve(dataDir)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (existsSync(join(directory, 'PG_VERSION')))
    throw new DatabaseStartError(
      `${directory} is the directory of a PostgreSQL server. Set DATABASE_URL to use that, or ROSTER_DATA_DIR to another.`,
    )
  return directory
}

/**
 * Finds the database's files in a locked data directory, or has them made. They are made beside their place and moved there
 * when they are whole: what is in its place has been whole once and is never made again, and what a killed start left beside
 * it has held nothing.
 *
 * @throws {DatabaseStartError} when what is there is no database, or one of another version
 */
export async function prepareCluster(directory: string, make: (path: string) => Promise<void>): Promise<string> {
  const cluster = join(directory, 'pgdata')
  if (!isEmpty(cluster)) {
    checkCluster(cluster)
    return cluster
  }
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < leastFreeBytes) throw new DatabaseStartError(`There is no space left for a database in ${directory}.`)
  const unfinished = join(directory, 'pgdata.new')
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  await make(unfinished)
  renameSync(unfinished, cluster)
  return cluster
}

function isEmpty(path: string): boolean {
  return !existsSync(path) || readdirSync(path).length === 0
}

function checkCluster(path: string): void {
  const versionFile = join(path, 'PG_VERSION')
  if (!existsSync(versionFile))
    throw new DatabaseStartError(
      `${path} holds something that is no database of Roster's. Move it away, or set ROSTER_DATA_DIR to another directory.`,
    )
  const version = readFileSync(versionFile, 'utf8').trim()
  if (version !== clusterVersion)
    throw new DatabaseStartError(
      `${path} is a database of PostgreSQL ${version}, and this Roster reads version ${clusterVersion}. Start the Roster that made it.`,
    )
}

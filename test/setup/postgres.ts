import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The run's own PostgreSQL database; null: PGlite in memory. */
    databaseUrl: string | null
    /** Where the run's files go; it goes with the run. */
    folder: string
  }
}

/** Makes a folder for the run, and a database beside the one that TEST_DATABASE_URL names; both go when the run ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'roster-test-'))
  project.provide('folder', folder)
  const dropDatabase = await makeDatabase(project, process.env['TEST_DATABASE_URL'] || null)
  return async () => {
    rmSync(folder, { recursive: true, force: true })
    await dropDatabase()
  }
}

async function makeDatabase(project: TestProject, server: string | null): Promise<() => Promise<void>> {
  if (server === null) {
    project.provide('databaseUrl', null)
    return async () => {}
  }
  const name = `roster_test_${randomBytes(6).toString('hex')}`
  await run(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = name
  project.provide('databaseUrl', url.href)
  return () => run(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

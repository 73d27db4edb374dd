// What separates the migrations from schema.prisma, as SQL; nothing when they agree. `npm run migration:diff` prints it, to
// author a migration from, and a test holds it empty. It runs Prisma's own engine on a scratch PGlite.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { PrismaPGlite } from 'pglite-prisma-adapter'

const here = dirname(fileURLToPath(import.meta.url))

/** The SQL that would bring a database with all migrations to schema.prisma; an empty string where they agree. */
export async function diff() {
  const pglite = await PGlite.create({ extensions: { pg_trgm } })
  try {
    for (const name of migrationNames()) await pglite.exec(readFileSync(join(here, 'migrations', name, 'migration.sql'), 'utf8'))
    const path = join(here, 'schema.prisma')
    const files = [{ path, content: readFileSync(path, 'utf8') }]
    const engine = await schemaEngine(files, pglite)
    const result = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: here },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
      shadowDatabaseUrl: null,
    })
    engine.free()
    return result.exitCode === 0 ? '' : (result.stdout ?? '')
  } finally {
    await pglite.close()
  }
}

function migrationNames() {
  return readdirSync(join(here, 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/** The package is made for bundlers that load WebAssembly by `import`; Node does not, so it is put together by hand. */
async function schemaEngine(files, pglite) {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const module = new WebAssembly.Module(readFileSync(join(folder, 'schema_engine_bg.wasm')))
  const instance = new WebAssembly.Instance(module, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(pglite))
  return bindings.SchemaEngine.new({ datamodels: files.map(({ path, content }) => [path, content]) }, () => {}, adapter)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(await diff())

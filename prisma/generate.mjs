// Generates src/generated: Prisma's client and Pothos' types from schema.prisma, and what the migrations make. The first two are what
// `prisma generate` does, without the `prisma` package: that brings a hundred megabytes of tools, and downloads an engine from a host
// that is not npm's.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { generateCatalogue } from './catalogue.mjs'
import { generateModels } from './models.mjs'

// These packages' ES modules cannot be imported by Node.
const require = createRequire(import.meta.url)
const { getGenerators, loadSchemaContext } = require('@prisma/internals')
const { PrismaClientTsGenerator } = require('@prisma/client-generator-ts')
const { enginesVersion } = require('@prisma/engines-version')

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

const generators = await getGenerators({
  schemaContext: await loadSchemaContext({ schemaPath: { cliProvidedPath: path('schema.prisma') }, printLoadMessage: false }),
  registry: {
    'prisma-client': { type: 'in-process', generator: new PrismaClientTsGenerator() },
    'prisma-pothos-types': { type: 'rpc', generatorPath: path('../node_modules/@pothos/plugin-prisma/bin/generator.js'), isNode: true },
  },
  version: enginesVersion,
  skipDownload: true,
  cliCommand: 'generate',
})
for (const generator of generators) {
  await generator.generate()
  generator.stop()
}
generateModels(generators[0].options.dmmf)
await generateCatalogue()

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { codegen } from '@graphql-codegen/core'
import * as typedDocumentNode from '@graphql-codegen/typed-document-node'
import * as typescript from '@graphql-codegen/typescript'
import * as typescriptOperations from '@graphql-codegen/typescript-operations'
import { parse } from 'graphql'
import { GraphQLClient, type RequestDocument } from 'graphql-request'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { boot } from '../harness.ts'

/** The folder of a project that uses Roster: the generated code, and code that uses it. */
const project = mkdtempSync(join(tmpdir(), 'roster-codegen-'))

beforeAll(async () => {
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ extends: resolve('tsconfig.json'), include: ['*.ts'] }))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(project, 'graph.ts'), await generate())
})
afterAll(() => rmSync(project, { recursive: true }))

/** What `graphql-codegen` does with these plugins and this configuration. */
function generate(): Promise<string> {
  return codegen({
    filename: 'graph.ts',
    schema: parse(readFileSync('schema.graphql', 'utf8')),
    documents: [{ location: 'operations.graphql', document: parse(readFileSync('test/clients/operations.graphql', 'utf8')) }],
    plugins: [{ typescript: {} }, { typescriptOperations: {} }, { typedDocumentNode: {} }],
    pluginMap: { typescript, typescriptOperations, typedDocumentNode },
    config: {
      strictScalars: true,
      useTypeImports: true,
      enumsAsTypes: true,
      scalars: {
        DateTime: 'string',
        Duration: 'string',
        EmailAddress: 'string',
        JSON: 'unknown',
        JSONObject: 'Record<string, unknown>',
        PhoneNumber: 'string',
        URL: 'string',
      },
    },
  })
}

const imports = `
  import { request } from 'graphql-request'
  import * as graph from './graph.ts'
  export const url = 'http://localhost:4000/graphql'
  export { graph, request }
`

/** Compiles the generated code together with a file that uses it, and answers what the compiler has to say. */
function compile(source: string): string[] {
  writeFileSync(join(project, 'use.ts'), `${imports}\n${source}`)
  const { stdout } = spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '--pretty', 'false'], { cwd: project })
  return stdout.toString().match(/^.*error TS.*$/gm) ?? []
}

test('typed operations compile where they are used rightly', () => {
  const problems = compile(`
    export async function use(): Promise<readonly string[]> {
      const { me } = await request(url, graph.MeDocument)
      const locale: unknown = me?.userMetadata['locale']
      const where: graph.UserWhere = {
        or: [{ email: { contains: '@example.com' } }, { userMetadata: [{ path: '/plan', in: ['pro', 7, null] }] }],
        createdAt: { gte: '2026-01-01T00:00:00Z' },
        status: ['ACTIVE'],
      }
      const { users } = await request(url, graph.FindUsersDocument, { where, orderBy: [{ field: 'EMAIL', direction: 'ASC' }] })
      const total: number = users.totalCount
      const { user } = await request(url, graph.UserByDocument, { by: { identity: { provider: 'password', providerUserId: '1' } } })
      const { updateUser } = await request(url, graph.UpdateUserDocument, { input: { userMetadata: { locale }, profile: null } })
      const conflicts = updateUser.errors.map((error) => error.__typename === 'VersionConflict' ? String(error.currentVersion) : error.code)
      return [...users.edges.map(({ node }) => node.profile.name ?? node.id), user?.history.nodes[0]?.at ?? '', String(total), ...conflicts]
    }
  `)

  expect(problems).toEqual([])
})

test.each([
  ['a variable of the wrong type', 'await request(url, graph.FindUsersDocument, { first: "ten" })', 'TS2769|TS2322'],
  ['a filter that does not exist', 'export const where: graph.UserWhere = { emial: { eq: "ada@example.com" } }', 'TS2353|TS2561'],
  ['a key in two ways', 'export const by: graph.UserBy = { id: "1", email: "ada@example.com" }', 'TS2322'],
  ['a field that was not asked for', 'export const name = (await request(url, graph.MeDocument)).me?.appMetadata', 'TS2339'],
  ['a value that may be null', 'export const email: string = (await request(url, graph.MeDocument)).me!.email', 'TS2322'],
])('%s does not compile', (_what, source, code) => {
  const problems = compile(source)

  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(new RegExp(`^use\\.ts.*error (${code}):`))
})

test('a typed document runs as it is', async () => {
  const harness = await boot()
  await harness.reset()
  const { id, token } = await harness.aUser({ email: 'ada@example.com', profile: { name: 'Ada' }, userMetadata: { theme: 'dark' } })
  const { MeDocument } = (await import(pathToFileURL(join(project, 'graph.ts')).href)) as { MeDocument: RequestDocument }
  const client = new GraphQLClient(`${harness.url}/graphql`, { headers: { authorization: `Bearer ${token}` } })

  expect(await client.request(MeDocument)).toEqual({
    me: {
      id,
      email: 'ada@example.com',
      status: 'ACTIVE',
      profile: { name: 'Ada', picture: null },
      createdAt: expect.stringMatching(/Z$/),
      userMetadata: { theme: 'dark' },
      identities: [],
    },
  })
})

import { execute, parse } from 'graphql'
import { beforeAll, expect, test } from 'vitest'
import { createContext } from '../src/context.ts'
import { createOperationRunner } from '../src/graphql/operation.ts'
import { Ending } from '../src/ports/ending.ts'
import { statements } from './database.ts'
import { boot, type Harness, type Person } from './harness.ts'

let roster: Harness
let ada: Person

beforeAll(async () => {
  roster = await boot()
  ada = await roster.aUser({ email: 'ada@example.com' })
})

/** The second list is none that is read with the user: it is asked for when its field begins. */
const document = parse('{ me { id first: sessions(first: 1) { nodes { id } } second: sessions(first: 2) { nodes { id } } } }')

test('when nobody waits for a query any more, no further field of it is begun', async () => {
  const ending = new Ending()
  const over = new Error('over')
  const { answer, sent } = await asked(ending, () => ending.abort(over))

  expect(answer.errors?.map(({ originalError }) => originalError)).toContain(over)
  expect(sent).toEqual([])
})

test('while somebody waits for it, all of them are', async () => {
  const { answer, sent } = await asked(new Ending(), () => {})

  expect(answer.errors).toBeUndefined()
  expect(sent.join()).toContain('sessions')
})

test('when nobody waits any more once it is known who calls, nothing is begun', async () => {
  const ending = new Ending()
  const run = createOperationRunner(roster.app, roster.app.schema)
  const { result } = await run(
    { query: '{ me { id } }', variables: {}, operationName: null },
    {
      requestId: 'a request',
      ending,
      createContext: async (counts) => {
        const context = await createContext(roster.app, origin(), counts, ending)
        ending.abort(new Error('over'))
        statements.length = 0
        return context
      },
    },
  )

  expect(result.errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['SERVICE_UNAVAILABLE'])
  expect(statements).toEqual([])
})

const origin = () => ({ authorization: `Bearer ${ada.token}`, ip: null, userAgent: null, requestId: null })

/** What is answered, and sent to the database once the user is read; `onRead` is called then. */
async function asked(ending: Ending, onRead: () => void) {
  const context = await createContext(roster.app, origin(), 0, ending)
  const { database } = roster.app
  const findFirst: typeof database.users.findFirst = async (args) => {
    const user = await database.users.findFirst(args)
    statements.length = 0
    onRead()
    return user
  }
  const app = { ...roster.app, database: { ...database, users: { ...database.users, findFirst } } }
  const answer = await execute({ schema: roster.app.schema, document, contextValue: { ...context, app } })
  return { answer, sent: [...statements] }
}

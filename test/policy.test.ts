import {
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemScope } from '../src/app.ts'
import { defaultBudgets } from '../src/domain/budget.ts'
import { change } from '../src/domain/change.ts'
import { newId } from '../src/domain/id.ts'
import { insertJob } from '../src/domain/job/create-job.ts'
import { type PermissionScope, permissionScopes } from '../src/domain/principal.ts'
import { type Access, accessOf, isRestricted } from '../src/graphql/access.ts'
import { type Answer, boot, type Harness, type Person } from './harness.ts'
import { sample } from './sample.ts'

type Caller = Readonly<{ name: string; token: string | null; userId: string | null; scopes: readonly PermissionScope[] }>

let harness: Harness
let subject: Person
let callers: Caller[]
let nodeIds: Readonly<Record<string, string>>

beforeAll(async () => {
  harness = await boot({
    RATE_LIMITS: Object.keys(defaultBudgets)
      .map((name) => `${name}=99999/60`)
      .join(),
  })
})

beforeEach(async () => {
  await harness.reset()
  subject = await harness.aUser({
    email: 'subject@example.com',
    password: 'a long password',
    profile: { name: 'Subject' },
    appMetadata: { plan: 'pro' },
  })
  const other = await harness.aUser({ email: 'other@example.com' })
  callers = [
    { name: 'anonymous', token: null, userId: null, scopes: [] },
    { name: 'the user', token: subject.token, userId: subject.id, scopes: [] },
    { name: 'another user', token: other.token, userId: other.id, scopes: [] },
    ...(await Promise.all(
      permissionScopes.map(async (scope) => ({ name: scope, token: await harness.adminToken(scope), userId: null, scopes: [scope] })),
    )),
  ]
  nodeIds = await rowIds()
})

/** A row of each type with an id, all of them the subject's. */
async function rowIds(): Promise<Record<string, string>> {
  const { prisma } = harness.app.database
  const where = { userId: subject.id }
  const [identity, session, event, token] = await Promise.all([
    prisma.identity.findFirstOrThrow({ where }),
    prisma.session.findFirstOrThrow({ where }),
    prisma.auditEvent.findFirstOrThrow({ where }),
    prisma.adminToken.findFirstOrThrow(),
  ])
  return {
    User: subject.id,
    Identity: identity.id,
    Session: session.id,
    AuditEvent: event.id,
    AdminToken: token.id,
    Connection: await aConnection(),
    Job: await aJob(),
  }
}

/** An import that has refused a record. */
async function aJob(): Promise<string> {
  const scope = systemScope(harness.app)
  const { jobId } = await change(scope, 'job.created', (tx) => insertJob(tx, { kind: 'IMPORT', input: {} }))
  const problem = { id: newId(), jobId, line: 1, code: 'INVALID_FORMAT', message: 'It is not.' }
  await harness.app.database.prisma.jobError.create({ data: problem })
  return jobId
}

async function aConnection(): Promise<string> {
  const { createConnection } = (await harness.admin(
    'mutation { createConnection(input: { key: "google", strategy: GOOGLE, clientId: "roster" }) { connection { id } } }',
  )) as { createConnection: { connection: { id: string } } }
  return createConnection.connection.id
}

describe('every output field', () => {
  test('is answered to those it is declared for, and to nobody else', async () => {
    const probes = outputProbes()
    const mismatches: string[] = []
    for (const caller of callers)
      for (const chunk of requests(probes)) {
        const answer = await harness.run(`{ ${chunk.map((probe, index) => `p${index}: ${document(probe)}`).join(' ')} }`, {
          token: caller.token,
        })
        chunk.forEach((probe, index) => {
          const expected = outcome(probe, caller)
          const actual = outputOutcome(answer, `p${index}`)
          if (actual !== expected)
            mismatches.push(`${caller.name} ${probe.steps.map(({ field }) => field.name).join('.')}: ${actual}, declared ${expected}`)
        })
      }

    expect(mismatches).toEqual([])
    expect(probes.length).toBeGreaterThan(100)
  }, 120_000)

  test('is out of reach of a user who is blocked, whatever it is', async () => {
    await harness.admin(`mutation { blockUser(input: { id: "${subject.id}" }) { errors { message } } }`)

    for (const chunk of requests(outputProbes())) {
      const { status, errors, data } = await harness.run(`{ ${chunk.map((probe, index) => `p${index}: ${document(probe)}`).join(' ')} }`, {
        token: subject.token,
      })
      expect({ status, codes: errors?.map(({ extensions }) => extensions?.['code']), data }).toEqual({
        status: 401,
        codes: ['UNAUTHENTICATED'],
        data: undefined,
      })
    }
  })
})

describe('every input', () => {
  test('of a mutation is taken from those it is declared for; from anybody else it refuses the whole mutation, and is named', async () => {
    const mismatches: string[] = []
    for (const caller of callers)
      for (const mutation of Object.values(harness.app.schema.getMutationType()?.getFields() ?? {}))
        for (const field of inputFields(mutation)) {
          const goesTo = target(mutation)
          const input = {
            ...(sample(argumentType(mutation)) as object),
            ...goesTo,
            [field.name]: goesTo[field.name] ?? sample(field.type),
          }
          const before = await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id: subject.id } })
          const answer = await harness.run(
            `mutation M($input: ${argumentType(mutation)}) { ${mutation.name}(input: $input) { errors { code } } }`,
            { token: caller.token, variables: { input } },
          )
          const owner = ownerOf(mutation.name, caller)
          const refused = inputFields(mutation).find(({ name, ...sent }) => name in input && !may(accessOf(sent), caller, owner)) ?? field
          const expected = inputOutcome(accessOf(mutation), accessOf(refused), caller, owner, `input.${refused.name}`)
          const actual = refusalOf(answer)
          if (actual !== expected) mismatches.push(`${caller.name} ${mutation.name}.${field.name}: ${actual}, declared ${expected}`)
          if (expected !== 'taken')
            expect(await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id: subject.id } })).toEqual(before)
        }

    expect(mismatches).toEqual([])
  }, 240_000)

  test('that there is none of is held to its mutation', async () => {
    const without = Object.values(harness.app.schema.getMutationType()?.getFields() ?? {}).filter(({ args }) => args.length === 0)
    const mismatches: string[] = []
    for (const caller of callers)
      for (const mutation of without) {
        const answer = await harness.run(`mutation { ${mutation.name} { errors { code } } }`, { token: caller.token })
        const code = caller.token === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'
        const expected = may(accessOf(mutation), caller, caller.userId) ? 'taken' : code
        const actual = refusalOf(answer)
        if (actual !== expected) mismatches.push(`${caller.name} ${mutation.name}: ${actual}, declared ${expected}`)
      }

    expect(mismatches).toEqual([])
    expect(without.map(({ name }) => name)).toContain('requestReauthentication')
  })

  test('of a filter or an order that names what the caller may not read is forbidden', async () => {
    const users = harness.app.schema.getQueryType()?.getFields()['users']
    const where = harness.app.schema.getType('UserWhere')
    if (!users || !isInputObjectType(where)) throw new Error('the graph has no users')
    const mismatches: string[] = []
    for (const caller of callers)
      for (const field of Object.values(where.getFields())) {
        const answer = await harness.run('query Q($where: UserWhere) { users(first: 1, where: $where) { totalCount } }', {
          token: caller.token,
          variables: { where: { [field.name]: sample(field.type) } },
        })
        const expected = inputOutcome(accessOf(users), accessOf(field), caller, null, `where.${field.name}`)
        const actual = refusalOf(answer)
        if (actual !== expected) mismatches.push(`${caller.name} where.${field.name}: ${actual}, declared ${expected}`)
      }

    expect(mismatches).toEqual([])
  }, 60_000)

  test('reads in a filter what its own field may be read by', () => {
    const where = harness.app.schema.getType('UserWhere')
    const user = harness.app.schema.getType('User')
    if (!isInputObjectType(where) || !isObjectType(user)) throw new Error('the graph has no users')
    const unlike = Object.values(where.getFields()).filter((field) => {
      const output = user.getFields()[field.name]
      return output !== undefined && accessOf(output).scopes.join() !== accessOf(field).scopes.join() && field.name !== 'id'
    })

    expect(unlike.map(({ name }) => name)).toEqual([])
  })

  test('of a search is held to what the same filter is held to', async () => {
    const token = await harness.adminToken('read:users')

    const { errors } = await harness.run('{ users(search: "NOT app_metadata.plan:pro") { totalCount } }', { token })

    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', requiredScopes: ['read:users_app_metadata'] })
    expect(errors?.[0]?.extensions?.['field']).toMatch(/^search\./)
  })

  test('deep in a filter is named by its path', async () => {
    const token = await harness.adminToken('read:users')
    const where = { and: [{ emailVerified: true }, { not: { appMetadata: [{ path: '/plan', eq: 'pro' }] } }] }

    const { errors } = await harness.run('query Q($where: UserWhere) { users(where: $where) { totalCount } }', {
      token,
      variables: { where },
    })

    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', field: 'where.and.1.not.appMetadata' })
  })
})

test('a forbidden output is null with an error at its path, and its siblings are answered', async () => {
  const token = await harness.adminToken('read:users')

  const { data, errors } = await harness.run(`{ user(by: { id: "${subject.id}" }) { email appMetadata profile { name } } }`, { token })

  expect(data).toEqual({ user: { email: 'subject@example.com', appMetadata: null, profile: { name: 'Subject' } } })
  expect(errors).toMatchObject([
    { path: ['user', 'appMetadata'], extensions: { code: 'FORBIDDEN', requiredScopes: ['read:users_app_metadata'] } },
  ])
})

test('what is absent and what is forbidden look the same to another user', async () => {
  const other = await harness.aUser({})
  const ask = (id: string) =>
    harness.run(`{ user(by: { id: "${id}" }) { id } node(id: "${id}") { id } nodes(ids: ["${id}"]) { id } }`, { token: other.token })

  const [forbidden, absent] = [await ask(subject.id), await ask('0190a5b2-0000-7000-8000-00000000beef')]
  expect([forbidden.status, forbidden.data, forbidden.errors]).toEqual([absent.status, absent.data, absent.errors])
  expect(forbidden.data).toEqual({ user: null, node: null, nodes: [null] })
})

type Step = Readonly<{ type: GraphQLObjectType; field: GraphQLField<unknown, unknown>; selection: string }>
type Probe = Readonly<{ steps: readonly Step[] }>

/** One way down from the root to every field of every type that can be read. */
function outputProbes(): Probe[] {
  const query = harness.app.schema.getQueryType()
  if (!query) throw new Error('the graph has no queries')
  const reached = new Map<string, readonly Step[]>([[query.name, []]])
  const probes: Probe[] = []
  const queue: GraphQLObjectType[] = [query]
  for (let type = queue.shift(); type !== undefined; type = queue.shift())
    for (const field of Object.values(type.getFields())) {
      const path = [...(reached.get(type.name) ?? []), { type, field, selection: selection(type, field) }]
      probes.push({ steps: path })
      // `me` leads to the caller's own rows; the way to the subject's is another.
      for (const next of objectTypes(getNamedType(field.type)))
        if (!reached.has(next.name) && field.name !== 'me') {
          reached.set(next.name, path)
          queue.push(next)
        }
    }
  return probes
}

function objectTypes(type: GraphQLNamedType): readonly GraphQLObjectType[] {
  if (isInterfaceType(type)) return harness.app.schema.getPossibleTypes(type).filter(({ name }) => name in nodeIds)
  return isObjectType(type) ? [type] : []
}

function selection(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): string {
  const by: Readonly<Record<string, string>> = {
    user: `(by: { id: "${subject.id}" })`,
    users: '(first: 250)',
    connection: '(key: "google")',
    job: `(id: "${nodeIds['Job']}")`,
    nodes: '',
    node: '',
  }
  return `${field.name}${type.name === 'Query' ? (by[field.name] ?? '') : ''}`
}

/** The probe as a document; where the way goes through `node`, the row of the type that comes next is asked for. */
function document({ steps }: Probe): string {
  const [step, ...rest] = steps
  if (!step) return ''
  const next = rest[0]?.type.name
  const id = nodeIds[next ?? 'User']
  const args =
    step.field.name === 'node' && step.type.name === 'Query'
      ? `node(id: "${id}")`
      : step.field.name === 'nodes' && step.type.name === 'Query'
        ? `nodes(ids: ["${id}"])`
        : step.selection
  const named = getNamedType(step.field.type)
  if (rest.length > 0)
    return `${args} { ${isInterfaceType(named) ? `... on ${next} { ${document({ steps: rest })} }` : document({ steps: rest })} }`
  return isCompositeType(named) ? `${args} { __typename }` : args
}

/** What the declarations say: the first field on the way that the caller may not read decides. */
function outcome({ steps }: Probe, caller: Caller): string {
  for (const [index, { type, field }] of steps.entries()) {
    const access = accessOf(field)
    const isRoot = type.name === 'Query'
    const owner = isRoot ? caller.userId : !owned(type) ? null : subject.id
    if (!may(access, caller, owner)) return `${caller.token === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'} at ${field.name}`
    if (isRoot && !sees(field.name, steps[index + 1]?.type.name ?? 'User', caller)) return 'nothing'
  }
  return 'answered'
}

/** Whether the rows of a type are somebody's. */
function owned({ name }: GraphQLObjectType): boolean {
  return ['User', 'Profile', 'ProfileSource', 'Identity', 'Session', 'AuditEvent'].includes(name)
}

const rowScopes: Readonly<Record<string, PermissionScope>> = {
  User: 'read:users',
  Identity: 'read:users',
  Session: 'read:sessions',
  AuditEvent: 'read:logs',
  AdminToken: 'read:admin_tokens',
  Connection: 'read:connections',
  Job: 'import:users',
}

/** Whether a root field shows the caller the subject's row. */
function sees(root: string, type: string, caller: Caller): boolean {
  if (root === 'me') return caller.userId !== null
  if (root === 'job') return may({ self: false, scopes: ['import:users'] }, caller, null)
  if (root !== 'node' && root !== 'nodes' && root !== 'user') return true
  const scope = rowScopes[type] ?? 'read:users'
  return may({ self: !['AdminToken', 'Connection', 'Job'].includes(type), scopes: [scope] }, caller, subject.id)
}

function may(access: Access, { scopes, userId }: Caller, owner: string | null): boolean {
  if (!isRestricted(access)) return true
  if (access.self && owner !== null && owner === userId) return true
  return access.scopes.some((scope) => scopes.includes('admin') || scopes.includes(scope))
}

function outputOutcome({ data, errors }: Answer, alias: string): string {
  const error = errors?.find(({ path }) => path?.[0] === alias)
  if (error) return `${error.extensions?.['code']} at ${error.path?.length === 1 ? rootName(error.message) : String(error.path?.at(-1))}`
  const whole = errors?.find(({ path }) => path === undefined)
  if (whole) return `${whole.extensions?.['code']}: ${whole.message}`
  const value = data?.[alias]
  return value === null || value === undefined || (Array.isArray(value) && value[0] === null) ? 'nothing' : 'answered'
}

/** A root field's alias hides its name; the message has it. */
function rootName(message: string): string {
  return /`Query\.(\w+)`/.exec(message)?.[1] ?? message
}

function inputOutcome(mutation: Access, field: Access, caller: Caller, owner: string | null, path: string): string {
  const code = caller.token === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'
  if (!may(mutation, caller, owner)) return code
  return may(field, caller, owner) ? 'taken' : `${code} ${path}`
}

function refusalOf({ errors }: Answer): string {
  const error = errors?.find(({ extensions }) => extensions?.['code'] === 'FORBIDDEN' || extensions?.['code'] === 'UNAUTHENTICATED')
  if (!error) return errors?.some(({ extensions }) => extensions?.['code'] === 'INTERNAL_SERVER_ERROR') ? 'INTERNAL_SERVER_ERROR' : 'taken'
  const field = error.extensions?.['field']
  return [error.extensions?.['code'], ...(field === undefined ? [] : [field])].join(' ')
}

function argumentType(mutation: GraphQLField<unknown, unknown>) {
  const [argument] = mutation.args
  if (!argument) throw new Error(`${mutation.name} takes no input`)
  return argument.type
}

function inputFields(mutation: GraphQLField<unknown, unknown>): GraphQLInputField[] {
  if (mutation.args.length === 0) return []
  const type = getNamedType(argumentType(mutation))
  return isInputObjectType(type) ? Object.values(type.getFields()) : []
}

const nobody = '0190a5b2-0000-7000-8000-00000000beef'

/** updateUser goes to the subject; what would end it, or its session, goes to nobody; some go to nobody in particular. */
function target(mutation: GraphQLField<unknown, unknown>): Readonly<Record<string, string>> {
  const names = inputFields(mutation).map(({ name }) => name)
  if (mutation.name === 'signOut') return { scope: 'OTHERS' }
  if (names.includes('userId')) return { userId: nobody }
  if (mutation.name === 'createUser' || !names.includes('id')) return {}
  return { id: mutation.name === 'updateUser' ? subject.id : nobody }
}

/** Whose record a mutation changes there: the one its input names, or the caller's own. */
function ownerOf(mutation: string, caller: Caller): string | null {
  if (mutation === 'updateUser') return subject.id
  return ['revokeSessions', 'sendVerification', 'linkIdentity'].includes(mutation) ? nobody : caller.userId
}

/** Eight probes a request; where the root field cannot be null one, since an error there leaves nothing of the rest. */
function requests(probes: readonly Probe[]): Probe[][] {
  const alone = probes.filter(({ steps }) => isNonNullType(steps[0]?.field.type))
  const together = probes.filter((probe) => !alone.includes(probe))
  return [
    ...alone.map((probe) => [probe]),
    ...Array.from({ length: Math.ceil(together.length / 8) }, (_, index) => together.slice(index * 8, (index + 1) * 8)),
  ]
}

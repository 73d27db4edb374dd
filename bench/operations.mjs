/** What is measured: one operation of the graph each, and the SQL that its answer takes at the least. */

const userFields = 'id email profile { name }'
const pageFields = `nodes { ${userFields} createdAt } pageInfo { hasNextPage endCursor }`
const fromUsers = 'from roster.users u join roster.profiles p on p.user_id = u.id'
const pageSize = 20

/** A column of the user that pgbench, which knows integers only, has chosen. */
const key = (column) => () => `(select ${column} from public.bench_keys where n = :n)`

const user = ({ id, email, name, ...rest }) => ({ id, email, profile: { name }, ...rest })

function pageAnswer([rows]) {
  const nodes = rows.slice(0, pageSize).map(({ created_at: createdAt, ...row }) => user({ ...row, createdAt }))
  return { users: { nodes, pageInfo: { hasNextPage: rows.length > pageSize, endCursor: nodes.at(-1)?.id ?? null } } }
}

/** One row more than the page tells whether there is a next one. The page is cut before the join, or all profiles before it are read. */
function page(title, { signature, argument, variables, where, parameter }) {
  const users = `select * from roster.users where ${where} and deleted_at is null order by id limit ${pageSize + 1}`
  return {
    title,
    caller: 'admin',
    query: `query ${signature} { users(first: ${pageSize}, ${argument}) { ${pageFields} } }`,
    variables,
    statements: [
      `select u.id, u.email, p.name, u.created_at from (${users}) as u join roster.profiles p on p.user_id = u.id order by u.id`,
    ],
    parameters: [{ of: parameter, pgbench: (variables) => `'${parameter(variables)}'` }],
    answer: pageAnswer,
  }
}

function metadataPage(title, name, chosen) {
  return page(title, {
    signature: '($value: JSON)',
    argument: `where: { appMetadata: [{ path: "/${name}", eq: $value }] }`,
    variables: (sample) => ({ value: chosen(sample) }),
    where: 'app_metadata @> $1',
    parameter: ({ value }) => JSON.stringify({ [name]: value }),
  })
}

const pageByCursor = {
  signature: '($after: String)',
  argument: 'after: $after',
  where: 'id > $1',
  parameter: ({ afterId }) => afterId,
}

/** A user's own id: Roster takes it from the token, the others from the variables, where Roster passes it over. */
const own = { variables: ({ id }) => ({ id }), id: { of: ({ id }) => id, pgbench: key('user_id') } }

/**
 * By name. `variables` are made of one of the sampled users. `statements` are prepared once and take `parameters`, of the variables
 * or in pgbench's words; `answer` makes of their rows what the graph answers.
 */
export const operations = {
  A: {
    title: 'the caller, with profile, metadata and identities',
    caller: 'user',
    query: `{ me { ${userFields} userMetadata identities { provider } } }`,
    variables: own.variables,
    statements: [
      `select u.id, u.email, p.name, u.user_metadata ${fromUsers} where u.id = $1`,
      'select provider from roster.identities where user_id = $1 order by id',
    ],
    parameters: [own.id],
    answer: ([[{ user_metadata: userMetadata, ...row }], identities]) => ({ me: user({ ...row, userMetadata, identities }) }),
  },
  B: page('the first page of 20 users', { ...pageByCursor, variables: (_sample, { first }) => first }),
  'B deep': page('a page of 20 users, by cursor', { ...pageByCursor, variables: (_sample, { deep }) => deep }),
  C: {
    title: 'a merge into the metadata of the caller',
    caller: 'user',
    query: 'mutation ($patch: JSONObject) { updateUser(input: { userMetadata: $patch }) { user { id userMetadata } errors { message } } }',
    variables: ({ id }) => ({ id, patch: { visits: 'COUNTER' } }),
    statements: [
      `update roster.users set user_metadata = user_metadata || $2, version = version + 1, updated_at = now()
       where id = $1 returning id, user_metadata`,
    ],
    parameters: [own.id, { of: ({ patch }) => JSON.stringify(patch), pgbench: () => "jsonb_build_object('visits', :counter::int)" }],
    answer: ([[{ id, user_metadata: userMetadata }]]) => ({ updateUser: { user: { id, userMetadata }, errors: [] } }),
  },
  D: {
    title: 'a user by e-mail address',
    caller: 'admin',
    query: `query ($email: String) { user(by: { email: $email }) { ${userFields} } }`,
    variables: ({ email }) => ({ email }),
    statements: [`select u.id, u.email, p.name ${fromUsers} where u.email_normal = $1 and u.deleted_at is null`],
    parameters: [{ of: ({ email }) => email, pgbench: key('email') }],
    answer: ([[row]]) => ({ user: user(row) }),
  },
  E: metadataPage('20 users by a metadata value that few have', 'tenant', ({ tenant }) => tenant),
  'E common': metadataPage('20 users by a metadata value that a tenth has', 'plan', () => 'team'),
}

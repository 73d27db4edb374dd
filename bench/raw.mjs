/** The raw limit: the same requests on node:http and prepared statements of `pg`, without GraphQL, tokens or checks. */

import { createServer } from 'node:http'
import pg from 'pg'
import { operations } from './operations.mjs'

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: Number(process.env['DATABASE_POOL_SIZE']) })
const byQuery = new Map(Object.entries(operations).map(([name, operation]) => [operation.query, { ...operation, name }]))

async function answer(body) {
  const { query, variables } = JSON.parse(body)
  const { name, statements, parameters, answer: shape } = byQuery.get(query)
  const values = parameters.map(({ of }) => of(variables))
  const results = await Promise.all(statements.map((text, index) => pool.query({ name: `${name} ${index}`, text, values })))
  return JSON.stringify({ data: shape(results.map(({ rows }) => rows)) })
}

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', async () => {
    try {
      const text = await answer(Buffer.concat(chunks).toString())
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
})

server.listen(Number(process.env['PORT']), '127.0.0.1')

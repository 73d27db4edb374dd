/** What GraphQL over HTTP costs by itself: GraphQL Yoga as it comes, with a constant field. */

import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'

const schema = createSchema({ typeDefs: 'type Query { constant: Int! }', resolvers: { Query: { constant: () => 1 } } })

createServer(createYoga({ schema, logging: false })).listen(Number(process.env['PORT']), '127.0.0.1')

import { defineConfig } from 'rolldown'

/**
 * Puts the command line, what it imports and the packages of that into few files: finding and reading two thousand is half of the time
 * that a server takes to start. The modules that tsc has made beside it stand for those who import single ones, in tests and the bench.
 */
export default defineConfig({
  input: 'src/cli.ts',
  platform: 'node',
  // What is a binary, is found by its path, or is large and seldom loaded.
  external: ['@node-rs/argon2', /^@electric-sql\//, /wasm-base64/, 'hash-wasm', '@graphql-yoga/render-graphiql', 'pg-native'],
  output: { dir: 'dist', entryFileNames: '[name].js', chunkFileNames: 'cli-[name].js', sourcemap: true },
})

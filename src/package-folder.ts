import { fileURLToPath } from 'node:url'

/**
 * The folder of package.json, which stands beside src/ and dist/ alike. Only a file directly in them may look for it: what is built
 * from deeper ones is put together there.
 */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url))

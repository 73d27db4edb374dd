import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

/** What a thread does that compares: CommonJS text, since it is the same for the sources and for what is built of them. */
const comparison = `
  const { parentPort, workerData: { bcrypt, hash, candidates } } = require('node:worker_threads')
  const { compareSync } = require(bcrypt)
  parentPort.postMessage(candidates.some((candidate) => compareSync(candidate, hash)))`

/**
 * Whether the password belongs to a bcrypt hash from elsewhere. It is tried as it was sent, as others hash it, and in its normal form.
 * A thread of its own compares: bcrypt in JavaScript takes a tenth of a second at the usual cost, and nobody else shall wait for it.
 * @throws when the thread could not do it
 */
export function verifyBcrypt(hash: string, plainPassword: string): Promise<boolean> {
  const candidates = [...new Set([plainPassword, plainPassword.normalize('NFKC')])]
  const bcrypt = createRequire(import.meta.url).resolve('bcryptjs')
  const worker = new Worker(comparison, { eval: true, workerData: { bcrypt, hash, candidates } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the thread that compares ended without an answer')))
  })
}

import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

/** A derivation of PBKDF2 (RFC 8018 §5.2) over a digest that only the thread's library knows. */
export type ThreadPbkdf2 = Readonly<{ digest: 'md4' | 'whirlpool'; password: Buffer; salt: Buffer; iterations: number; length: number }>

/** What a thread does: CommonJS text, since it is the same for the sources and for what is built of them. */
const program = `
  const { parentPort, workerData: { library, bcrypt, pbkdf2 } } = require('node:worker_threads')
  const wasm = require(library)
  const digests = { md4: wasm.createMD4, whirlpool: wasm.createWhirlpool }
  const anyMatches = async ({ hash, passwords }) => {
    for (const password of passwords) if (await wasm.bcryptVerify({ password, hash })) return true
    return false
  }
  const derive = ({ digest, length, ...options }) =>
    wasm.pbkdf2({ ...options, hashLength: length, hashFunction: digests[digest](), outputType: 'binary' })
  const work = bcrypt ? anyMatches(bcrypt) : derive(pbkdf2)
  work.then((result) => parentPort.postMessage(result), (error) => { throw error })`

/** All that bcrypt looks at of a password, in bytes. */
const bcryptBytes = 72

/**
 * Whether one of the passwords belongs to a bcrypt hash. bcrypt takes a twentieth of a second at the usual cost.
 * @throws when the thread could not do it
 */
export function verifyBcrypt(hash: string, passwords: readonly Buffer[]): Promise<boolean> {
  const looked = passwords.filter(({ length }) => length > 0).map((password) => password.subarray(0, bcryptBytes))
  return inThread<boolean>({ bcrypt: { hash, passwords: looked } })
}

/** @throws when the thread could not do it */
export async function threadPbkdf2(pbkdf2: ThreadPbkdf2): Promise<Buffer> {
  return Buffer.from(await inThread<Uint8Array>({ pbkdf2 }))
}

/** A thread of its own does the work: it is WebAssembly, which would keep the whole process waiting. */
function inThread<Result>(workerData: object): Promise<Result> {
  const library = createRequire(import.meta.url).resolve('hash-wasm')
  const worker = new Worker(program, { eval: true, workerData: { ...workerData, library } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the thread ended without an answer')))
  })
}

import { setTimeout as delay } from 'node:timers/promises'

/** How long a database may take to show that it is there. */
export const pingMs = 2000

/** Waits for the database's answer. @throws when there is none in two seconds */
export async function answerInTime(answer: Promise<unknown>): Promise<void> {
  const late = delay(pingMs, null, { ref: false }).then(() => {
    throw new Error('timeout expired')
  })
  await Promise.race([answer, late])
}

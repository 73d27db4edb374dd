/**
 * Lets so many pieces of work begin in one turn of the event loop, and the others in the next ones, in the order they came. What begins
 * together goes on together from one wait to the next, and for as long as each of these steps takes, nobody else is heard: no probe,
 * and nobody who could be refused at once.
 */
export function createPace(perTurn: number): () => Promise<void> {
  const waiting: (() => void)[] = []
  let begun = 0
  const nextTurn = (): void => {
    const next = waiting.splice(0, perTurn)
    begun = next.length
    if (begun > 0) setImmediate(nextTurn)
    for (const begin of next) begin()
  }
  return async () => {
    if (begun === perTurn) return new Promise((resolve) => waiting.push(resolve))
    if (begun++ === 0) setImmediate(nextTurn)
  }
}

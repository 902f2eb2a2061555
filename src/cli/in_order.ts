/** Runs up to `most` calls at a time; results come in the order of the items, and no more than that many wait. */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  most: number,
  run: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = []
  try {
    for (const item of items) {
      const result = run(item)
      result.catch(() => {}) // heard of when its turn comes
      running.push(result)
      if (running.length >= most) yield await (running.shift() as Promise<Result>)
    }
    while (running.length) yield await (running.shift() as Promise<Result>)
  } finally {
    await Promise.allSettled(running) // nobody is left to hear of what fails after the first failure
  }
}

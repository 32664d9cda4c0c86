// One after the other, where the failure of one must not keep the others from their turn.

/** @throws the first error, when all have had their turn. */
export async function eachAlone<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

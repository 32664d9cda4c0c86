// For switches over closed lists: the compiler refuses a case that was forgotten.
export function exhaustive(value: never): never {
  throw new Error(`unexpected value: ${String(value)}`);
}

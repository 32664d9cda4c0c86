export function restore(_options: { from: string; replace?: boolean; json?: boolean }): Promise<void> {
  return Promise.resolve();
}

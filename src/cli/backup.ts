export function backup(_options: { to: string; json?: boolean }): Promise<void> {
  return Promise.resolve();
}

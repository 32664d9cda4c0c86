// A key under which the server does a thing once. Not crypto.randomUUID: browsers have that over HTTPS alone.
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');
}

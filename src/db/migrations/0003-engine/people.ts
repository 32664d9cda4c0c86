// Part of migration 0003: saved filters, hidden kinds, scopes of tokens and sign-in by OIDC.
export const PEOPLE = `
`;

// Part of migration 0003: attempts, timeouts, isolation and the poison rule.
export const RUNS = `
`;

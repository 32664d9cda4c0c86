// Part of migration 0003: reports, the log's cap, counters and queue figures.
export const SEEING = `
`;

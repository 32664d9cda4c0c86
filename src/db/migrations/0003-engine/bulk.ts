// Part of migration 0003: commands on sets of jobs, and resubmitted jobs.
export const BULK = `
`;
